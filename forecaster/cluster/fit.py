"""Will it fit? Targets of the plans against maxima, quotas and nodes, hours ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from forecaster.cluster.fit_maximum import above_maximum
from forecaster.cluster.fit_room import Needs, Requested, above_nodes, above_quota
from forecaster.cluster.fit_warning import FitWarning
from forecaster.cluster.planned import PlanGrid, Planned
from forecaster.cluster.seen import NodeSeen, QuotaSeen

__all__ = ["capacity_warnings"]


def capacity_warnings(
    now: datetime,
    plans: Sequence[Planned],
    quotas: Iterable[QuotaSeen] = (),
    nodes: Iterable[NodeSeen] | None = None,
    others: Requested | None = None,
) -> tuple[FitWarning, ...]:
    """What will not fit from ``now`` to the end of the plans; the soonest first.

    - Maxima: what a plan wants without any, against ``max_replicas`` of the settings and the
      maximum of KEDA's object or HPA.
    - Quotas: what all planned workloads of a namespace will ask for at each step, within the bounds
      of their objects, and what others use of the quota now, against what it allows. Only requests
      and pods are compared; a quota's scopes are not known.
    - Nodes: the same of all namespaces against what schedulable nodes have to give. ``others`` is
      what pods of no planned workload request, such as those of DaemonSets; None where it is not
      known. Room is counted as if pods could be split over nodes, so it is always "at least".

    A plan is a floor: what other triggers ask for beyond it is not known ahead.
    """
    ordered = sorted(plans, key=lambda one: (one.namespace, one.name))
    grid = PlanGrid(now, ordered)
    if not len(grid):
        return ()
    by_namespace: dict[str, list[QuotaSeen]] = defaultdict(list)
    for quota in quotas:
        by_namespace[quota.namespace].append(quota)
    found = list(above_maximum(grid, ordered))
    everywhere = Needs(grid)
    for namespace, group in groupby(ordered, key=lambda one: one.namespace):
        members, needs = list(group), Needs(grid)
        if nodes is None and not by_namespace[namespace]:
            continue
        for one in members:
            needs.add(one)
        everywhere.add_all(needs)
        for quota in by_namespace[namespace]:
            found += above_quota(grid, members, needs, quota)
    if nodes is not None:
        found += above_nodes(grid, ordered, everywhere, nodes, others)
    return tuple(sorted(found, key=lambda one: (one.start, one.key)))
