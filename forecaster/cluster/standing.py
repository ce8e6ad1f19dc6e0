"""How a workload stands towards its target, and why it falls short of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from forecaster.cluster.seen import AutoscalerSeen, Scaled, ScaledObjectSeen

__all__ = ["Reason", "Shortfall", "Standing", "shortfall"]

_TOLERANCE = 0.1
"""The HPA's, where the object sets none."""


class Reason(StrEnum):
    """Why fewer replicas are ready than should be.

    ``quota``: a ResourceQuota refuses the pods; ``refused``: something else that admits pods does;
    ``max``: the HPA's maximum is below the target; ``dead band``: so near that the HPA ignores it;
    ``paused``: KEDA is told to leave the workload alone; ``hpa``: the HPA asks for fewer, for a
    reason of its own. A store keeps their places: a new one goes to the end.
    """

    PAUSED = "paused"
    MAX = "max"
    DEAD_BAND = "dead band"
    HPA = "not scaled by the HPA"
    QUOTA = "quota"
    REFUSED = "refused"
    UNSCHEDULABLE = "unschedulable"
    SLOW_PODS = "slow pods"


@dataclass(frozen=True, slots=True)
class Standing:
    """A workload at one instant: ``replicas`` pods are asked for by it, ``ready`` are ready.

    ``desired`` is what the HPA last decided, ``max_replicas`` its bound, ``tolerance`` its dead
    band upwards in parts of 1; ``limited`` and ``stuck`` are its own reasons. None where there is
    no HPA to read. ``refused`` is why pods are not made, ``unschedulable`` why they find no node.
    """

    ready: int
    replicas: int
    desired: int | None = None
    max_replicas: int | None = None
    tolerance: float = _TOLERANCE
    limited: str | None = None
    stuck: str | None = None
    refused: str | None = None
    unschedulable: str | None = None
    paused: bool = False

    @classmethod
    def seen(
        cls,
        ready: int,
        scaled: Scaled | None,
        autoscaler: AutoscalerSeen | None = None,
        scaled_object: ScaledObjectSeen | None = None,
        unschedulable: str | None = None,
    ) -> Standing:
        """From what is read of the cluster; ``unschedulable`` is the message of one of its pods.

        ``ready`` counts its ready pods; ``scaled`` is None for what is neither a Deployment nor a
        StatefulSet.
        """
        paused = scaled_object is not None and scaled_object.paused
        replicas, refused = ready, None
        if scaled is not None:
            replicas, refused = scaled.replicas, scaled.refused
        elif autoscaler is not None:
            replicas = autoscaler.current
        if autoscaler is None:
            return cls(
                ready,
                replicas,
                max_replicas=None if scaled_object is None else scaled_object.max_replicas,
                refused=refused,
                unschedulable=unschedulable,
                paused=paused,
            )
        tolerance = autoscaler.tolerance_up
        return cls(
            ready,
            replicas,
            autoscaler.desired,
            autoscaler.max_replicas,
            _TOLERANCE if tolerance is None else tolerance,
            autoscaler.limited,
            autoscaler.stuck,
            refused,
            unschedulable,
            paused,
        )


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why ``missing`` replicas are not ready; ``detail`` is one line for people."""

    missing: int
    reason: Reason
    detail: str


def shortfall(due: int, standing: Standing) -> Shortfall | None:
    """Why fewer than ``due`` replicas are ready, or None where they are.

    What stands first on the way from the target to the pod is the reason: nobody asks for the pods
    (paused, max, dead band, the HPA), then nobody makes them (quota, refused), then they find no
    node, and at last they are slow.

    At 91 replicas of 100, without a tolerance of its own, the HPA sees 1.099 and does nothing:

    >>> shortfall(100, Standing(ready=91, replicas=91, desired=91, max_replicas=200))
    Shortfall(missing=9, reason=<Reason.DEAD_BAND: 'dead band'>, detail='100 is within 10 % of 91')
    """
    missing = due - standing.ready
    if missing <= 0:
        return None
    reason, detail = _why(due, standing)
    return Shortfall(missing, reason, detail)


def _why(due: int, standing: Standing) -> tuple[Reason, str]:
    desired = standing.replicas if standing.desired is None else standing.desired
    if desired < due:
        return _not_asked(due, desired, standing)
    if standing.refused is not None:
        quota = "exceeded quota" in standing.refused
        return (Reason.QUOTA if quota else Reason.REFUSED), standing.refused
    if standing.unschedulable is not None:
        return Reason.UNSCHEDULABLE, standing.unschedulable
    return Reason.SLOW_PODS, f"{desired} are asked for, {standing.ready} are ready"


def _not_asked(due: int, desired: int, standing: Standing) -> tuple[Reason, str]:
    if standing.paused:
        return Reason.PAUSED, f"the ScaledObject is paused at {desired}"
    most = standing.max_replicas
    if most is not None and most < due:
        return Reason.MAX, f"the maximum is {most}, {due} are due"
    if standing.stuck is not None:
        return Reason.HPA, standing.stuck
    current = standing.replicas
    near = current > 0 and due / current <= 1 + standing.tolerance
    if desired == current and near:
        return Reason.DEAD_BAND, f"{due} is within {standing.tolerance * 100:g} % of {current}"
    return Reason.HPA, standing.limited or f"it asks for {desired}, {due} are due"
