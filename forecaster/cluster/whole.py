"""Whole objects of a kind, read once: for what needs more of them than we keep while serving.

for item in whole_objects(client, CONFIG_MAPS, "monitoring"):
    item["kind"], item["metadata"]["name"]
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from forecaster.cluster.client import ClusterClient
from forecaster.cluster.resources import Resource
from forecaster.errors import ClusterAnswerError, ClusterExpired

__all__ = [
    "API_SERVICES",
    "CONFIG_MAPS",
    "PRESCALING_EVENTS",
    "Whole",
    "one_object",
    "whole_objects",
]

Whole = dict[str, Any]

CONFIG_MAPS = Resource("ConfigMap", "configmaps", "", "v1")
PRESCALING_EVENTS = Resource("PrescalingEvent", "prescalingevents", "prescaling.bedrock.tech", "v1")
API_SERVICES = Resource(
    "APIService", "apiservices", "apiregistration.k8s.io", "v1", namespaced=False
)


def whole_objects(
    client: ClusterClient,
    resource: Resource,
    namespace: str | None = None,
    *,
    selecting: Mapping[str, str] = MappingProxyType({}),
) -> list[Whole]:
    """All of a kind, by namespace and name, each with apiVersion and kind, which lists leave out.

    Where the server forgets the list while it is read, it is read a second time. ClusterRefused
    with status 404 where the cluster has no such kind.
    """
    try:
        found = _listed(client, resource, namespace, selecting)
    except ClusterExpired:
        found = _listed(client, resource, namespace, selecting)
    return sorted(found, key=_place)


def one_object(
    client: ClusterClient, resource: Resource, namespace: str | None, name: str
) -> Whole:
    """One object by its name; ClusterRefused with status 404 where there is none."""
    return _complete(client.get(resource.path(namespace, name)), resource)


def _listed(
    client: ClusterClient,
    resource: Resource,
    namespace: str | None,
    selecting: Mapping[str, str],
) -> list[Whole]:
    pages = client.pages(resource, namespace, selecting=selecting)
    return [_complete(item, resource) for page in pages for item in page.items]


def _complete(item: Any, resource: Resource) -> Whole:
    about = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(about, dict) or not isinstance(about.get("name"), str):
        raise ClusterAnswerError(f"{resource.full_name}: {item!r:.60} is no {resource.kind}")
    return {**item, "apiVersion": resource.api_version, "kind": resource.kind}


def _place(item: Whole) -> tuple[str, str]:
    about = item["metadata"]
    return str(about.get("namespace") or ""), str(about["name"])
