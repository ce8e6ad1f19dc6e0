"""What the plans of workloads ask for, beside what the cluster says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import AutoscalerSeen, Scaled, ScaledObjectSeen
from forecaster.planning import IntArray, Plan, replicas_for
from forecaster.planning.event_floor import planned_floors
from forecaster.planning.hold import hold
from forecaster.planning.limits import MOST_REPLICAS

__all__ = ["PlanGrid", "Planned", "planned"]

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """The targets of one workload, step by step from ``start`` on.

    ``replicas`` is what the plan asks for, ``wanted`` the same without ``max_replicas`` of the
    settings; the same array where nothing is cut. The rest is what is seen of it now, None where it
    is not read; ``pods`` are those that exist, for replicas that a quota refuses do not, and
    ``running`` is the shape of the newest of them.
    """

    namespace: str
    name: str
    start: datetime
    step: timedelta
    replicas: IntArray
    wanted: IntArray
    max_replicas: int
    scaled: Scaled | None = None
    scaled_object: ScaledObjectSeen | None = None
    autoscaler: AutoscalerSeen | None = None
    pods: int | None = None
    running: PodShape | None = None

    @property
    def shape(self) -> PodShape | None:
        """What a pod of it is like: as the newest one is, for admission may have made more of it
        than the template says; else as the template says; None where neither is known.
        """
        if self.running is not None:
            return self.running
        return None if self.scaled is None else self.scaled.pod

    @property
    def workload(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def present(self) -> int:
        """The pods that take room now, as far as it is known."""
        if self.pods is not None:
            return self.pods
        return 0 if self.scaled is None else self.scaled.replicas

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The least and the most replicas of KEDA's object, or of an HPA without one."""
        if self.scaled_object is not None:
            return self.scaled_object.min_replicas, self.scaled_object.max_replicas
        if self.autoscaler is not None:
            return self.autoscaler.min_replicas, self.autoscaler.max_replicas
        return 0, None


def planned(
    namespace: str,
    name: str,
    plan: Plan,
    scaled: Scaled | None = None,
    scaled_object: ScaledObjectSeen | None = None,
    autoscaler: AutoscalerSeen | None = None,
    pods: int | None = None,
    running: PodShape | None = None,
) -> Planned:
    """A plan with what is seen of its workload; floors of events are in it."""
    rule, step = plan.rule, plan.outlook.step
    wanted = plan.replicas
    if int(plan.needed.max()) >= rule.max_replicas:
        free = replace(rule, max_replicas=MOST_REPLICAS)
        floors = planned_floors(plan.events, free, plan.start, step, len(plan))
        needed = np.maximum(replicas_for(plan.peak_rps, free), floors)
        wanted = np.maximum(hold(needed, rule.hold_steps(step)), plan.replicas)
    return Planned(
        namespace,
        name,
        plan.start,
        step,
        plan.replicas,
        wanted,
        rule.max_replicas,
        scaled,
        scaled_object,
        autoscaler,
        pods,
        running,
    )


class PlanGrid:
    """The steps that plans of any step and start are compared on: the finest step of all, from the
    one that holds ``now`` on, to the end of the last plan.
    """

    def __init__(self, now: datetime, plans: Sequence[Planned]) -> None:
        self.now = now
        self.step = min((one.step for one in plans), default=timedelta(minutes=1))
        first = min((one.start for one in plans if one.step == self.step), default=now)
        self.start = first + (now - first) // self.step * self.step
        ends = (one.start + len(one.replicas) * one.step for one in plans)
        self._count = max(-((self.start - max(ends, default=now)) // self.step), 0)
        self._places: dict[tuple[datetime, timedelta, int], IntArray] = {}

    def __len__(self) -> int:
        return self._count

    def at(self, index: int) -> datetime:
        """When a step begins."""
        return self.start + index * self.step

    def hours_until(self, at: datetime) -> float:
        """From now on; 0 for what has begun."""
        return max((at - self.now) / timedelta(hours=1), 0.0)

    def values(self, one: Planned, values: IntArray) -> IntArray:
        """A workload's values on the steps of the grid, (steps,); 0 where its plan says nothing."""
        key = (one.start, one.step, len(values))
        places = self._places.get(key)
        if places is None:
            offset = (self.start - one.start) // _MICROSECOND
            ticks = np.arange(self._count, dtype=np.int64) * (self.step // _MICROSECOND)
            places = (ticks + offset) // (one.step // _MICROSECOND)
            outside = (places < 0) | (places >= len(values))
            places[outside] = len(values)
            self._places[key] = places
        told: IntArray = np.append(values, 0)[places]
        return told
