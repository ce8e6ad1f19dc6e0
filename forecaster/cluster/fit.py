"""Will it fit? Targets of the plans against maxima, quotas and nodes, hours ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from forecaster.cluster.fit_maximum import above_maximum
from forecaster.cluster.fit_needs import Requested
from forecaster.cluster.fit_nodes import above_nodes
from forecaster.cluster.fit_quota import above_quotas
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
    - Quotas: what those planned workloads of a namespace that a quota counts will ask for at each
      step, within the bounds of their objects, and what others use of it now, against what it
      allows: requests and limits of cpu and memory, and pods.
    - Nodes: the same of all namespaces against what the nodes have to give that take the pods, by
      their labels and taints. ``others`` is what pods of no planned workload request, such as those
      of DaemonSets; None where it is not known.

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
    for namespace, group in groupby(ordered, key=lambda one: one.namespace):
        if by_namespace[namespace]:
            found += above_quotas(grid, list(group), by_namespace[namespace])
    if nodes is not None:
        found += above_nodes(grid, ordered, nodes, others)
    return tuple(sorted(found, key=lambda one: (one.start, one.key)))
