"""What plans ask for at each step, in cores, bytes and pods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecaster.cluster.planned import PlanGrid, Planned
from forecaster.cluster.pod_shape import PodShape
from forecaster.traffic.history import FloatArray

__all__ = ["RESOURCES", "Needs", "Requested", "largest", "of_a_pod"]

RESOURCES = ("cpu", "memory", "limit_cpu", "limit_memory", "pods")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Requested:
    """Cores, bytes and pods that are requested of nodes."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: float = 0.0


class Needs:
    """What some workloads ask for at each step of a grid: an array, (steps,), for each resource."""

    def __init__(self, grid: PlanGrid, resources: Iterable[str] = RESOURCES) -> None:
        self._grid = grid
        self._of = {key: np.zeros(len(grid)) for key in resources}

    def add(self, one: Planned) -> None:
        """A workload's replicas, if nothing but the bounds of its object is in the way."""
        replicas = self._grid.values(one, np.clip(one.replicas, *one.bounds))
        for key, values in self._of.items():
            values += replicas * of_a_pod(one.shape, key)

    def of(self, resource: str) -> FloatArray:
        """What is asked for of one of RESOURCES."""
        return self._of[resource]


def of_a_pod(shape: PodShape | None, resource: str) -> float:
    """What one pod takes; nothing but its place where its requests are not known."""
    if resource == "pods":
        return 1.0
    return 0.0 if shape is None else float(getattr(shape, resource))


def largest(plans: Iterable[Planned], at: datetime, resource: str) -> tuple[str, ...]:
    """The workloads that ask for most of a resource at an instant, at most five."""
    shares = []
    for one in plans:
        index = (at - one.start) // one.step
        if 0 <= index < len(one.replicas):
            least, most = one.bounds
            count = max(int(one.replicas[index]), least)
            count = count if most is None else min(count, most)
            shares.append((-count * of_a_pod(one.shape, resource), one.workload))
    return tuple(workload for share, workload in sorted(shares)[:_MOST_NAMED] if share < 0)
