"""Head-room: pods that do nothing but hold a place, so that nodes are there before a peak.

They have a lower priority than anything else: the scheduler takes their place for a real pod at
once, and their going has no grace period.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from forecaster.cluster.fit_warning import amount_text
from forecaster.cluster.seen import Scaled
from forecaster.planning import Plan

__all__ = [
    "PLACEHOLDER_PRIORITY",
    "placeholder",
    "placeholder_deployment",
    "placeholder_priority_class",
]

PLACEHOLDER_PRIORITY = -10
"""Below every ordinary pod's 0, and the lowest for which the cluster autoscaler adds nodes."""

_LABEL = "app.kubernetes.io/"
_LONGEST, _SUFFIX = 63, "-placeholder"
_PLACED_BY = ("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints")


def placeholder(
    now: datetime, plan: Plan, there: int, lead: timedelta, node_lead: timedelta
) -> int:
    """How many placeholder pods to ask for at ``now``, 0 or more.

    ``there`` counts the pods that have their places already. ``lead`` is the lead time that the
    plan looks ahead. ``node_lead`` is the same for a pod that has to wait for a new node (the p95
    of such start-ups, and the HPA's delay): so much longer before the plan asks for a pod, its node
    has to be on its way. The highest target until then, less the pods that are there or asked for
    now, is what is still to come. Where the lead time covers new nodes there is nothing to do.

    Room on nodes that are there takes nothing off: placeholders fill it first, and only those that
    find none bring nodes.

    A plan that asks for 10 now and for 35 in 3 minutes: at a lead time of 2 minutes, and 6 where a
    node has to come, 25 places are to be held.
    """
    ahead = node_lead - lead
    if ahead <= timedelta(0) or not plan.covers(now):
        return 0
    step = plan.outlook.step
    first = (now - plan.start) // step
    last = (now + ahead - plan.start) // step
    to_come = int(plan.replicas[first : last + 1].max())
    coming = max(there, int(plan.replicas[first]))
    return max(to_come - coming, 0)


def placeholder_priority_class(name: str = "preroll-placeholder") -> dict[str, Any]:
    """The PriorityClass of placeholder pods: one for the cluster."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name, "labels": {f"{_LABEL}name": "preroll-placeholder"}},
        "description": "Pods that hold a place for others until these need it.",
        "globalDefault": False,
        "preemptionPolicy": "Never",
        "value": PLACEHOLDER_PRIORITY,
    }


def placeholder_deployment(
    workload: str,
    scaled: Scaled,
    image: str,
    *,
    namespace: str | None = None,
    replicas: int | None = None,
    priority_class: str = "preroll-placeholder",
    placed_by: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The Deployment whose pods hold the places of ``scaled``'s: the same requests, no work.

    ``workload`` is its ``namespace/name``; ``image`` one that only sleeps, such as ``pause:3.10``,
    from a registry that the nodes can reach; ``namespace`` where the placeholders live, the
    workload's by default: there they count against its quotas. ``replicas`` is left out by default:
    a ScaledObject rules them, and what applies manifests must not undo that. ``placed_by`` is what
    the workload's own pod says of its nodes: nodeSelector, tolerations, affinity and
    topologySpreadConstraints are taken from it, or the places are held elsewhere.

    ValueError where the workload requests nothing: its pods need no place.
    """
    if not scaled.pod.cpu and not scaled.pod.memory:
        raise ValueError(
            f"{workload}: its pods request neither cpu nor memory, so there is no place to hold; "
            "set resources.requests of its containers, for example cpu: 500m"
        )
    name = workload.partition("/")[2]
    own = _name(name)
    labels = {f"{_LABEL}name": "preroll-placeholder", f"{_LABEL}instance": own}
    requests = {}
    if scaled.pod.cpu:
        requests["cpu"] = amount_text("cpu", scaled.pod.cpu, up=True)
    if scaled.pod.memory:
        requests["memory"] = amount_text("memory", scaled.pod.memory, up=True)
    count = {} if replicas is None else {"replicas": replicas}
    placed = {key: value for key, value in (placed_by or {}).items() if key in _PLACED_BY}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": own,
            "namespace": namespace or scaled.namespace,
            "labels": labels,
        },
        "spec": {
            **count,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "Recreate"},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **placed,
                    "automountServiceAccountToken": False,
                    "containers": [
                        {
                            "name": "pause",
                            "image": image,
                            "resources": {"requests": requests, "limits": dict(requests)},
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                                "readOnlyRootFilesystem": True,
                            },
                        }
                    ],
                    "priorityClassName": priority_class,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65534,
                        "runAsGroup": 65534,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "terminationGracePeriodSeconds": 0,
                },
            },
        },
    }


def _name(workload: str) -> str:
    """63 characters at the most, for it is a label's value as well; a long one gets a print."""
    most = _LONGEST - len(_SUFFIX)
    if len(workload) > most:
        digest = sha256(workload.encode()).hexdigest()[:8]
        workload = f"{workload[: most - 9].rstrip('.-')}-{digest}"
    return workload + _SUFFIX
