"""Which ConfigMaps of a cluster hold prometheus-adapter's rules.

Those that were named; else those of its usual names and labels, in all namespaces, or, where that
is not allowed, in those that the metrics APIs are served from.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from forecaster.cluster.client import ClusterClient
from forecaster.cluster.rights import rule_text
from forecaster.cluster.whole import CONFIG_MAPS, Whole, one_object, whole_objects
from forecaster.errors import ClusterRefused
from forecaster.migration.adapter import read_adapter_rules
from forecaster.migration.manifests import as_mapping, manifest_of

__all__ = ["Place", "named_configurations", "usual_configurations"]

# The chart's label, that of older charts, and the names of the chart's and of kube-prometheus.
_USUAL = (
    {"labelSelector": "app.kubernetes.io/name=prometheus-adapter"},
    {"labelSelector": "app=prometheus-adapter"},
    {"fieldSelector": "metadata.name=prometheus-adapter"},
    {"fieldSelector": "metadata.name=adapter-config"},
)
_NAME_IT = "write for example --adapter-configmap monitoring/my-adapter"

Place = tuple[str, str]
"""Namespace and name."""


def named_configurations(client: ClusterClient, places: Iterable[Place]) -> list[Whole]:
    """These ConfigMaps, by namespace and name; ClusterRefused where one cannot be read, or has no
    rules."""
    return [_named(client, *one) for one in sorted(set(places))]


def usual_configurations(
    client: ClusterClient, apis: Iterable[Whole], namespaces: Iterable[str]
) -> tuple[list[Whole], str, str]:
    """What has a usual name and rules; the right that was missing, and what is to be noted.

    ``apis`` are the APIServices of the metrics APIs, ``namespaces`` those that may be read.
    """
    try:
        found = _selected(client, None)
    except ClusterRefused as error:
        if error.status != 403:
            raise
    else:
        absent = "no ConfigMap with prometheus-adapter's rules has one of its usual names or labels"
        return found, "", "" if found else f"{absent}; {_NAME_IT}"
    found = []
    for namespace in sorted({*map(_served_from, apis), *namespaces} - {""}):
        with suppress(ClusterRefused):
            found += _selected(client, namespace)
    missing = (
        f"{CONFIG_MAPS.full_name} may not be read: the rules of prometheus-adapter are not known, "
        f"so metrics that it answers are dropped; allow {rule_text(CONFIG_MAPS, ('list',))}, or "
        f"{_NAME_IT}"
    )
    return found, "" if found else missing, ""


def _selected(client: ClusterClient, namespace: str | None) -> list[Whole]:
    found: dict[Place, Whole] = {}
    for selecting in _USUAL:
        for one in whole_objects(client, CONFIG_MAPS, namespace, selecting=selecting):
            about = one["metadata"]
            if _has_rules(one):
                found[str(about.get("namespace") or ""), about["name"]] = one
    return [found[key] for key in sorted(found)]


def _named(client: ClusterClient, namespace: str, name: str) -> Whole:
    try:
        one = one_object(client, CONFIG_MAPS, namespace, name)
    except ClusterRefused as error:
        if error.status != 403:
            raise
        allow = rule_text(CONFIG_MAPS, ("get",))
        raise ClusterRefused(f"{error}; allow {allow}", status=403) from error
    if not _has_rules(one):
        raise ClusterRefused(
            f"ConfigMap {namespace}/{name} has no rules of prometheus-adapter: none of its keys, "
            "such as config.yaml, holds rules or externalRules"
        )
    return one


def _served_from(api: Whole) -> str:
    service = as_mapping(as_mapping(api.get("spec")).get("service"))
    return str(service.get("namespace") or "")


def _has_rules(one: Whole) -> bool:
    return bool(read_adapter_rules([manifest_of(one, "")]))
