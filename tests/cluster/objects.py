"""Kubernetes objects in the shape in which an API server of 1.36 sends them (data/*.json).

Keys and managed fields are those of the real kinds; names, stamps and numbers are made up.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

Object = dict[str, Any]

NAMESPACE, WORKLOAD = "streaming", "player-api"
CREATED = datetime(2026, 6, 11, 17, 58, tzinfo=UTC)
_DATA = Path(__file__).parent / "data"


@cache
def _text(name: str) -> str:
    return json.dumps(json.loads((_DATA / f"{name}.json").read_text()))


def _template(data: str, namespace: str | None, name: str, workload: str = WORKLOAD) -> Object:
    item: Object = json.loads(_text(data).replace(WORKLOAD, workload))
    about = item["metadata"]
    about |= {"name": name, "uid": uid_of(item["kind"], namespace or "", name)}
    if namespace is not None:
        about["namespace"] = namespace
    return item


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uid_of(*words: str) -> str:
    digest = hashlib.sha256("/".join(words).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-9{digest[17:20]}-{digest[20:32]}"


def pod(
    name: str = f"{WORKLOAD}-6d9f7c5b8-x7b2k",
    *,
    namespace: str = NAMESPACE,
    workload: str = WORKLOAD,
    owner: tuple[str, str] | None = None,
    created: datetime = CREATED,
    ready_after: float | None = 42.0,
    unschedulable: str | None = None,
    phase: str | None = None,
    node: str = "node-17.example.internal",
) -> Object:
    """A Deployment's pod, ready by default; ``owner``: what else controls it, kind and name."""
    item = _template("pod" if unschedulable is None else "pod_pending", namespace, name, workload)
    about, status = item["metadata"], item["status"]
    digest = about["labels"]["pod-template-hash"]
    kind, above = owner or ("ReplicaSet", f"{workload}-{digest}")
    about["creationTimestamp"] = stamp(created)
    about["ownerReferences"][0] |= {"kind": kind, "name": above}
    after = {"PodScheduled": 1.0, "Initialized": 2.0, "PodReadyToStartContainers": 4.0}
    for one in status["conditions"]:
        kind = one["type"]
        seconds = after.get(kind, ready_after or 3.0)
        one["lastTransitionTime"] = stamp(created + timedelta(seconds=seconds))
        if kind in ("Ready", "ContainersReady") and ready_after is None:
            one |= {"status": "False", "reason": "ContainersNotReady"}
        if unschedulable is not None:
            one["message"] = unschedulable
    if unschedulable is None:
        item["spec"]["nodeName"] = node
    if phase is not None:
        status["phase"] = phase
    return item


def scaled(
    name: str = WORKLOAD,
    *,
    namespace: str = NAMESPACE,
    kind: str = "Deployment",
    replicas: int = 10,
    ready: int | None = None,
    failure: str | None = None,
) -> Object:
    item = _template("deployment", namespace, name, name)
    item["kind"] = kind
    item["spec"]["replicas"] = replicas
    item["status"] |= {"replicas": replicas, "readyReplicas": replicas if ready is None else ready}
    if failure is not None:
        told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
        item["status"]["conditions"].append({**told, "message": failure})
    return item


def autoscaler(
    workload: str = WORKLOAD,
    *,
    namespace: str = NAMESPACE,
    bounds: tuple[int, int] = (2, 100),
    replicas: tuple[int, int] = (10, 10),
    conditions: dict[str, tuple[str, str, str]] | None = None,
) -> Object:
    """KEDA's HPA; ``replicas`` are current and desired, ``conditions`` status, reason, message."""
    item = _template("autoscaler", namespace, f"keda-hpa-{workload}", workload)
    item["spec"] |= {"minReplicas": bounds[0], "maxReplicas": bounds[1]}
    item["status"] |= {"currentReplicas": replicas[0], "desiredReplicas": replicas[1]}
    for one in item["status"]["conditions"]:
        told = (conditions or {}).get(one["type"])
        if told is not None:
            one["status"], one["reason"], one["message"] = told
    return item


def scaled_object(
    name: str = WORKLOAD,
    *,
    namespace: str = NAMESPACE,
    target: str | None = None,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    bounds: tuple[int, int] | None = (2, 100),
) -> Object:
    item = _template("scaled_object", namespace, name, name)
    item["metadata"]["annotations"] |= annotations or {}
    item["metadata"]["labels"] |= labels or {}
    item["spec"]["scaleTargetRef"]["name"] = target or name
    for key, bound in zip(("minReplicaCount", "maxReplicaCount"), bounds or (), strict=False):
        item["spec"][key] = bound
    if bounds is None:
        del item["spec"]["minReplicaCount"], item["spec"]["maxReplicaCount"]
    return item


def quota(name: str = "compute", *, namespace: str = NAMESPACE) -> Object:
    return _template("quota", namespace, name)


def node(name: str = "node-1.example.internal", **spec: Any) -> Object:
    item = _template("node", None, name)
    item["spec"] |= spec
    return item
