"""The calendar of what was, or is, known ahead: of ``--events``, or of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.terminal import print_notice, print_warning

if TYPE_CHECKING:
    from forecaster.events import Calendar
    from forecaster.programme.problems import EntryProblem
    from forecaster.settings import EventSettings
    from forecaster.traffic.history import TrafficSeries

__all__ = ["EventsOption", "of_series", "read_events", "settings_events"]

_MOST_TOLD = 20
_DAY = timedelta(days=1)
_AFTER = 3 * _DAY
_LONGEST = 3660 * _DAY  # what a source may be followed back

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
    options = ReadOptions(timezone=timezone, since=since - _DAY, until=until + _AFTER)
    found = read_calendar(path, None, options)
    _tell(str(path), found.problems)
    if not found.calendar.between(since, until):
        print_notice(f"{path}: no event in it concerns this traffic's time")
    return found.calendar


def settings_events(
    settings: EventSettings, config: Path, since: datetime, until: datetime
) -> Calendar | None:
    """What the settings' section ``events`` knows of [since, until); None where it names nothing.

    Its calendars are read as the service does, files and addresses. One that cannot be read is a
    warning, and its events are not known; bad entries are warnings, with their place.
    """
    from forecaster.programme.fetch import SourceReader
    from forecaster.programme.source import NOT_READ_YET

    if not settings.calendar and not settings.sources:
        return None
    calendars = []
    for source in settings.sources:
        spanning = replace(source, past=min(until - since + _DAY, _LONGEST), ahead=_AFTER)
        state = SourceReader(spanning).read(NOT_READ_YET, until)
        called = f"events.sources {source.name}"
        if state.error is not None:
            print_warning(f"{called}: {state.error}; none of its events is known here")
        _tell(f"{called}: {source.shown}", state.problems)
        calendars.append(state.calendar)
    found = settings.calendar.joined(calendars)
    if not found.between(since, until):
        print_notice(f"{config}: no event of its section events concerns this traffic's time")
    return found


def _tell(place: str, problems: Sequence[EntryProblem]) -> None:
    """Bad entries as warnings, the first ones."""
    for problem in problems[:_MOST_TOLD]:
        print_warning(f"{place}: {problem}")
    if len(problems) > _MOST_TOLD:
        print_warning(f"{place}: and {len(problems) - _MOST_TOLD} more bad entries")


def of_series(calendar: Calendar, series: TrafficSeries) -> Calendar:
    """The events of the workload that a series is named after, ``namespace/name``."""
    namespace, _, name = series.series_id.rpartition("/")
    return calendar.selecting(namespace, name)
