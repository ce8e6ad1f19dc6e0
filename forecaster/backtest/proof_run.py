"""A proof from past traffic: the work in its order, and what is found put together.

What is found is kept as it comes, so that work which is stopped has not been in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.backtest.baselines import Baseline
from forecaster.backtest.parallel import map_unordered
from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import PeakOrigin
from forecaster.backtest.peak_tasks import DayAheadAsked
from forecaster.backtest.proof import ProofSettings
from forecaster.backtest.proof_cost import (
    Meter,
    alone_cost,
    deciding_cost,
    foreseen,
    replay_cost,
    training_cost,
)
from forecaster.backtest.proof_parts import ProofPart
from forecaster.backtest.proof_tasks import (
    ReplayResult,
    SweptLine,
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
    """All that is known so far, by series; ``swept`` is whether the frontier is complete."""

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
    meter = Meter(foreseen(plan.asked, plan.parts), progress)
    _train(plan, findings, jobs, meter)
    ready = _decide(plan, findings, meter)
    _replay(plan.asked, ready, findings, jobs, meter)
    if plan.asked.frontier:
        _sweep(ready, findings, jobs, meter)


_Ready = dict[str, tuple[ReplaySpan, PeakDecisions, ReplaySettings]]
"""By series: what can be replayed."""


def _train(plan: ProofPlan, findings: Findings, jobs: int, meter: Meter) -> None:
    cost = {part.series.series_id: training_cost(part) for part in plan.parts}
    day_ahead = DayAheadAsked(1, plan.quantiles, plan.baselines)
    tasks = origin_tasks_of(plan.parts, plan.asked, day_ahead)
    for result in map_unordered(work, tasks, min(jobs, plan.origins)):
        if isinstance(result, PeakOrigin):
            findings.origins.setdefault(result.series_id, []).append(result)
            meter.add(cost[result.series_id])


def _decide(plan: ProofPlan, findings: Findings, meter: Meter) -> _Ready:
    ready: _Ready = {}
    for part in plan.parts:
        name = part.series.series_id
        decisions = make_decisions(part, findings.origins[name], plan.asked)
        findings.decisions[name] = decisions
        meter.add(deciding_cost(part.steps))
        span = observed_span(part)
        if span is not None:
            ready[name] = span, decisions, series_settings(part, plan.asked)[0]
    return ready


def _replay(
    asked: ProofSettings, ready: _Ready, findings: Findings, jobs: int, meter: Meter
) -> None:
    tasks = [task for one in ready.values() for task in replay_tasks(*one, asked)]
    steps = {name: len(span) for name, (span, _, _) in ready.items()}
    cost = sum(alone_cost(count) * asked.frontier for count in steps.values()) + sum(
        replay_cost(name, count) for name in asked.policies for count in steps.values()
    )
    for result in map_unordered(work, tasks, jobs if cost > _WORTH_PROCESSES else 1):
        if isinstance(result, ReplayResult):
            findings.replays.setdefault(result.series_id, {})[result.name] = result
            meter.add(replay_cost(result.name, steps[result.series_id]))
        elif isinstance(result, SweptLine):
            findings.points[result.series_id] = list(result.points)
            meter.add(alone_cost(steps[result.series_id]))


def _sweep(ready: _Ready, findings: Findings, jobs: int, meter: Meter) -> None:
    lines = [
        line
        for name, one in ready.items()
        for line in line_tasks(
            *one, list(findings.replays.get(name, {}).values()), findings.points[name]
        )
    ]
    each = meter.left_each(len(lines))
    for result in map_unordered(work, lines, min(jobs, max(1, len(lines)))):
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
            why = "no traffic was seen in the test; the traffic before it sets the capacity"
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
