"""A window of the past, run again as if it were now: what each policy asked for, step by step.

Some time before the window everything begins: models are trained there, on what had ended, and
pods and HPA come into full swing. Only the window is shown and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.backtest.declared_floors import floor_events
from forecaster.backtest.named import named_policy
from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import PeakOrigin, work_origin
from forecaster.backtest.peak_tasks import PeakTask, peak_tasks
from forecaster.backtest.policies import USUAL_UTILISATION
from forecaster.backtest.replay import PolicyReplay, replay_oracle, replay_policy
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.models.peak.model import Taught
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "Night",
    "NightReplay",
    "night_bounds",
    "night_tasks",
    "replay_night",
    "run_in_time",
    "work_night",
]

_LEAST_RUN_IN = timedelta(hours=1)
_LEAST_HISTORY = timedelta(days=1)
_TRAIN_EVERY = timedelta(hours=6)


@dataclass(frozen=True, eq=False)
class Night:
    """What is replayed: the steps of ``series`` from ``start`` to ``end``.

    All policies share ``settings``; ``quantile`` and ``hold_down`` are Preroll's, which is trained
    anew ``train_every`` so often on the ``history`` before (None: all there is); ``timezone`` is
    the audience's; ``utilisation`` is what the rivals' HPA aims at; ``calendar`` has the workload's
    events, which all count as known ahead. Both ends are moved back to where a step begins, and
    nothing after ``end`` is kept. ValueError where they lie outside of :func:`night_bounds`.
    """

    series: TrafficSeries
    start: datetime
    end: datetime
    settings: ReplaySettings
    quantile: float
    hold_down: timedelta = timedelta(0)
    timezone: str = "UTC"
    train_every: timedelta = _TRAIN_EVERY
    history: timedelta | None = None
    utilisation: float = USUAL_UTILISATION
    calendar: Calendar = EMPTY_CALENDAR

    def __post_init__(self) -> None:
        series = self.series
        start, end = (
            series.start + series.index_of(one) * series.step for one in (self.start, self.end)
        )
        bounds = night_bounds(series, end - start, self.settings, self.hold_down)
        if bounds is None or not bounds[0] <= start <= bounds[1] or end <= start:
            raise ValueError(f"{series.series_id}: {start} to {end} cannot be replayed")
        begin = start - run_in_time(self.settings, self.hold_down, series.step)
        known = series.before(end)
        if known is not None and self.history is not None:
            known = known.since(begin - self.history)
        if known is not None:
            object.__setattr__(self, "series", known)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)

    @property
    def begin(self) -> datetime:
        """Where models are first trained, and the run-in begins."""
        return self.start - run_in_time(self.settings, self.hold_down, self.series.step)


@dataclass(frozen=True, eq=False)
class NightReplay:
    """What came of it; all arrays have shape (steps of the window,).

    ``needed`` is what perfect foresight has. ``lead_peak_rps`` is what Preroll reckoned with at
    each step, ``live`` whether live traffic spoke, or else the outlook. ``policies`` are in the
    order they were asked in; ``oracle`` is there in any case. ``taught`` and ``reasons`` are the
    models', ``trained`` the instants.
    """

    night: Night
    span: ReplaySpan
    needed: NDArray[np.int64]
    lead_peak_rps: FloatArray
    live: NDArray[np.bool_]
    policies: tuple[PolicyReplay, ...]
    oracle: PolicyReplay
    trained: tuple[datetime, ...]
    taught: tuple[Taught, ...]
    reasons: tuple[str, ...]

    def policy(self, name: str) -> PolicyReplay | None:
        """The policy of that name, where it was asked for."""
        return next((one for one in self.policies if one.name == name), None)


def run_in_time(settings: ReplaySettings, hold_down: timedelta, step: timedelta) -> timedelta:
    """How long before the window everything begins: an hour at least, in whole steps.

    Long enough that the pods of the first decisions are ready, and could have been let go again.
    """
    least = max(_LEAST_RUN_IN, 2 * settings.lead_steps(step) * step + hold_down)
    return -(-least // step) * step


def night_bounds(
    series: TrafficSeries, window: timedelta, settings: ReplaySettings, hold_down: timedelta
) -> tuple[datetime, datetime] | None:
    """The earliest and the latest start of a window; None where the series is too short for it.

    Before it lie a day to learn from and the run-in.
    """
    before = _LEAST_HISTORY + run_in_time(settings, hold_down, series.step)
    earliest = series.start + -(-before // series.step) * series.step
    latest = series.end - -(-window // series.step) * series.step
    return (earliest, latest) if earliest <= latest else None


def night_tasks(night: Night) -> list[PeakTask]:
    """The trainings, each of what had ended at its instant: :func:`work_night` does them."""
    tasks = peak_tasks(
        night.series,
        night.begin,
        night.settings.lead_steps(night.series.step),
        (night.quantile,),
        every=night.train_every,
        timezone=night.timezone,
    )
    return [replace(one, calendar=night.calendar) for one in tasks]


def work_night(numbered: tuple[int, PeakTask]) -> tuple[int, PeakOrigin]:
    """One training of one of several nights, which its number tells."""
    number, task = numbered
    return number, work_origin(task)


def replay_night(
    night: Night, origins: Sequence[PeakOrigin], policies: Sequence[str]
) -> NightReplay:
    """What each policy ran; ``origins`` are the results of all of :func:`night_tasks`.

    Raises HistoryTooShort where nothing was observed in the window, and as ``named_policy`` does.
    """
    settings, step = night.settings, night.series.step
    whole, shown = ReplaySpan(night.series, night.begin), ReplaySpan(night.series, night.start)
    decisions = decide(night.series, origins, settings.lead_steps(step), (night.quantile,))
    oracle = replay_oracle(shown, settings)
    return NightReplay(
        night=night,
        span=shown,
        needed=settings.oracle_replicas(shown),
        lead_peak_rps=decisions.at(night.quantile)[-len(shown) :],
        live=decisions.live[-len(shown) :],
        policies=tuple(
            oracle if name == "oracle" else _run(name, night, whole, shown, decisions)
            for name in policies
        ),
        oracle=oracle,
        trained=tuple(sorted(one.cutoff for one in origins)),
        taught=decisions.taught,
        reasons=decisions.reasons,
    )


def _run(
    name: str, night: Night, whole: ReplaySpan, shown: ReplaySpan, decisions: PeakDecisions
) -> PolicyReplay:
    policy = named_policy(
        name,
        whole,
        decisions,
        night.quantile,
        hold_down=night.hold_down,
        timezone=night.timezone,
        utilisation=night.utilisation,
        events=floor_events(night.calendar, whole, night.settings.lead_time),
    )
    return replay_policy(whole, policy, night.settings, shown)
