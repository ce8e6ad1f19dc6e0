"""The old set-up as its manifests say it: HPAs, the exporter's windows and events, the adapter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from forecaster.backtest.policies.exporter import DailyWindow
from forecaster.migration.adapter import AdapterRule, read_adapter_rules
from forecaster.migration.exporter_objects import (
    PREFIX,
    OldEvent,
    is_event,
    read_event,
    read_window,
)
from forecaster.migration.hpa_metrics import OldMetric, read_metrics
from forecaster.migration.manifests import Manifest, as_mapping
from forecaster.migration.quantity import quantity

__all__ = ["OldApi", "OldAutoscaler", "OldSetup", "read_old_setup"]

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")
_APIS = ("external.metrics.k8s.io", "custom.metrics.k8s.io")


@dataclass(frozen=True)
class OldApi:
    """An APIService of a metrics API: who answers it. ``service`` is ``namespace/name``."""

    name: str
    group: str
    service: str


@dataclass(frozen=True)
class OldAutoscaler:
    """One HPA. ``requests_cpu`` is what one pod of its target requests, in cores, where known."""

    manifest: Manifest = field(repr=False)
    target_kind: str
    target_api: str
    target_name: str
    min_replicas: int
    max_replicas: int
    metrics: tuple[OldMetric, ...]
    window: DailyWindow | None
    requests_cpu: float | None = None

    @property
    def namespace(self) -> str:
        """Its namespace, which is its target's too."""
        return self.manifest.namespace

    @property
    def name(self) -> str:
        """The HPA's own name."""
        return self.manifest.name

    @property
    def workload(self) -> str:
        """What it scales, ``namespace/name``."""
        return f"{self.namespace}/{self.target_name}"

    @property
    def behavior(self) -> Mapping[str, Any]:
        """Its ``behavior``; empty where it has none."""
        return as_mapping(self.manifest.spec.get("behavior"))

    @property
    def annotated(self) -> bool:
        """Whether it has any of the exporter's annotations."""
        return any(key.startswith(PREFIX) for key in self.manifest.annotations)


@dataclass(frozen=True)
class OldSetup:
    """All that was found; ``notes`` are what could not be read, and why."""

    manifests: tuple[Manifest, ...] = field(repr=False)
    autoscalers: tuple[OldAutoscaler, ...]
    events: tuple[OldEvent, ...]
    rules: tuple[AdapterRule, ...]
    apis: tuple[OldApi, ...]
    notes: tuple[str, ...]

    def api(self, group: str) -> OldApi | None:
        """The APIService of a group, where the manifests have it."""
        return next((one for one in self.apis if one.group == group), None)


def read_old_setup(manifests: Iterable[Manifest], noted: Iterable[str] = ()) -> OldSetup:
    """What the exporter, the adapter and the HPAs were told, HPAs by namespace and name.

    An object that stands twice counts once, and is noted. ``noted`` is what is known already to be
    left out.
    """
    notes = list(noted)
    objects = _each_once(manifests, notes)
    cpu = {
        (one.kind, one.namespace, one.name): _requested_cpu(one)
        for one in objects
        if one.kind in ("Deployment", "StatefulSet", "ReplicaSet")
    }
    autoscalers = []
    for one in objects:
        if one.kind == "HorizontalPodAutoscaler":
            read = _autoscaler(one, notes)
            if read is not None:
                key = (read.target_kind, read.namespace, read.target_name)
                autoscalers.append(_with_cpu(read, cpu.get(key)))
    events = [read_event(one, notes) for one in objects if is_event(one)]
    # The API server lists objects by namespace and name, and the exporter takes the first.
    known = sorted((one for one in events if one), key=lambda one: (one.namespace, one.name))
    return OldSetup(
        manifests=objects,
        autoscalers=tuple(sorted(autoscalers, key=lambda one: (one.namespace, one.name))),
        events=tuple(known),
        rules=read_adapter_rules(objects),
        apis=tuple(_apis(objects)),
        notes=tuple(notes),
    )


def _each_once(manifests: Iterable[Manifest], notes: list[str]) -> tuple[Manifest, ...]:
    first: dict[tuple[str, str, str], Manifest] = {}
    kept = []
    for one in manifests:
        key = (one.kind, one.namespace, one.name)
        if one.kind and one.name and key in first:
            notes.append(f"{one.place}: {one.called} stands already at {first[key].place}")
            continue
        first[key] = one
        kept.append(one)
    return tuple(kept)


def _autoscaler(one: Manifest, notes: list[str]) -> OldAutoscaler | None:
    if any(owner.get("kind") == "ScaledObject" for owner in _owners(one)):
        notes.append(f"{one.place}: {one.called} belongs to a ScaledObject of {_owner_name(one)}")
        return None
    target = as_mapping(one.spec.get("scaleTargetRef"))
    least, most = one.spec.get("minReplicas", 1), one.spec.get("maxReplicas")
    why = _unusable(one, target, least, most)
    if why or most is None:
        notes.append(f"{one.place}: {one.called} is left out: {why}")
        return None
    if not one.api_version.startswith("autoscaling/"):
        notes.append(f"{one.place}: {one.called} is left out: its apiVersion is {one.api_version}")
        return None
    if one.api_version != "autoscaling/v2":
        notes.append(f"{one.place}: {one.called} is {one.api_version}, read as autoscaling/v2")
    return OldAutoscaler(
        manifest=one,
        target_kind=str(target.get("kind") or "Deployment"),
        target_api=str(target.get("apiVersion") or "apps/v1"),
        target_name=str(target["name"]),
        min_replicas=least,
        max_replicas=most,
        metrics=read_metrics(one, notes),
        window=read_window(one, notes),
    )


def _unusable(one: Manifest, target: Mapping[str, Any], least: Any, most: Any) -> str:
    """Why it cannot be an HPA; empty where it can."""
    for place, name in (
        ("metadata.namespace", one.namespace),
        ("metadata.name", one.name),
        ("scaleTargetRef.name", target.get("name")),
    ):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return f"{place} is {name!r}, and no name of Kubernetes, such as player-api"
    for place, number, smallest in (("minReplicas", least, 0), ("maxReplicas", most, 1)):
        if isinstance(number, bool) or not isinstance(number, int) or number < smallest:
            return f"{place} is {number!r}, and no number of replicas, such as 4"
    return f"minReplicas {least} is above maxReplicas {most}" if least > most else ""


def _owners(one: Manifest) -> list[Mapping[str, Any]]:
    listed = one.metadata.get("ownerReferences")
    return [as_mapping(owner) for owner in (listed if isinstance(listed, list) else [])]


def _owner_name(one: Manifest) -> str:
    return ", ".join(f"the name {owner.get('name')}" for owner in _owners(one))


def _with_cpu(read: OldAutoscaler, cores: float | None) -> OldAutoscaler:
    return read if cores is None else replace(read, requests_cpu=cores)


def _requested_cpu(one: Manifest) -> float | None:
    """What one pod requests, in cores; None where a container requests none."""
    pod = as_mapping(as_mapping(one.spec.get("template")).get("spec"))
    containers = pod.get("containers")
    cores = []
    for container in containers if isinstance(containers, list) else []:
        resources = as_mapping(as_mapping(container).get("resources"))
        cores.append(quantity(as_mapping(resources.get("requests")).get("cpu", "")))
    known = [one for one in cores if one]
    return sum(known) if known and len(known) == len(cores) else None


def _apis(objects: Iterable[Manifest]) -> list[OldApi]:
    found = []
    for one in objects:
        group = str(one.spec.get("group") or "")
        if one.kind == "APIService" and group in _APIS:
            service = as_mapping(one.spec.get("service"))
            named = f"{service.get('namespace')}/{service.get('name')}"
            found.append(OldApi(one.name, group, named))
    return found
