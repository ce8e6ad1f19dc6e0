"""A proof from past traffic: the work in its order, and what is found put together.

What is found is kept as it comes, so that work which is stopped has not been in vain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.backtest.baselines import Baseline
from forecaster.backtest.parallel import map_unordered
from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import DayAheadAsked, PeakOrigin
from forecaster.backtest.proof import ProofSettings
from forecaster.backtest.proof_parts import ProofPart
from forecaster.backtest.proof_tasks import (
    ReplayResult,
    SweptLine,
    Task,
    TaskResult,
    levels_needed,
    line_tasks,
    origin_tasks_of,
    replay_tasks,
    work,
)
from forecaster.backtest.replay_settings import ReplaySettings, auto_capacity
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.sweep import SweptPoint
from forecaster.errors import HistoryTooShort

__all__ = ["Findings", "ProofPlan", "find", "make_decisions", "observed_span", "series_settings"]

# One unit is one simulated step of one policy, which takes some six microseconds.
_TRAINING = 60_000.0
_TRAINING_PER_STEP = 25.0
_DECIDING = 7.0
_FORESEEN_LINES = {"schedule": 7, "exporter": 5, "outlook": 7, "holt_winters": 7, "prophet": 7}
_FORESEEN_LINES_OF_PREROLL = 15
_SIMULATIONS_OF_A_LINE = 8
_SIMULATIONS_ALONE = 30
# Below this the processes would take longer to come up than the work takes.
_WORTH_PROCESSES = 400_000.0


@dataclass(frozen=True, eq=False)
class ProofPlan:
    """What is to be found out.

    ``quantiles`` are those of the day-ahead forecasts, scored beside the ``baselines``;
    ``left_out`` are series of which nothing can be said, and why.
    """

    asked: ProofSettings
    parts: Sequence[ProofPart]
    left_out: Mapping[str, str] = field(default_factory=dict)
    quantiles: tuple[float, ...] = (0.5,)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)

    @property
    def origins(self) -> int:
        """How many trainings there are."""
        return sum(part.origins for part in self.parts)


@dataclass(eq=False)
class Findings:
    """All that is known so far, by series; ``done`` and ``total`` count work."""

    origins: dict[str, list[PeakOrigin]] = field(default_factory=dict)
    decisions: dict[str, PeakDecisions] = field(default_factory=dict)
    replays: dict[str, dict[str, ReplayResult]] = field(default_factory=dict)
    points: dict[str, list[SweptPoint]] = field(default_factory=dict)
    swept: bool = False

    @property
    def trained(self) -> int:
        """How many trainings are done."""
        return sum(len(one) for one in self.origins.values())


def find(
    plan: ProofPlan,
    findings: Findings,
    jobs: int = 1,
    progress: Callable[[float, float], None] | None = None,
) -> None:
    """Do all the work of the plan, with ``jobs`` processes, and fill ``findings``.

    ``progress(done, total)`` is told after each piece, in units of equal time, more or less.
    """
    asked, meter = plan.asked, _Meter(_foreseen(plan), progress)
    day_ahead = DayAheadAsked(1, plan.quantiles, plan.baselines)
    training = _training_cost(plan)
    origins = origin_tasks_of(plan.parts, asked, day_ahead)
    for result in map_unordered(work, origins, min(jobs, plan.origins)):
        if isinstance(result, PeakOrigin):
            findings.origins.setdefault(result.series_id, []).append(result)
            meter.add(training[result.series_id])
    ready: dict[str, tuple[ReplaySpan, PeakDecisions, ReplaySettings]] = {}
    for part in plan.parts:
        name = part.series.series_id
        findings.decisions[name] = decisions = make_decisions(part, findings.origins[name], asked)
        meter.add(_DECIDING * part.steps)
        span = observed_span(part)
        if span is not None:
            ready[name] = span, decisions, series_settings(part, asked)[0]
    alone: dict[str, tuple[SweptPoint, ...]] = {}
    tasks = [task for one in ready.values() for task in replay_tasks(*one, asked)]
    per_replay = meter.left_each(len(tasks)) if not asked.frontier else None
    for result in _share(tasks, sum(len(one[0]) for one in ready.values()) * 6.0, jobs):
        if isinstance(result, ReplayResult):
            findings.replays.setdefault(result.series_id, {})[result.name] = result
            steps = len(ready[result.series_id][0])
            meter.add(steps if per_replay is None else per_replay)
        elif isinstance(result, SweptLine):
            alone[result.series_id] = result.points
            findings.points.setdefault(result.series_id, []).extend(result.points)
            meter.add(_SIMULATIONS_ALONE * len(ready[result.series_id][0]))
    if asked.frontier:
        lines = [
            line
            for name, one in ready.items()
            for line in line_tasks(*one, list(findings.replays[name].values()), alone[name])
        ]
        each = meter.left_each(len(lines))
        for result in _share(lines, math.inf, jobs):
            if isinstance(result, SweptLine):
                findings.points[result.series_id].extend(result.points)
                meter.add(each)
        findings.swept = True


def make_decisions(
    part: ProofPart, origins: Sequence[PeakOrigin], asked: ProofSettings
) -> PeakDecisions:
    """The decisions of one series, from its first origin on as far as they follow each other.

    ValueError where the first is not there.
    """
    following: list[PeakOrigin] = []
    due = part.start
    for origin in sorted(origins, key=lambda one: one.cutoff):
        if origin.cutoff == due:
            following.append(origin)
            due += len(origin.location) * part.series.step
    if not following:
        raise ValueError(f"{part.series.series_id}: no model of {part.start} is there")
    return decide(part.series, following, part.lead_steps, levels_needed(asked))


def observed_span(part: ProofPart) -> ReplaySpan | None:
    """What is replayed of a series; None where nothing was observed in its test."""
    try:
        return ReplaySpan(part.series, part.start)
    except HistoryTooShort:
        return None


def series_settings(part: ProofPart, asked: ProofSettings) -> tuple[ReplaySettings, str]:
    """The replay's settings, and in words why the capacity is not what was asked for.

    Without any traffic in the test, the highest before it needs 100 replicas.
    """
    capacity, why = asked.capacity_rps, ""
    if capacity is None:
        span = observed_span(part)
        if span is not None and np.nanmax(span.rate_rps) > 0:
            capacity = auto_capacity(span)
        else:
            peak = float(np.nanmax(part.series.rate_rps))
            capacity = (peak or 1.0 / part.series.step_seconds) / 100
            why = (
                f"no traffic was seen in the test, so capacity is {capacity:.4g} rps, from the "
                "traffic before it"
            )
    settings = ReplaySettings(
        capacity,
        lead_time=asked.lead_time,
        min_replicas=asked.min_replicas,
        max_replicas=asked.max_replicas,
        tolerance_ratio=asked.tolerance_ratio,
        startup_seconds=asked.startup_seconds,
        price_per_replica_hour=asked.price_per_replica_hour,
    )
    return settings, why


class _Meter:
    """Counts work; what was foreseen is a guess, and what is left is shared out again."""

    def __init__(self, total: float, progress: Callable[[float, float], None] | None) -> None:
        self._done, self._total, self._progress = 0.0, total, progress

    def add(self, cost: float) -> None:
        self._done = min(self._total, self._done + cost)
        if self._progress is not None:
            self._progress(self._done, self._total)

    def left_each(self, pieces: int) -> float:
        """The share of what is left for each of the last ``pieces``."""
        return (self._total - self._done) / max(pieces, 1)


def _share(tasks: Sequence[Task], cost: float, jobs: int) -> Iterator[TaskResult]:
    few = cost < _WORTH_PROCESSES or len(tasks) < 2
    return map_unordered(work, tasks, 1 if few else min(jobs, len(tasks)))


def _training_cost(plan: ProofPlan) -> dict[str, float]:
    return {
        part.series.series_id: _TRAINING
        + _TRAINING_PER_STEP * min(30_000, part.series.index_of(part.start))
        for part in plan.parts
    }


def _foreseen(plan: ProofPlan) -> float:
    asked = plan.asked
    simulations = float(len(asked.policies))
    if asked.frontier:
        lines = sum(_FORESEEN_LINES.get(name, 0) for name in asked.policies)
        if "preroll" in asked.policies:
            lines += _FORESEEN_LINES_OF_PREROLL
        simulations += _SIMULATIONS_ALONE + lines * _SIMULATIONS_OF_A_LINE
    cost = _training_cost(plan)
    return sum(
        part.origins * cost[part.series.series_id] + part.steps * (_DECIDING + simulations)
        for part in plan.parts
    )
