"""Plans against the room that there is: ResourceQuotas and nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecaster.cluster.fit_warning import FitWarning, Limit, Span, amount_text, spans_above
from forecaster.cluster.planned import PlanGrid, Planned
from forecaster.cluster.seen import NodeSeen, QuotaSeen, Scaled
from forecaster.traffic.history import FloatArray

__all__ = ["Needs", "Requested", "above_nodes", "above_quota"]

_KEYS = {
    "requests.cpu": "cpu",
    "cpu": "cpu",
    "requests.memory": "memory",
    "memory": "memory",
    "pods": "pods",
    "count/pods": "pods",
}
_MOST_NAMED = 5
_LAST_BITS = 1e-9


@dataclass(frozen=True, slots=True)
class Requested:
    """Cores, bytes and pods that are requested of nodes."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: float = 0.0


class Needs:
    """What plans ask for at each step of a grid: cores, bytes and pods, each (steps,)."""

    def __init__(self, grid: PlanGrid) -> None:
        self._grid = grid
        self._of = {key: np.zeros(len(grid)) for key in ("cpu", "memory", "pods")}

    def add(self, one: Planned) -> None:
        """A workload's replicas, if nothing but the bounds of its object is in the way."""
        replicas = self._grid.values(one, np.clip(one.replicas, *one.bounds))
        for key, values in self._of.items():
            values += replicas * _each(one.scaled, key)

    def add_all(self, other: Needs) -> None:
        """The needs of others on top."""
        for key, values in self._of.items():
            values += other._of[key]

    def of(self, resource: str) -> FloatArray:
        """What is asked for of ``cpu``, ``memory`` or ``pods``."""
        return self._of[resource]


def above_quota(
    grid: PlanGrid, members: Sequence[Planned], needs: Needs, quota: QuotaSeen
) -> Iterator[FitWarning]:
    """A warning for each resource of a quota that plans of its namespace will exceed."""
    name = f"{quota.namespace}/{quota.name}"
    for key, resource in _KEYS.items():
        hard = quota.hard.get(key)
        if hard is None:
            continue
        own = sum(one.present * _each(one.scaled, resource) for one in members)
        beside = max(quota.used.get(key, 0.0) - own, 0.0)
        spans = spans_above(grid, needs.of(resource) + beside, hard)
        if not spans:
            continue
        peak = _highest(spans)
        before, after = amount_text(key, hard), amount_text(key, peak.wanted, up=True)
        yield FitWarning(
            limit=Limit.QUOTA,
            namespace=quota.namespace,
            name=quota.name,
            resource=key,
            spans=spans,
            allowed=hard,
            fix=f"raise {key} of quota {name} from {before} to {after}",
            hours_ahead=grid.hours_until(spans[0].start),
            workloads=_largest(members, peak.peak_at, resource),
            used_by_others=beside,
            at_least=any(one.scaled is None for one in members),
        )


def above_nodes(
    grid: PlanGrid,
    plans: Sequence[Planned],
    needs: Needs,
    nodes: Iterable[NodeSeen],
    others: Requested | None,
) -> Iterator[FitWarning]:
    """A warning for each resource of which schedulable nodes have not enough for all plans."""
    usable = [one for one in nodes if one.schedulable and one.ready is not None]
    for resource, key in (("cpu", "requests.cpu"), ("memory", "requests.memory"), ("pods", "pods")):
        beside = 0.0 if others is None else float(getattr(others, resource))
        sizes = [float(getattr(one, resource)) for one in usable]
        spans = spans_above(grid, needs.of(resource) + beside, sum(sizes))
        if not spans:
            continue
        peak = _highest(spans)
        missing = peak.wanted - sum(sizes)
        fix = f"make room for {amount_text(key, missing, up=True)} more {key}"
        size = float(np.median(sizes)) if sizes else 0.0
        if size > 0:
            count = int(np.ceil(missing / size * (1 - _LAST_BITS)))
            fix += f": {count} more node{'' if count == 1 else 's'} like those there are"
        yield FitWarning(
            limit=Limit.NODES,
            namespace="",
            name="",
            resource=key,
            spans=spans,
            allowed=sum(sizes),
            fix=fix,
            hours_ahead=grid.hours_until(spans[0].start),
            workloads=_largest(plans, peak.peak_at, resource),
            used_by_others=beside,
            at_least=True,
        )


def _each(scaled: Scaled | None, resource: str) -> float:
    """What one pod takes; nothing but its place where its requests are not known."""
    if resource == "pods":
        return 1.0
    return 0.0 if scaled is None else float(getattr(scaled, resource))


def _highest(spans: Sequence[Span]) -> Span:
    return max(spans, key=lambda span: span.wanted)


def _largest(plans: Iterable[Planned], at: datetime, resource: str) -> tuple[str, ...]:
    """The workloads that ask for most of a resource at an instant, at most five."""
    shares = []
    for one in plans:
        index = (at - one.start) // one.step
        if 0 <= index < len(one.replicas):
            least, most = one.bounds
            count = max(int(one.replicas[index]), least)
            count = count if most is None else min(count, most)
            shares.append((-count * _each(one.scaled, resource), one.workload))
    return tuple(workload for share, workload in sorted(shares)[:_MOST_NAMED] if share < 0)
