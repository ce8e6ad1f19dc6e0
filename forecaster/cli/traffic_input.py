"""From a traffic file and options to series, with the reader's notices on stderr."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from forecaster.cli.terminal import print_notice
from forecaster.errors import ForecastError, TrafficFileError

if TYPE_CHECKING:
    from forecaster.traffic.history import TrafficHistory, TrafficSeries

__all__ = [
    "TrafficInput",
    "check_step",
    "check_zone",
    "choose_series",
    "listed",
    "read_traffic_file",
]


@dataclass(frozen=True, eq=False)
class TrafficInput:
    """The traffic that a command works on.

    ``place`` is where it stands, as messages say it; ``title`` is its name on a page.
    """

    history: TrafficHistory
    place: str
    title: str


def check_zone(name: str | None) -> ZoneInfo:
    """The time zone of that name, UTC without one; BadParameter for any other text."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise typer.BadParameter(
            f"{name!r} is not a time zone; write for example Europe/Paris or UTC",
            param_hint="--timezone",
        ) from error


def read_traffic_file(
    path: Path, *, unit: str | None, step: timedelta | None, timezone: str | None
) -> TrafficInput:
    """The file's traffic; raises TrafficFileError or HistoryTooShort."""
    from forecaster.traffic.files import ReadOptions, Unit, read_traffic

    file = read_traffic(path, ReadOptions(Unit(unit or "rps"), step, timezone))
    if unit is None:
        print_notice(
            f"{path}: values are taken as requests per second; "
            "add --unit requests where they count requests per step"
        )
    for notice in file.notices:
        print_notice(notice)
    return TrafficInput(file.history, place=str(path), title=path.name)


def choose_series(traffic: TrafficInput, series_id: str) -> TrafficSeries:
    """The series of that name; TrafficFileError lists those that there are."""
    history = traffic.history
    if series_id not in history.ids:
        raise TrafficFileError(
            traffic.place, f"no series {series_id!r}; it has {listed(history.ids)}"
        )
    return history[series_id]


def check_step(traffic: TrafficInput, step: timedelta) -> None:
    """TrafficFileError where the traffic's step is too long for any forecast."""
    from forecaster.models.day_grid import bin_size

    try:
        bin_size(step)
    except ForecastError as error:
        raise TrafficFileError(
            traffic.place, f"{error}; export it anew, for example with preroll export --step 5m"
        ) from error


def listed(names: tuple[str, ...], most: int = 8) -> str:
    """Names for a sentence; the tail of a long list is only counted."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
