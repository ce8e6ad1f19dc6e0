"""How many placeholder pods hold places for a workload now: what KEDA gets for its head-room.

Placeholders cost nodes and nothing depends on them, so whatever is in doubt is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from forecaster.cluster.headroom import placeholder
from forecaster.cluster.lead_time import scaling_delay
from forecaster.durations import format_duration
from forecaster.planning import Mode, Plan
from forecaster.planning.snapshot import WorkloadState
from forecaster.worker.cluster_messages import SeenWorkload
from forecaster.worker.cluster_view import ClusterWorkload

__all__ = ["Headroom", "headroom_of"]


@dataclass(frozen=True)
class Headroom:
    """How many placeholders to ask for, 0 or more, and why."""

    replicas: int
    reasons: tuple[str, ...]


def headroom_of(
    now: datetime, state: WorkloadState, known: ClusterWorkload, node_lead_time: timedelta
) -> Headroom:
    """The placeholders of one workload at ``now``.

    0 in shadow and off mode, without a plan, and where the lead time covers a new node. The time on
    a new node is measured (p95 of the start-ups that waited for one, and the HPA's delay) or else
    ``node_lead_time``. Pods that exist have their places, or make the cluster look for them, ready
    or not: so they count as there, as do those that are asked for now, and those that the plan asks
    for within the HPA's delay, for placeholders that outlive their use would be pending, and bring
    nodes of their own. Together with the pods there are never more than the maximum allows.

    A plan that asks for 10 now and for 35 in 3 minutes, 12 pods, a lead time of 2 minutes and 6 on
    a new node: 35 − 12 = 23.
    """
    mode, plan = state.rule.mode, state.plan
    if mode is not Mode.ACTIVE:
        return _none(f"{mode.value}: no target is served, so nothing is held for it")
    if plan is None:
        return _none(f"no plan: {state.reason or 'not trained yet'}")
    if not plan.covers(now):
        return _none(f"the plan covers {_clock(plan.start)} to {_clock(plan.end)}, not now")
    seen = known.seen
    if seen is not None and seen.scaled_object is not None and seen.scaled_object.paused:
        return _none("the ScaledObject is paused: no pod is to come")
    lead = plan.rule.lead_time
    node_lead, source = _node_lead(known, node_lead_time)
    if node_lead <= lead:
        return _none(
            f"the lead time of {format_duration(lead)} covers a new node "
            f"({format_duration(node_lead)}, {source})"
        )
    there, told = _there(now, state, plan, seen)
    most = _most(state, seen)
    asked = placeholder(now, plan, there, lead, node_lead)
    until = _clock(now + node_lead - lead)
    ahead = (
        f"a new node takes {format_duration(node_lead)} ({source}), "
        f"{format_duration(node_lead - lead)} more than the lead time"
    )
    if not asked:
        return _none(f"no more than {told} are planned until {until}", ahead)
    held = max(min(asked, most - there), 0)
    reasons = [f"highest target until {until} {asked + there} − {told} = {asked}", ahead]
    if held < asked:
        reasons.append(f"limited to {held}: the maximum is {most}")
    return Headroom(held, tuple(reasons))


def _none(*reasons: str) -> Headroom:
    return Headroom(0, reasons)


def _node_lead(known: ClusterWorkload, otherwise: timedelta) -> tuple[timedelta, str]:
    """From "value served" to "pod ready" where a node has to come first, and where it is from."""
    spread = None if known.lead is None else known.lead.summary.new_node
    if spread is None:
        return otherwise, "kubernetes.node_lead_time"
    return timedelta(seconds=round(spread.p95)) + scaling_delay(), "measured"


def _there(
    now: datetime, state: WorkloadState, plan: Plan, seen: SeenWorkload | None
) -> tuple[int, str]:
    """Replicas that need no place held any more."""
    pods = 0 if seen is None else max(seen.ready or 0, seen.pods or 0)
    soon = min((now + scaling_delay() - plan.start) // plan.outlook.step, len(plan) - 1)
    asked = max(state.target(now).replicas, int(plan.replicas[soon]), 0)
    if pods > asked:
        return pods, f"{pods} pods that exist"
    known = f"{pods} pods exist" if pods else "no pod is known"
    return asked, f"{asked} asked for now ({known})"


def _most(state: WorkloadState, seen: SeenWorkload | None) -> int:
    """No place is held for a pod that its autoscaler may not ask for."""
    bounds = [state.rule.max_replicas]
    if seen is not None:
        bounds += [
            one.max_replicas for one in (seen.scaled_object, seen.autoscaler) if one is not None
        ]
    return min(bounds)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
