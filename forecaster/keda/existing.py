"""What scales a workload today: an HPA, a ScaledObject, or only the workload itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import filterfalse
from typing import Any

from forecaster.errors import ManifestError
from forecaster.keda.hpa_metrics import triggers_of
from forecaster.keda.manifests import mapping_at, read_manifests, without_server_fields
from forecaster.keda.naming import is_headroom, is_preroll_trigger, target_path
from forecaster.keda.trap import Trap, name_of

__all__ = [
    "Existing",
    "Trigger",
    "best_for_each",
    "existing_of",
    "is_made_by_keda",
    "read_existing",
]

Trigger = Mapping[str, Any]

_WORKLOADS = ("Deployment", "StatefulSet")
# The more it knows, the later it stands.
_RANK = {"Deployment": 0, "StatefulSet": 0, "HorizontalPodAutoscaler": 1, "ScaledObject": 2}
_KEDAS_LABELS = frozenset(["scaledobject.keda.sh/name"])


@dataclass(frozen=True)
class Existing:
    """One object that scales a workload, or is one.

    ``target`` is its scaleTargetRef; ``triggers`` are KEDA's, an HPA's metrics among them as far as
    KEDA has an equal; what it has none for stands in ``lost``. ``behavior`` is the HPA's. ``spec``
    holds the other fields of a ScaledObject. ``data`` is the whole object, as it was read.
    """

    kind: str
    namespace: str
    name: str
    target: Mapping[str, str]
    source: str = ""
    min_replicas: int | None = None
    max_replicas: int | None = None
    triggers: tuple[Trigger, ...] = ()
    behavior: Mapping[str, Any] | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[Trap, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def workload(self) -> str:
        """``namespace/name`` of what is scaled."""
        return f"{self.namespace}/{self.target['name']}"

    @property
    def asked(self) -> str | None:
        """``namespace/name`` of the workload that Preroll is asked for already, if it is.

        It may have another name there than what is scaled: by the trigger's address, or declared
        by an annotation.
        """
        for one in filter(is_preroll_trigger, self.triggers):
            path = target_path(str(mapping_at(one, "metadata").get("url") or ""))
            if path is not None:
                return path
        declared = self.annotations.get("preroll.io/name")
        return f"{self.namespace}/{declared}" if declared else None

    @property
    def is_autoscaler(self) -> bool:
        """Whether it scales, instead of being scaled."""
        return self.kind not in _WORKLOADS


def read_existing(text: str, source: str, namespace: str = "default") -> list[Existing]:
    """What the manifests in ``text`` hold of it; other objects are let be.

    HPAs that KEDA made are left out: their ScaledObject is what counts. ManifestError for what is
    no manifest, or no whole one.
    """
    return existing_of(read_manifests(text, source, namespace), source)


def existing_of(objects: Iterable[Mapping[str, Any]], source: str = "") -> list[Existing]:
    """The same, of objects that have been read already; those of head-room are let be."""
    found = []
    for one in filterfalse(is_headroom, objects):
        kind, version = str(one.get("kind")), str(one.get("apiVersion"))
        if kind in _WORKLOADS and version.startswith("apps/"):
            found.append(_workload(one, source))
        elif kind == "HorizontalPodAutoscaler" and not is_made_by_keda(one):
            found.append(_autoscaler(one, source))
        elif kind == "ScaledObject" and version.startswith("keda.sh/"):
            found.append(_scaled_object(one, source))
    return found


def is_made_by_keda(hpa: Mapping[str, Any]) -> bool:
    """Whether an HPA belongs to a ScaledObject."""
    owners = mapping_at(hpa, "metadata").get("ownerReferences")
    owned = isinstance(owners, list) and any(
        mapping_at(one).get("kind") == "ScaledObject" for one in owners
    )
    labels = mapping_at(hpa, "metadata", "labels")
    return owned or labels.get("app.kubernetes.io/managed-by") == "keda-operator"


def best_for_each(found: Iterable[Existing]) -> list[Existing]:
    """One for each workload, the one that knows most: a ScaledObject before an HPA before itself.

    In the order in which the workloads came.
    """
    best: dict[tuple[str, str, str], Existing] = {}
    for one in found:
        key = (one.namespace, one.target["kind"], one.target["name"])
        if key not in best or _RANK[one.kind] > _RANK[best[key].kind]:
            best[key] = one
    return list(best.values())


def _workload(data: Mapping[str, Any], source: str) -> Existing:
    namespace, name = _named(data, source)
    target = {"apiVersion": str(data["apiVersion"]), "kind": str(data["kind"]), "name": name}
    return Existing(str(data["kind"]), namespace, name, target, source, data=data)


def _autoscaler(data: Mapping[str, Any], source: str) -> Existing:
    namespace, name = _named(data, source)
    spec = mapping_at(data, "spec")
    triggers, lost = triggers_of(data)
    least = _whole(spec, "minReplicas", data, source)
    return Existing(
        "HorizontalPodAutoscaler",
        namespace,
        name,
        _target(spec, data, source),
        source,
        min_replicas=1 if least is None else least,
        max_replicas=_whole(spec, "maxReplicas", data, source),
        triggers=triggers,
        behavior=mapping_at(spec, "behavior") or None,
        lost=lost,
        data=data,
    )


def _scaled_object(data: Mapping[str, Any], source: str) -> Existing:
    namespace, name = _named(data, source)
    spec = mapping_at(data, "spec")
    triggers = spec.get("triggers")
    if not isinstance(triggers, list) or not all(isinstance(one, dict) for one in triggers):
        raise ManifestError(f"{source}: {name_of(data)}, spec.triggers: must be a list of triggers")
    kept = mapping_at(without_server_fields(data), "metadata")
    labels, annotations = mapping_at(kept, "labels"), mapping_at(kept, "annotations")
    hpa = mapping_at(spec, "advanced", "horizontalPodAutoscalerConfig")
    least, most = (_whole(spec, f"{one}ReplicaCount", data, source) for one in ("min", "max"))
    return Existing(
        "ScaledObject",
        namespace,
        name,
        _target(spec, data, source),
        source,
        min_replicas=0 if least is None else least,
        max_replicas=100 if most is None else most,
        triggers=tuple(triggers),
        behavior=mapping_at(hpa, "behavior") or None,
        spec={key: value for key, value in spec.items() if key != "triggers"},
        labels={key: str(value) for key, value in labels.items() if key not in _KEDAS_LABELS},
        annotations={key: str(value) for key, value in annotations.items()},
        data=data,
    )


def _named(data: Mapping[str, Any], source: str) -> tuple[str, str]:
    metadata = mapping_at(data, "metadata")
    if not metadata.get("name"):
        raise ManifestError(f"{source}: {name_of(data)}: metadata.name is missing")
    return str(metadata.get("namespace") or "default"), str(metadata["name"])


def _target(spec: Mapping[str, Any], data: Mapping[str, Any], source: str) -> dict[str, str]:
    reference = mapping_at(spec, "scaleTargetRef")
    if not reference.get("name"):
        raise ManifestError(
            f"{source}: {name_of(data)}, spec.scaleTargetRef.name: missing; for example: "
            "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: player-api}"
        )
    return {
        "apiVersion": str(reference.get("apiVersion") or "apps/v1"),
        "kind": str(reference.get("kind") or "Deployment"),
        "name": str(reference["name"]),
    }


def _whole(spec: Mapping[str, Any], key: str, data: Mapping[str, Any], source: str) -> int | None:
    value = spec.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        told = f"{value!r} is not a number of replicas; for example: {key}: 4"
        raise ManifestError(f"{source}: {name_of(data)}, spec.{key}: {told}")
    return value
