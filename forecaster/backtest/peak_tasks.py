"""What a backtest asks of each origin: when to train, with what, and which steps to decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from forecaster.backtest.baselines import Baseline
from forecaster.errors import HistoryTooShort
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.models.peak.fleet import train_fleet
from forecaster.models.peak.model import LeadPeakModel
from forecaster.models.peak.starter import knows_starter
from forecaster.models.peak.training import PeakConfig
from forecaster.traffic.history import TrafficSeries

__all__ = ["DayAheadAsked", "PeakTask", "peak_tasks", "with_fleet_models"]

_PEAK = PeakConfig()


@dataclass(frozen=True, eq=False)
class DayAheadAsked:
    """What else an origin's outlook is asked: its ``quantiles`` over ``steps`` steps, to be scored
    beside the ``baselines``."""

    steps: int
    quantiles: tuple[float, ...]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PeakTask:
    """One origin: train at ``cutoff``, then decide at ``steps`` steps from there on.

    ``series`` ends where those steps do. ``fleet`` is the fleet's model of that cutoff, for a
    workload that has too little history of its own. ``day_ahead`` is None where nobody scores the
    outlook by itself. ``calendar`` are the events that were known ahead.
    """

    series: TrafficSeries
    cutoff: datetime
    steps: int
    lead_steps: int
    levels: tuple[float, ...]
    timezone: str = "UTC"
    peak: PeakConfig = _PEAK
    fleet: LeadPeakModel | None = None
    starter: bool = True
    day_ahead: DayAheadAsked | None = None
    calendar: Calendar = EMPTY_CALENDAR


def peak_tasks(
    series: TrafficSeries,
    start: datetime,
    lead_steps: int,
    levels: Sequence[float],
    *,
    every: timedelta = timedelta(days=1),
    timezone: str = "UTC",
    peak: PeakConfig | None = None,
) -> list[PeakTask]:
    """The origins from ``start`` to the end of the series, ``every`` so often.

    ``levels`` are any quantiles in (0, 1). Raises ValueError where ``start`` is not within the
    series.
    """
    first = series.index_of(start)
    if not 0 < first < len(series):
        raise ValueError(f"{start} is not within {series.start} to {series.end}")
    stride = max(1, round(every / series.step))
    asked = tuple(sorted(set(levels)))
    config = replace(peak or PeakConfig(), levels=asked)
    starter = not knows_starter(series)
    tasks = []
    for row in range(first, len(series), stride):
        steps = min(stride, len(series) - row)
        part = series.before(series.start + (row + steps) * series.step)
        if part is None:  # never: the row lies within the series
            continue
        cutoff = series.start + row * series.step
        tasks.append(
            PeakTask(part, cutoff, steps, lead_steps, asked, timezone, config, starter=starter)
        )
    return tasks


def with_fleet_models(tasks: Iterable[PeakTask]) -> list[PeakTask]:
    """The tasks, those of several series with the fleet's model of their cutoff.

    It is trained once for each cutoff, on all series and without day-ahead paths, where a series
    has less than a day of its own; tasks of a single series come back as they are.
    """
    listed = list(tasks)
    by_cutoff: dict[datetime, list[PeakTask]] = {}
    for task in listed:
        by_cutoff.setdefault(task.cutoff, []).append(task)
    fleets: dict[datetime, LeadPeakModel | None] = {}
    for cutoff, together in by_cutoff.items():
        short = any(cutoff - task.series.start < timedelta(days=1) for task in together)
        if len(together) < 2 or not short:
            continue
        try:
            fleets[cutoff] = train_fleet(
                [(task.series, None) for task in together],
                cutoff,
                together[0].lead_steps,
                together[0].peak,
            )
        except HistoryTooShort:
            fleets[cutoff] = None
    return [replace(task, fleet=fleets.get(task.cutoff)) for task in listed]
