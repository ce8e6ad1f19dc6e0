"""Objects as the API server tells them → the small values that are kept.

    seen_of(PODS, item)         PodSeen, or None where it is no concern of ours
    key_of(item)                (namespace, name, uid), as far as it says

A broken object raises BrokenObject with its kind, its name and what is wrong with it, and nothing
else is ever raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sys import intern
from typing import Any

from forecaster.cluster.fields import (
    Malformed,
    condition,
    instant,
    mapping,
    number,
    text,
    whole,
)
from forecaster.cluster.parsing_pods import pod_seen, target_ref
from forecaster.cluster.parsing_shape import pod_shape, requirements, taints, words
from forecaster.cluster.placing import Requirement
from forecaster.cluster.resources import Resource
from forecaster.cluster.seen import (
    AutoscalerSeen,
    NodeSeen,
    QuotaSeen,
    Scaled,
    ScaledObjectSeen,
    Seen,
    TargetRef,
)

__all__ = ["ANNOTATION_PREFIX", "BrokenObject", "key_of", "seen_of"]

ANNOTATION_PREFIX = "preroll.io/"
_PAUSED = "autoscaling.keda.sh/paused"
_PAUSED_AT = "autoscaling.keda.sh/paused-replicas"
_FALSE = {"0", "f", "F", "false", "False", "FALSE"}  # all else pauses, as KEDA reads it
_OF_KUBERNETES = "node.kubernetes.io/"


class BrokenObject(ValueError):
    """An object that cannot be used; the text names it and what is wrong."""

    def __init__(self, kind: str, namespace: str, name: str, message: str) -> None:
        self.kind, self.namespace, self.name = kind, namespace, name
        place = f"{namespace}/{name}" if namespace else name
        super().__init__(f"{kind} {place}: {message}")


def key_of(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Namespace, name and uid of an object, empty where it does not say."""
    about = item.get("metadata")
    if not isinstance(about, dict):
        return "", "", ""
    namespace, name, uid = (str(about.get(key) or "") for key in ("namespace", "name", "uid"))
    return namespace, name, uid


def seen_of(resource: Resource, item: Any) -> Seen | None:
    """The value of an object; None where it is no concern of ours."""
    if not isinstance(item, dict):
        raise BrokenObject(resource.kind, "", "?", f"{item!r:.60} is no object")
    try:
        return _PARSERS[resource.kind](item)
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        namespace, name, _ = key_of(item)
        raise BrokenObject(resource.kind, namespace, name or "?", str(error)) from error


def _scaled_object(item: Mapping[str, Any]) -> ScaledObjectSeen:
    about, spec = mapping(item, "metadata"), mapping(item, "spec")
    annotations = mapping(about, "annotations")
    return ScaledObjectSeen(
        namespace=intern(text(about, "namespace")),
        name=text(about, "name"),
        uid=text(about, "uid"),
        resource_version=text(about, "resourceVersion"),
        target=_target(spec),
        min_replicas=whole(spec, "minReplicaCount", 0),
        max_replicas=whole(spec, "maxReplicaCount", 100),
        annotations={
            intern(str(key)): str(value)
            for key, value in annotations.items()
            if key.startswith(ANNOTATION_PREFIX)
        },
        labels={intern(str(key)): str(value) for key, value in mapping(about, "labels").items()},
        autoscaler=_word(mapping(item, "status"), "hpaName"),
        paused=_PAUSED_AT in annotations or annotations.get(_PAUSED, "false") not in _FALSE,
    )


def _autoscaler(item: Mapping[str, Any]) -> AutoscalerSeen:
    about, spec, status = mapping(item, "metadata"), mapping(item, "spec"), mapping(item, "status")
    scale_up = mapping(mapping(spec, "behavior"), "scaleUp")
    return AutoscalerSeen(
        namespace=intern(text(about, "namespace")),
        name=text(about, "name"),
        target=_target(spec),
        min_replicas=whole(spec, "minReplicas", 1),
        max_replicas=whole(spec, "maxReplicas", 1),
        current=whole(status, "currentReplicas", 0),
        desired=whole(status, "desiredReplicas", 0),
        limited=_told(condition(status, "ScalingLimited"), "True"),
        stuck=_stuck(status),
        tolerance_up=number(scale_up, "tolerance"),
    )


def _stuck(status: Mapping[str, Any]) -> str | None:
    active = condition(status, "ScalingActive")
    if active.get("reason") == "ScalingDisabled":  # at 0 replicas, where KEDA rules
        active = {}
    return _told(condition(status, "AbleToScale"), "False") or _told(active, "False")


def _told(one: Mapping[str, Any], when: str) -> str | None:
    if one.get("status") != when:
        return None
    return ": ".join(str(one[key]) for key in ("reason", "message") if one.get(key)) or when


def _scaled(kind: str) -> Callable[[Mapping[str, Any]], Scaled]:
    def parse(item: Mapping[str, Any]) -> Scaled:
        about, spec = mapping(item, "metadata"), mapping(item, "spec")
        status = mapping(item, "status")
        failure = condition(status, "ReplicaFailure")
        return Scaled(
            namespace=intern(text(about, "namespace")),
            ref=target_ref(kind, text(about, "name")),
            replicas=whole(spec, "replicas", 1),
            ready=whole(status, "readyReplicas", 0),
            pod=pod_shape(mapping(mapping(spec, "template"), "spec")),
            refused=_told(failure, "True"),
        )

    return parse


def _quota(item: Mapping[str, Any]) -> QuotaSeen:
    about, spec, status = mapping(item, "metadata"), mapping(item, "spec"), mapping(item, "status")
    hard = mapping(status, "hard") or mapping(spec, "hard")
    used = mapping(status, "used")
    return QuotaSeen(
        namespace=intern(text(about, "namespace")),
        name=text(about, "name"),
        hard={intern(key): number(hard, key) or 0.0 for key in hard},
        used={intern(key): number(used, key) or 0.0 for key in used},
        scopes=(
            *(Requirement(name, "Exists") for name in words(spec, "scopes")),
            *requirements(mapping(spec, "scopeSelector"), "matchExpressions"),
        ),
    )


def _node(item: Mapping[str, Any]) -> NodeSeen:
    about, spec, status = mapping(item, "metadata"), mapping(item, "spec"), mapping(item, "status")
    room, ready = mapping(status, "allocatable"), condition(status, "Ready")
    labels, keeping_off = mapping(about, "labels"), tuple(taints(spec))
    own = [one for one in keeping_off if one.key.startswith(_OF_KUBERNETES)]
    return NodeSeen(
        name=text(about, "name"),
        created=instant(about, "creationTimestamp") or 0.0,
        ready=instant(ready, "lastTransitionTime") if ready.get("status") == "True" else None,
        cpu=number(room, "cpu") or 0.0,
        memory=number(room, "memory") or 0.0,
        pods=int(number(room, "pods") or 0),
        schedulable=spec.get("unschedulable") is not True and not own,
        labels={intern(str(key)): intern(str(value)) for key, value in labels.items()},
        taints=tuple(one for one in keeping_off if one not in own),
    )


def _word(of: Mapping[str, Any], key: str) -> str | None:
    return text(of, key) if of.get(key) else None


def _target(spec: Mapping[str, Any]) -> TargetRef:
    reference = mapping(spec, "scaleTargetRef")
    if not reference:
        raise Malformed("spec.scaleTargetRef is missing")
    kind = reference.get("kind") or "Deployment"
    if not isinstance(kind, str):
        raise Malformed(f"scaleTargetRef.kind is {kind!r:.60}, not text")
    return target_ref(kind, text(reference, "name"))


_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], Seen | None]] = {
    "ScaledObject": _scaled_object,
    "HorizontalPodAutoscaler": _autoscaler,
    "Deployment": _scaled("Deployment"),
    "StatefulSet": _scaled("StatefulSet"),
    "Pod": pod_seen,
    "ResourceQuota": _quota,
    "Node": _node,
}
