"""``preroll events check``: a calendar as it is understood, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from forecaster.cli.terminal import out, print_notice, print_warning

__all__ = ["check"]

_BAD = 1
_MOST_TOLD = 50
_PAST, _AHEAD = timedelta(days=400), timedelta(days=366)


def check(
    calendar: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="YAML or JSON, CSV, iCalendar, XMLTV, or prescaling-exporter's manifests; packed "
            "by gzip or not.",
            show_default=False,
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rules that make kinds of titles, categories and channels, as YAML. A programme "
            "guide brings no events without.",
            show_default=False,
        ),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="yaml|csv|icalendar|xmltv|prescaling",
            help="What the file is; otherwise its name and its content tell.",
            show_default=False,
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="The zone of times without an offset, for example Europe/Paris; times are shown "
            "in it too. Otherwise such times are refused, and UTC is shown.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="What comes next after this; otherwise now.", show_default=False
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="The most events to show.")] = 20,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where an entry is bad.")
    ] = False,
) -> None:
    """Read a calendar of events and show how it is understood.

    The next events come first, then how many there are of each kind. Bad entries are warnings,
    each with its place and a valid example.

    Example: preroll events check guide.xmltv --mapping mapping.yaml --timezone Europe/Paris
    """
    from forecaster.cli.events_view import calendar_report
    from forecaster.cli.local_instant import read_local_instant
    from forecaster.programme.mapping import NO_MAPPING
    from forecaster.programme.options import CalendarFormat, ReadOptions
    from forecaster.programme.reading import read_calendar, read_mapping_file

    formats = [one.value for one in CalendarFormat]
    if format_name is not None and format_name not in formats:
        raise typer.BadParameter(
            f"{format_name!r} is not one of {', '.join(formats)}", param_hint="--format"
        )
    zone = _zone(timezone)
    now = datetime.now(UTC) if at is None else read_local_instant(at, zone)
    options = ReadOptions(
        timezone=timezone,
        mapping=NO_MAPPING if mapping is None else read_mapping_file(mapping),
        since=now - _PAST,
        until=now + _AHEAD,
    )
    chosen = None if format_name is None else CalendarFormat(format_name)
    found = read_calendar(calendar, chosen, options)
    out().print(calendar_report(str(calendar), found, now.astimezone(UTC), zone, rows))
    for problem in found.problems[:_MOST_TOLD]:
        print_warning(f"{calendar}: {problem}")
    if len(found.problems) > _MOST_TOLD:
        print_warning(f"{calendar}: and {len(found.problems) - _MOST_TOLD} more bad entries")
    if found.dropped and not found.calendar and mapping is None:
        print_notice(
            "a programme guide brings events by rules: write them, and name --mapping FILE"
        )
    if strict and found.problems:
        raise typer.Exit(_BAD)


def _zone(name: str | None) -> ZoneInfo:
    from forecaster.programme.times import zone_named

    try:
        return zone_named(name or "UTC")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from error
