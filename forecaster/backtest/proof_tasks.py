"""The work of a proof, in pieces that processes can share: origins, then replays, then sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from forecaster.backtest.declared_floors import floor_events, workload_calendar
from forecaster.backtest.named import named_policy
from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.backtest.peak_origins import PeakOrigin, work_origin
from forecaster.backtest.peak_tasks import DayAheadAsked, PeakTask, peak_tasks, with_fleet_models
from forecaster.backtest.policies import DayAhead, Policy, Preroll
from forecaster.backtest.proof import FRONTIER_QUANTILES, ProofSettings
from forecaster.backtest.proof_parts import ORIGINS_EVERY, ProofPart
from forecaster.backtest.replay import PolicyReplay, replay_oracle, replay_policy
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.sweep import SweepTask, SweptPoint, sweep, sweep_alone, sweep_tasks
from forecaster.events import Event

__all__ = [
    "AloneTask",
    "LineTask",
    "ReplayResult",
    "ReplayTask",
    "SweptLine",
    "Task",
    "TaskResult",
    "declared_in",
    "levels_needed",
    "line_tasks",
    "origin_tasks_of",
    "replay_tasks",
    "work",
]


@dataclass(frozen=True, eq=False)
class ReplayTask:
    """One policy over one series' test, at its usual setting."""

    name: str
    span: ReplaySpan
    decisions: PeakDecisions
    settings: ReplaySettings
    quantile: float
    timezone: str
    utilisation: float
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """What came of a ReplayTask; without ``replay``, ``why_not``. The oracle has no ``policy``."""

    series_id: str
    name: str
    replay: PolicyReplay | None
    policy: Policy | None = None
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class AloneTask:
    """The HPA alone, swept: what all floors are measured against."""

    span: ReplaySpan
    settings: ReplaySettings


@dataclass(frozen=True, eq=False)
class LineTask:
    """One line of a floor's sweep."""

    line: SweepTask


@dataclass(frozen=True)
class SweptLine:
    """The points of one line, or of the HPA alone."""

    series_id: str
    points: tuple[SweptPoint, ...]


Task = PeakTask | ReplayTask | AloneTask | LineTask
TaskResult = PeakOrigin | ReplayResult | SweptLine


def levels_needed(asked: ProofSettings) -> tuple[float, ...]:
    """Every quantile that is decided: those scored, the replay's, and those of the frontier."""
    swept = FRONTIER_QUANTILES if asked.frontier and "preroll" in asked.policies else ()
    return tuple(sorted({*asked.levels, asked.quantile, *swept}))


def origin_tasks_of(
    parts: Sequence[ProofPart], asked: ProofSettings, day_ahead: DayAheadAsked | None
) -> Iterator[PeakTask]:
    """The trainings of all series, one by one; ``day_ahead`` is what each outlook is asked beside.

    Where a series of several has less than a day of its own, the fleet's model stands ready.
    """
    short = any(one.start - one.series.start < timedelta(days=1) for one in parts)
    tasks = (task for part in parts for task in _tasks(part, asked, day_ahead))
    yield from with_fleet_models(tasks) if short and len(parts) > 1 else tasks


def _tasks(
    part: ProofPart, asked: ProofSettings, day_ahead: DayAheadAsked | None
) -> Iterator[PeakTask]:
    tasks = peak_tasks(
        part.series,
        part.start,
        part.lead_steps,
        levels_needed(asked),
        every=ORIGINS_EVERY,
        timezone=asked.timezone,
    )
    calendar = workload_calendar(asked.calendar, part.series.series_id)
    for plain in tasks:
        task = replace(plain, calendar=calendar)
        if day_ahead is None or part.holdout is None:
            yield task
        else:
            left = len(part.series) - part.series.index_of(task.cutoff)
            steps = min(part.holdout.horizon_steps, left)
            yield replace(task, day_ahead=replace(day_ahead, steps=steps))


def replay_tasks(
    span: ReplaySpan, decisions: PeakDecisions, settings: ReplaySettings, asked: ProofSettings
) -> list[ReplayTask | AloneTask]:
    """Each policy asked for; for a frontier the HPA alone as well."""
    row = decisions.at(asked.quantile)[None]
    slim = replace(decisions, levels=(asked.quantile,), peak_rps=row)  # the rest weighs on pipes
    usual = asked.quantile, asked.timezone, asked.utilisation
    events = declared_in(span, asked)
    tasks: list[ReplayTask | AloneTask] = [
        ReplayTask(name, span, slim, settings, *usual, events if name == "preroll" else ())
        for name in asked.policies
    ]
    return [*tasks, AloneTask(span, settings)] if asked.frontier else tasks


def declared_in(span: ReplaySpan, asked: ProofSettings) -> tuple[Event, ...]:
    """The events with a floor that concern a series while it is replayed."""
    calendar = workload_calendar(asked.calendar, span.series.series_id)
    return floor_events(calendar, span, asked.lead_time)


def line_tasks(
    span: ReplaySpan,
    decisions: PeakDecisions,
    settings: ReplaySettings,
    replayed: Sequence[ReplayResult],
    alone: Sequence[SweptPoint],
) -> list[LineTask]:
    """The sweeps of every floor that was replayed, Preroll's at each quantile of the frontier."""
    floors: list[Policy] = []
    for one in replayed:
        if isinstance(one.policy, Preroll):
            floors += [
                replace(one.policy, quantile=level, lead_peak_rps=decisions.served(level))
                for level in sorted({*FRONTIER_QUANTILES, one.policy.quantile})
            ]
        elif one.policy is not None:
            floors.append(one.policy)
    return [LineTask(line) for line in sweep_tasks(span, floors, settings, alone)]


def work(task: Task) -> TaskResult:
    """Do any task of a proof."""
    match task:
        case PeakTask():
            return work_origin(task)
        case ReplayTask():
            return _replay(task)
        case AloneTask():
            points = sweep_alone(task.span, task.settings)
            return SweptLine(task.span.series.series_id, points)
        case LineTask():
            return SweptLine(task.line.span.series.series_id, sweep(task.line))


def _replay(task: ReplayTask) -> ReplayResult:
    series_id = task.span.series.series_id
    if task.name == "oracle":
        return ReplayResult(series_id, task.name, replay_oracle(task.span, task.settings))
    try:
        policy = named_policy(
            task.name,
            task.span,
            task.decisions,
            task.quantile,
            timezone=task.timezone,
            utilisation=task.utilisation,
            events=task.events,
        )
    except ModuleNotFoundError as error:
        return ReplayResult(series_id, task.name, None, why_not=str(error))
    if isinstance(policy, DayAhead) and np.isnan(policy.path_rps).all():
        why = "no day-ahead forecast could be made from what came before"
        return ReplayResult(series_id, task.name, None, why_not=why)
    replay = replay_policy(task.span, policy, task.settings)
    return ReplayResult(series_id, task.name, replay, policy)
