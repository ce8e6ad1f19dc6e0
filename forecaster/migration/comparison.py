"""What the old set-up would have run over the last days, and what Preroll would.

Everything is shared: the traffic, the pods, the HPA beneath at the target it has, and what one
replica serves. A replica that is planned to be ``share`` full serves up to ``capacity ÷ share``,
and what is above that is unserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from forecaster.backtest import (
    Hpa,
    PolicyReplay,
    ReplaySettings,
    ReplaySpan,
    replay_oracle,
    replay_policy,
)
from forecaster.backtest.night import run_in_time
from forecaster.backtest.peak_decisions import decide
from forecaster.backtest.peak_origins import PeakOrigin, work_origin
from forecaster.backtest.peak_tasks import PeakTask, peak_tasks
from forecaster.errors import HistoryTooShort
from forecaster.events import Calendar, Event
from forecaster.migration.behavior import read_behavior
from forecaster.migration.exporter_objects import OldEvent
from forecaster.migration.exporter_policy import OldExporter
from forecaster.migration.moved_policy import MovedPreroll
from forecaster.migration.workload import MigratedWorkload
from forecaster.planning.limits import MOST_REPLICAS
from forecaster.traffic.history import TrafficSeries

__all__ = [
    "FORECAST_ALONE",
    "Compared",
    "Comparison",
    "compare",
    "comparison_tasks",
    "prepare",
    "work_comparison",
]

FORECAST_ALONE = "preroll_alone"
"""Preroll without the floors that were typed: what it would run by its forecast."""
_LEAST_HISTORY = timedelta(days=1)
_LEARNED = timedelta(days=28)
_TRAIN_EVERY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Comparison:
    """One workload's days: ``series`` ends with them, ``start`` is where they begin.

    ``capacity`` is the settings', at the ``share``; of a workload that has none it is what its
    busiest minute needs at its maximum of replicas, and ``assumed_capacity`` is set.
    """

    moved: MigratedWorkload
    series: TrafficSeries
    start: datetime
    settings: ReplaySettings
    calendar: Calendar
    old_events: tuple[OldEvent, ...]
    timezone: str
    quantile: float = 0.98
    assumed_capacity: bool = False

    @property
    def begin(self) -> datetime:
        """Where the run-in begins, and models are first trained."""
        return self.start - run_in_time(self.settings, timedelta(0), self.series.step)

    @property
    def events(self) -> tuple[Event, ...]:
        """What is known of the days, rules made into events."""
        old = self.moved.old
        mine = self.calendar.selecting(old.namespace, old.target_name, old.manifest.labels)
        return mine.between(self.begin, self.series.end + timedelta(days=1))


@dataclass(frozen=True, eq=False)
class Compared:
    """What each ran: ``exporter`` (the old set-up), ``hpa`` (without the exporter), ``preroll``,
    and ``preroll_alone``, without the floors of windows and events."""

    comparison: Comparison
    span: ReplaySpan
    oracle: PolicyReplay
    policies: tuple[PolicyReplay, ...]
    reasons: tuple[str, ...]

    def policy(self, name: str) -> PolicyReplay:
        """The policy of that name."""
        return next(one for one in self.policies if one.name == name)


def prepare(
    moved: MigratedWorkload,
    series: TrafficSeries,
    days: timedelta,
    calendar: Calendar,
    old_events: Sequence[OldEvent],
    *,
    timezone: str,
    lead_time: timedelta,
) -> Comparison:
    """The last ``days`` of the traffic; HistoryTooShort without a day to learn from before them."""
    share = moved.load.share
    capacity, assumed = moved.load.capacity, False
    bounds = series.observed_bounds()
    if bounds is None:
        raise HistoryTooShort(f"{series.series_id}: no traffic is on record")
    known = series.before(series.start + bounds[1] * series.step) or series
    if capacity is None:
        capacity, assumed = float(np.nanmax(known.rate_rps)) / moved.old.max_replicas, True
    settings = ReplaySettings(
        capacity_rps=max(capacity / share, 1e-9),
        lead_time=lead_time,
        min_replicas=max(moved.old.min_replicas, 1),
        max_replicas=min(max(moved.old.max_replicas, 1), MOST_REPLICAS),
    )
    run_in = run_in_time(settings, timedelta(0), known.step)
    start = known.end - days // known.step * known.step
    if start - run_in - _LEAST_HISTORY < known.start:
        raise HistoryTooShort(
            f"{series.series_id} has {(known.end - known.start) / timedelta(days=1):.1f} days of "
            f"traffic; {days / timedelta(days=1):g} to compare and a day before them are needed"
        )
    return Comparison(
        moved,
        known.since(start - run_in - _LEARNED) or known,
        start,
        settings,
        calendar,
        tuple(old_events),
        timezone,
        assumed_capacity=assumed,
    )


def comparison_tasks(one: Comparison) -> list[PeakTask]:
    """The trainings, one a day, each of what had ended by then."""
    old = one.moved.old
    mine = one.calendar.selecting(old.namespace, old.target_name, old.manifest.labels)
    known = Calendar(
        mine.between(one.series.start, one.series.end + timedelta(days=3)), (), mine.overlap
    )
    tasks = peak_tasks(
        one.series,
        one.begin,
        one.settings.lead_steps(one.series.step),
        (one.quantile,),
        every=_TRAIN_EVERY,
        timezone=one.timezone,
    )
    return [replace(task, calendar=known) for task in tasks]


def work_comparison(numbered: tuple[int, PeakTask]) -> tuple[int, PeakOrigin]:
    """One training of one of several workloads, which its number tells."""
    number, task = numbered
    return number, work_origin(task)


def compare(one: Comparison, origins: Sequence[PeakOrigin]) -> Compared:
    """What each ran, from the results of all of :func:`comparison_tasks`."""
    settings, share, old = one.settings, one.moved.load.share, one.moved.old
    whole, shown = ReplaySpan(one.series, one.begin), ReplaySpan(one.series, one.start)
    decisions = decide(one.series, origins, settings.lead_steps(one.series.step), (one.quantile,))
    behavior = read_behavior(old.behavior)
    exporter = OldExporter(old.window, one.old_events, one.timezone, share, behavior)
    peaks = decisions.served(one.quantile)
    preroll = MovedPreroll(one.quantile, peaks, share, one.events)
    alone = MovedPreroll(one.quantile, peaks, share, called=FORECAST_ALONE)
    with_behavior = replace(settings, behavior=behavior)
    policies = (
        replay_policy(whole, exporter, with_behavior, shown),
        replay_policy(whole, Hpa(share), with_behavior, shown),
        replay_policy(whole, preroll, settings, shown),
        replay_policy(whole, alone, settings, shown),
    )
    return Compared(one, shown, replay_oracle(shown, settings), policies, decisions.reasons)
