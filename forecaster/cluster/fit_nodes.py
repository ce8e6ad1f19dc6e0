"""Plans against what nodes have to give, each pod on those that it may be placed on.

Workloads that may go to the same nodes are a group. The pods of a group, and of all that may go to
some of its nodes and to no other, must find their room on these; so must the pods of all groups on
the nodes of all. What is too much for a group is told of it alone, and not again of larger ones.

Room is counted as if pods could be split over nodes, so it is always "at least".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.cluster.fit_needs import Needs, Requested, largest
from forecaster.cluster.fit_warning import (
    Excess,
    FitWarning,
    Limit,
    amount_text,
    spans_above,
    tightest_first,
)
from forecaster.cluster.placing import ANYWHERE, Placement, Taint
from forecaster.cluster.planned import PlanGrid, Planned
from forecaster.cluster.seen import NodeSeen
from forecaster.traffic.history import FloatArray

__all__ = ["above_nodes"]

_KEYS = {"cpu": "requests.cpu", "memory": "requests.memory", "pods": "pods"}
_LAST_BITS = 1e-9


@dataclass(frozen=True, eq=False)
class _Pool:
    """Nodes that are alike to all placements."""

    nodes: list[NodeSeen] = field(default_factory=list)

    @property
    def taints(self) -> tuple[Taint, ...]:
        """What keeps pods off."""
        return self.nodes[0].taints

    def takes(self, placement: Placement | None) -> bool:
        """Whether such pods may come here; one of which nothing is known may be anywhere."""
        if placement is None:
            return True
        one = self.nodes[0]
        return placement.tolerates(one.taints) and placement.selects(one.labels)


@dataclass(eq=False)
class _Group:
    """Workloads whose pods may go to the same pools; ``name`` says which, if not to all."""

    pools: frozenset[int]
    name: str
    needs: Needs
    plans: list[Planned] = field(default_factory=list)


def above_nodes(
    grid: PlanGrid,
    plans: Sequence[Planned],
    nodes: Iterable[NodeSeen],
    others: Requested | None,
) -> Iterator[FitWarning]:
    """A warning for each group of workloads, the smaller ones first, and one for all nodes."""
    pools = _pools(plans, [one for one in nodes if one.schedulable and one.ready is not None])
    groups = _groups(grid, plans, pools)
    union = frozenset[int]().union(*(one.pools for one in groups))
    if groups and all(one.pools != union for one in groups):
        groups.append(_Group(union, "of all workloads", Needs(grid, _KEYS)))
    for group in sorted(groups, key=lambda one: (len(one.pools), one.name)):
        inside = [one for one in groups if one.pools < group.pools or one is group]
        beside = others if group.pools == union else None
        found = _above(grid, inside, group, pools, beside)
        if found is not None:
            yield found


def _above(
    grid: PlanGrid,
    inside: Sequence[_Group],
    group: _Group,
    pools: Sequence[_Pool],
    others: Requested | None,
) -> FitWarning | None:
    """The warning that all groups ``inside`` do not fit; what is told of it is taken off them."""
    parts, count = [], 0
    nodes = [one for at in sorted(group.pools) for one in pools[at].nodes]
    for resource, key in _KEYS.items():
        sizes = [float(getattr(one, resource)) for one in nodes]
        room = sum(sizes)
        needs = sum((one.needs.of(resource) for one in inside), np.zeros(len(grid)))
        beside = 0.0 if others is None else float(getattr(others, resource))
        spans = spans_above(grid, needs + beside, room)
        if not spans:
            continue
        parts.append(Excess(key, spans, room))
        size = float(np.median(sizes)) if sizes else 0.0
        if size > 0:
            missing = (parts[-1].wanted - room) / size
            count = max(count, int(np.ceil(missing * (1 - _LAST_BITS))))
        _take_off(inside, resource, needs, max(room - beside, 0.0))
    if not parts:
        return None
    first, *also = tightest_first(parts)
    resource = next(one for one, key in _KEYS.items() if key == first.resource)
    return FitWarning(
        limit=Limit.NODES,
        namespace="",
        name=group.name,
        resource=first.resource,
        spans=first.spans,
        allowed=first.allowed,
        fix=_fix((first, *also), nodes, count),
        hours_ahead=grid.hours_until(min(one.start for one in parts)),
        workloads=largest((one for of in inside for one in of.plans), first.peak_at, resource),
        used_by_others=0.0 if others is None else float(getattr(others, resource)),
        at_least=True,
        also=tuple(also),
    )


def _take_off(groups: Iterable[_Group], resource: str, needs: FloatArray, room: float) -> None:
    """What there is no room for on these nodes wants no other."""
    share = np.divide(room, needs, out=np.ones_like(needs), where=needs > room)
    for one in groups:
        values = one.needs.of(resource)
        values *= share


def _fix(parts: Sequence[Excess], nodes: Sequence[NodeSeen], count: int) -> str:
    missing = (
        f"{amount_text(one.resource, one.wanted - one.allowed, up=True)} more {one.resource}"
        for one in parts
    )
    fix = f"make room for {' and '.join(missing)}"
    if not nodes:
        return f"{fix}: there is no node that takes these pods"
    return f"{fix}: {count} more node{'' if count == 1 else 's'} like those there are"


def _pools(plans: Iterable[Planned], nodes: Iterable[NodeSeen]) -> list[_Pool]:
    keys = sorted({key for one in {_placement(one) for one in plans} if one for key in one.keys})
    found: dict[tuple[object, ...], _Pool] = {}
    for node in nodes:
        alike = (*(node.labels.get(key) for key in keys), frozenset(node.taints))
        found.setdefault(alike, _Pool()).nodes.append(node)
    return list(found.values())


def _groups(grid: PlanGrid, plans: Iterable[Planned], pools: Sequence[_Pool]) -> list[_Group]:
    by_placement: dict[Placement | None, _Group] = {}
    found: dict[tuple[frozenset[int], str], _Group] = {}
    for one in plans:
        placement = _placement(one)
        group = by_placement.get(placement)
        if group is None:
            at = frozenset(i for i, pool in enumerate(pools) if pool.takes(placement))
            name = _name(placement or ANYWHERE, [pools[i] for i in sorted(at)]) if pools else ""
            # Where a cluster has no node for two selectors, these are two causes.
            group = found.setdefault((at, "" if at else name), _Group(at, name, Needs(grid, _KEYS)))
            group.name = min(group.name, name, key=lambda name: (len(name), name))
            by_placement[placement] = group
        group.needs.add(one)
        group.plans.append(one)
    return list(found.values())


def _placement(one: Planned) -> Placement | None:
    return None if one.shape is None else one.shape.placement


def _name(placement: Placement, pools: Iterable[_Pool]) -> str:
    """Which nodes are meant, empty for ordinary ones; groups of different pools never share it."""
    tolerated = sorted({str(taint) for pool in pools for taint in pool.taints})
    said = [str(placement)] if placement.terms else []
    said += (f"tolerating {taint}" for taint in tolerated)
    return ", ".join(said)
