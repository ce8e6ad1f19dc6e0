"""Objects of a cluster as they are kept: a pod is some hundred bytes, not ten thousand.

Instants are Unix seconds, for there are tens of thousands of them; None is "not yet, or not told".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forecaster.cluster.placing import Requirement, Taint
from forecaster.cluster.pod_shape import NOTHING_ASKED, PodShape

__all__ = [
    "AutoscalerSeen",
    "NodeSeen",
    "PodSeen",
    "QuotaSeen",
    "Scaled",
    "ScaledObjectSeen",
    "Seen",
    "TargetRef",
]


@dataclass(frozen=True, slots=True)
class TargetRef:
    """What is scaled: a Deployment, a StatefulSet, or something of another kind, by its name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ScaledObjectSeen:
    """KEDA's object. ``annotations`` are those below preroll.io/ alone, by their whole keys.

    ``min_replicas`` and ``max_replicas`` have KEDA's defaults, 0 and 100, where they are left out.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str = field(compare=False)  # KEDA writes its status twice a minute
    target: TargetRef
    min_replicas: int = 0
    max_replicas: int = 100
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    autoscaler: str | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class AutoscalerSeen:
    """An HPA: its bounds, and what it last decided.

    ``limited`` is why its wish is not what it sets, ``stuck`` why it cannot decide or scale:
    reasons of its conditions, with their messages. At 0 replicas, where KEDA rules, it is not
    stuck. ``tolerance_up`` is scaleUp.tolerance, in parts of 1, where the object has it.
    """

    namespace: str
    name: str
    target: TargetRef
    min_replicas: int
    max_replicas: int
    current: int
    desired: int
    limited: str | None = None
    stuck: str | None = None
    tolerance_up: float | None = None


@dataclass(frozen=True, slots=True)
class Scaled:
    """A Deployment or a StatefulSet: replicas, and what its template makes of a pod.

    What admission makes of the template, such as the defaults of a LimitRange, is not in ``pod``.
    ``refused`` is the reason and message of a ReplicaFailure, such as an exceeded quota.
    """

    namespace: str
    ref: TargetRef
    replicas: int
    ready: int
    pod: PodShape = NOTHING_ASKED
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod's way from its creation to ready, by its own conditions.

    ``ready`` is when its Ready condition last became true, None while it is not; ``unschedulable``
    is the scheduler's message while it finds no node. ``owner`` is what is scaled, a Deployment
    where a ReplicaSet stands between. ``restarts`` counts those of its containers. ``shape`` is one
    value for all pods that are alike.
    """

    namespace: str
    name: str
    uid: str
    owner: TargetRef | None
    created: float
    scheduled: float | None = None
    initialised: float | None = None
    ready: float | None = None
    node: str | None = None
    unschedulable: str | None = None
    restarts: int = 0
    ending: bool = False
    shape: PodShape | None = None


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node: what pods may ask of it (cores, bytes, pods), when it joined, when it was ready.

    Not ``schedulable`` is one that is cordoned, or has a taint of Kubernetes' own, such as for a
    full disk; ``taints`` are the others that keep pods off.
    """

    name: str
    created: float
    ready: float | None
    cpu: float
    memory: float
    pods: int
    schedulable: bool = True
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True)
class QuotaSeen:
    """A ResourceQuota: what it allows and what is used, by its own keys, such as requests.cpu.

    Numbers are in cores, bytes and pieces. It counts the pods that all of its ``scopes`` hold for.
    """

    namespace: str
    name: str
    hard: Mapping[str, float] = field(default_factory=dict, hash=False)
    used: Mapping[str, float] = field(default_factory=dict, hash=False)
    scopes: tuple[Requirement, ...] = ()


Seen = ScaledObjectSeen | AutoscalerSeen | Scaled | PodSeen | QuotaSeen | NodeSeen
"""Any of them."""
