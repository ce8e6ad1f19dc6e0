"""A pod as the API server tells it → PodSeen; the part of parsing that runs most often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Any

from forecaster.cluster.fields import instant, items, mapping, text, whole
from forecaster.cluster.parsing_shape import pod_shape
from forecaster.cluster.seen import PodSeen, TargetRef

__all__ = ["pod_seen", "target_ref"]

# Nothing that HPAs or KEDA scale: their pods are left out.
_NOT_SCALED = {"Job", "DaemonSet", "Node"}
_ENDED = {"Succeeded", "Failed"}
# The label with the template's hash, and what stands above a ReplicaSet that has it.
_ABOVE = (("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout"))


@lru_cache(maxsize=32_768)
def target_ref(kind: str, name: str) -> TargetRef:
    """One value for all pods of a workload."""
    return TargetRef(intern(kind), name)


def pod_seen(item: Mapping[str, Any]) -> PodSeen | None:
    """The pod; None where it belongs to nothing that is scaled, or has ended."""
    about, spec, status = mapping(item, "metadata"), mapping(item, "spec"), mapping(item, "status")
    owner = _owner(about)
    if owner is None or status.get("phase") in _ENDED:
        return None
    when: dict[str, float | None] = {}
    unschedulable = None
    for one in items(status, "conditions"):
        if one.get("status") == "True":
            when[one.get("type", "")] = instant(one, "lastTransitionTime")
        elif one.get("type") == "PodScheduled" and one.get("reason") == "Unschedulable":
            unschedulable = str(one.get("message") or "Unschedulable")
    node = spec.get("nodeName")
    return PodSeen(
        namespace=intern(text(about, "namespace")),
        name=text(about, "name"),
        uid=text(about, "uid"),
        owner=owner,
        created=instant(about, "creationTimestamp") or 0.0,
        scheduled=when.get("PodScheduled"),
        initialised=when.get("Initialized"),
        ready=when.get("Ready"),
        node=intern(node) if isinstance(node, str) and node else None,
        unschedulable=unschedulable,
        restarts=sum(whole(one, "restartCount", 0) for one in items(status, "containerStatuses")),
        ending=about.get("deletionTimestamp") is not None,
        shape=pod_shape(spec),
    )


def _owner(about: Mapping[str, Any]) -> TargetRef | None:
    """What stands above the pod; a ReplicaSet's name is its Deployment's with the hash behind."""
    for reference in items(about, "ownerReferences"):
        if reference.get("controller") is not True:
            continue
        kind, name = text(reference, "kind"), text(reference, "name")
        if kind in _NOT_SCALED:
            return None
        if kind == "ReplicaSet":
            labels = mapping(about, "labels")
            for label, above in _ABOVE:
                tail = f"-{labels.get(label)}"
                if label in labels and name.endswith(tail):
                    return target_ref(above, name.removesuffix(tail))
        return target_ref(kind, name)
    return None
