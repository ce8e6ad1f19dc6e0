"""Plans against the most replicas that settings and KEDA's object allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from forecaster.cluster.fit_warning import FitWarning, Limit, spans_above
from forecaster.cluster.planned import PlanGrid, Planned

__all__ = ["above_maximum"]


def above_maximum(grid: PlanGrid, plans: Iterable[Planned]) -> Iterator[FitWarning]:
    """A warning for each workload whose plan wants more than may be."""
    for one in plans:
        most = one.bounds[1]
        allowed = one.max_replicas if most is None else min(one.max_replicas, most)
        if int(one.wanted.max(initial=0)) <= allowed:
            continue
        spans = spans_above(grid, grid.values(one, one.wanted).astype(np.float64), allowed)
        if spans:
            yield FitWarning(
                limit=Limit.MAXIMUM,
                namespace=one.namespace,
                name=one.name,
                resource="replicas",
                spans=spans,
                allowed=float(allowed),
                fix=_fix(one, most, round(max(span.wanted for span in spans))),
                hours_ahead=grid.hours_until(spans[0].start),
                workloads=(one.workload,),
            )


def _fix(one: Planned, most: int | None, wanted: int) -> str:
    """The change that would do: of KEDA's object, of an HPA, of the settings, or of both."""
    of_object = ""
    if most is not None and most < wanted:
        if one.scaled_object is not None:
            name = f"{one.namespace}/{one.scaled_object.name}"
            of_object = f"maxReplicaCount of ScaledObject {name}"
        elif one.autoscaler is not None:
            of_object = f"maxReplicas of HPA {one.namespace}/{one.autoscaler.name}"
    own = f"max_replicas of {one.workload}" if one.max_replicas < wanted else ""
    if own and one.max_replicas == most:
        # A workload that its ScaledObject declares takes the object's own maximum.
        return f"set {of_object} (and {own}, where it is set) to {wanted} or more"
    return f"set {' and '.join(filter(None, (of_object, own)))} to {wanted} or more"
