"""``--events``: the calendar of what was, or is, known ahead."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.terminal import print_notice, print_warning

if TYPE_CHECKING:
    from forecaster.events import Calendar
    from forecaster.traffic.history import TrafficSeries

__all__ = ["EventsOption", "of_series", "read_events"]

_MOST_TOLD = 20

EventsOption = Annotated[
    Path | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="A calendar of events known ahead: YAML, CSV (start, end, name, category, "
        "importance), iCalendar; preroll events check shows how it is understood.",
        show_default=False,
    ),
]


def read_events(
    path: Path | None, timezone: str | None, since: datetime, until: datetime
) -> Calendar:
    """The calendar in a file, empty without one; bad entries are warnings, with their place.

    EventFileError for what is no calendar. Recurring entries are made from ``since`` to ``until``.
    """
    from forecaster.events import EMPTY_CALENDAR
    from forecaster.programme.options import ReadOptions
    from forecaster.programme.reading import read_calendar

    if path is None:
        return EMPTY_CALENDAR
    day = timedelta(days=1)
    options = ReadOptions(timezone=timezone, since=since - day, until=until + 3 * day)
    found = read_calendar(path, None, options)
    for problem in found.problems[:_MOST_TOLD]:
        print_warning(f"{path}: {problem}")
    if len(found.problems) > _MOST_TOLD:
        print_warning(f"{path}: and {len(found.problems) - _MOST_TOLD} more bad entries")
    if not found.calendar.between(since, until):
        print_notice(f"{path}: no event in it concerns this traffic's time")
    return found.calendar


def of_series(calendar: Calendar, series: TrafficSeries) -> Calendar:
    """The events of the workload that a series is named after, ``namespace/name``."""
    namespace, _, name = series.series_id.rpartition("/")
    return calendar.selecting(namespace, name)
