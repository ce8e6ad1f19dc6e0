"""A ``file`` source, opened before anything runs on it: what would keep targets from coming."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from forecaster.cli.traffic_input import listed
from forecaster.durations import format_duration
from forecaster.errors import TrafficError
from forecaster.settings import FileSettings, Fleet
from forecaster.traffic.files import ReadOptions, TrafficFile, Unit, read_traffic
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.file_source import assign_series

__all__ = ["file_warnings"]

_FRESH_STEPS = 3
_NAMING = (
    "a series is named by the column `series`; in a file of two columns, by the file's name "
    "without its endings"
)


def file_warnings(settings: FileSettings, fleet: Fleet, now: datetime) -> list[str]:
    """What is wrong with the file for this fleet, one sentence each; nothing where it will do."""
    path = settings.path
    if not path.exists():
        return [f"{path} is not there yet; until it is, KEDA gets 503 for every workload"]
    options = ReadOptions(Unit(settings.unit), timezone=settings.timezone)
    try:
        file = read_traffic(path, options)
    except TrafficError as error:
        return [str(error)]
    step = file.history.step
    warnings = []
    if step != fleet.step:
        warnings.append(
            f"{path}: its step is {format_duration(step)} and the settings say "
            f"{format_duration(fleet.step)}; write step: {format_duration(step)}"
        )
    workloads = tuple(one.workload for one in fleet.workloads)
    try:
        found = assign_series(file.history, workloads, path)
    except TrafficError as error:
        return [*warnings, f"{error}. {_has(file)}; {_NAMING}"]
    missing = [name for name in workloads if name not in {one.series_id for one in found}]
    if missing:
        warnings.append(f"{path}: no series for {listed(tuple(missing))}. {_has(file)}; {_NAMING}")
    return [*warnings, *_age(settings, found, now)]


def _has(file: TrafficFile) -> str:
    return f"It has {listed(file.history.ids)}"


def _age(settings: FileSettings, found: Sequence[TrafficSeries], now: datetime) -> list[str]:
    ends = [
        one.start + bounds[1] * one.step
        for one in found
        if (bounds := one.observed_bounds()) is not None
    ]
    if not ends or now - max(ends) <= _FRESH_STEPS * found[0].step:
        return []
    ago = now - max(ends)
    shown = format_duration(ago - ago % found[0].step)
    return [
        f"{settings.path}: its newest traffic ended at {max(ends).astimezone(UTC):%Y-%m-%d %H:%M} "
        f"UTC, {shown} ago; preroll serve plans from the traffic up to now, so export it again, or "
        "look at it with preroll plan"
    ]
