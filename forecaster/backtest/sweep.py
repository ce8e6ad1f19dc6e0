"""The settings that a frontier tries: one line of simulations for each value of a policy's knob.

Along a line the utilisation of the HPA beneath falls, so slack rises and unserved traffic falls.
The HPA alone is swept first; of the floors only what could still be better than it is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from forecaster.backtest.measures import slack_ratio, unserved_ratio
from forecaster.backtest.parallel import map_unordered
from forecaster.backtest.policies import Floor, Hpa, Policy, Setting
from forecaster.backtest.replay import simulate_floor
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan

__all__ = [
    "UNSERVED_TARGETS",
    "SweepTask",
    "SweptPoint",
    "crossing",
    "least_slack",
    "sweep",
    "sweep_all",
    "sweep_alone",
    "sweep_tasks",
]

UNSERVED_TARGETS = (0.01, 0.005, 0.002, 0.001)
"""The unserved ratios at which slack is compared."""

# Alone the HPA has nothing but this knob: finely, from less than is needed to 6 times as much.
# Nobody runs one at a target below 15 %; counting what it reaches there would flatter its rivals.
_ALONE = tuple(1.2 * 0.125 ** (n / 22) for n in range(23))
_ALONE_HALVINGS = 5
# At twice its capacity a replica's HPA says next to nothing.
_BENEATH = (2.0, 1.4, 1.15, 1.0, 0.85, 0.7, 0.6, 0.5, 0.4)
_BENEATH_HALVINGS = 3


@dataclass(frozen=True)
class SweptPoint:
    """One setting of one policy and what came of it."""

    policy: str
    setting: Setting
    unserved_ratio: float
    slack_ratio: float


@dataclass(frozen=True, eq=False)
class SweepTask:
    """One line: a policy whose own knob is set, over falling ``utilisations``. Picklable.

    ``halvings`` is how often each crossing of a target is halved. ``bounds`` has, for each of
    ``targets``, the slack that somebody else has there already, infinity where nobody reached it.
    """

    span: ReplaySpan
    policy: Policy
    settings: ReplaySettings
    utilisations: tuple[float, ...]
    halvings: int
    targets: tuple[float, ...]
    bounds: tuple[float, ...] = field(default=())

    def bound(self, target: float) -> float:
        """The slack to beat at a target."""
        return self.bounds[self.targets.index(target)] if self.bounds else math.inf


def sweep_alone(
    span: ReplaySpan, settings: ReplaySettings, targets: Sequence[float] = UNSERVED_TARGETS
) -> tuple[SweptPoint, ...]:
    """The HPA alone at its best: its utilisation to half a percent around each target.

    ValueError where a target is not between 0 and 1.
    """
    for target in targets:
        if not 0 < target < 1:
            raise ValueError(f"an unserved target lies between 0 and 1: 0.005, not {target}")
    return sweep(SweepTask(span, Hpa(), settings, _ALONE, _ALONE_HALVINGS, tuple(targets)))


def sweep_tasks(
    span: ReplaySpan,
    policies: Iterable[Policy],
    settings: ReplaySettings,
    alone: Sequence[SweptPoint],
    targets: Sequence[float] = UNSERVED_TARGETS,
) -> list[SweepTask]:
    """A line for each variant of each floor; ``alone`` is what :func:`sweep_alone` found.

    The lines do not depend on each other: ``map_unordered(sweep, tasks, jobs)`` runs them.
    Preroll is given once for each quantile.
    """
    best = [least_slack(alone, target) for target in targets]
    bounds = tuple(math.inf if one is None else one.slack_ratio for one in best)
    return [
        SweepTask(span, variant, settings, _BENEATH, _BENEATH_HALVINGS, tuple(targets), bounds)
        for policy in policies
        if not isinstance(policy, Hpa)
        for variant in policy.variants()
    ]


def sweep(task: SweepTask) -> tuple[SweptPoint, ...]:
    """The points tried along one line, by falling utilisation.

    The line ends with the first point below all targets, as what follows has more slack, or with
    the first whose slack can beat nobody. Between a point that misses a target and the next that
    reaches it the utilisation is halved in, on the logarithm, so that nobody is judged by the
    coarseness of the grid.
    """
    floor = task.policy.floor(task.span, task.settings)
    points: dict[float, SweptPoint] = {}
    for utilisation in task.utilisations:
        points[utilisation] = point = _point(task, floor, utilisation)
        open_targets = [one for one in task.targets if point.unserved_ratio > one]
        if not any(point.slack_ratio < task.bound(target) for target in open_targets):
            break
    for target in task.targets:
        for _ in range(task.halvings):
            between = crossing(points, target, task.bound(target))
            if between is None:
                break
            points[between] = _point(task, floor, between)
    return tuple(points[utilisation] for utilisation in sorted(points, reverse=True))


def sweep_all(
    span: ReplaySpan,
    policies: Sequence[Policy],
    settings: ReplaySettings,
    targets: Sequence[float] = UNSERVED_TARGETS,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[SweptPoint]:
    """Every point of the HPA alone and of every floor, with ``jobs`` processes.

    ``progress(done, total)`` counts lines. With several jobs the order of the points varies; a
    frontier does not depend on it.
    """
    points = list(sweep_alone(span, settings, targets))
    tasks = sweep_tasks(span, policies, settings, points, targets)
    if progress is not None:
        progress(1, 1 + len(tasks))
    for done, line in enumerate(map_unordered(sweep, tasks, jobs), start=2):
        points.extend(line)
        if progress is not None:
            progress(done, 1 + len(tasks))
    return points


def least_slack(points: Iterable[SweptPoint], target: float) -> SweptPoint | None:
    """Of the points whose unserved ratio is at most ``target``, the one with the least slack."""
    reached = [point for point in points if point.unserved_ratio <= target]
    return min(reached, key=lambda one: (one.slack_ratio, one.unserved_ratio), default=None)


def crossing(
    points: Mapping[float, SweptPoint], target: float, bound: float = math.inf
) -> float | None:
    """Between the highest utilisation that reaches the target and the next above it.

    ``points`` are by utilisation; between is the geometric mean. None where there are no such two,
    or where the upper one's slack is at ``bound`` or beyond already.
    """
    above = None
    for utilisation in sorted(points, reverse=True):
        if points[utilisation].unserved_ratio <= target:
            if above is None or points[above].slack_ratio >= bound:
                return None
            return math.sqrt(above * utilisation)
        above = utilisation
    return None


def _point(task: SweepTask, floor: Floor | None, utilisation: float) -> SweptPoint:
    ready = simulate_floor(task.span, floor, utilisation, task.settings).ready
    return SweptPoint(
        policy=task.policy.name,
        setting={**task.policy.setting, "utilisation": utilisation},
        unserved_ratio=unserved_ratio(ready, task.span, task.settings),
        slack_ratio=slack_ratio(ready, task.span, task.settings),
    )
