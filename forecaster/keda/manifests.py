"""Manifests as plain objects: files with several documents, List objects, what kubectl prints."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from forecaster.errors import EventFileError, ManifestError
from forecaster.programme.yaml_data import read_yaml_documents

__all__ = ["mapping_at", "read_manifests", "without_server_fields"]

# What the API server keeps for itself.
_SERVER_FIELDS = (
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NAMESPACED_BY_HAND = frozenset(["APIService", "Namespace", "CustomResourceDefinition"])


def read_manifests(text: str, source: str, namespace: str = "default") -> list[dict[str, Any]]:
    """Every object of a YAML or JSON text; lists are taken apart.

    An object without a namespace is in ``namespace``. ManifestError, with the place, for what is no
    YAML or no object of Kubernetes.
    """
    try:
        documents = read_yaml_documents(text, source)
    except EventFileError as error:
        raise ManifestError(str(error).partition("\nA valid example:")[0]) from error
    objects = []
    for document in documents:
        if document.repeated:
            keys, first, line = document.repeated[0]
            told = f"{keys[-1]!r} stands twice, in line {first} and in line {line}"
            raise ManifestError(f"{source}: {told}; keep one of them")
        for keys, data in _taken_apart(document.data):
            if not (isinstance(data, dict) and data.get("apiVersion") and data.get("kind")):
                raise ManifestError(
                    f"{source}, line {document.line_of(keys)}: not an object of Kubernetes, it has "
                    "no apiVersion and kind; for example the output of: kubectl get hpa -o yaml"
                )
            objects.append(_placed(data, namespace))
    return objects


def _taken_apart(data: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    is_list = isinstance(data, dict) and str(data.get("kind", "")).endswith("List")
    if is_list and isinstance(data.get("items"), list):
        for at, one in enumerate(data["items"]):
            if isinstance(one, dict):  # kubectl leaves a list's kinds out where they are one
                kind = str(data["kind"]).removesuffix("List")
                implied = {"apiVersion": data.get("apiVersion"), "kind": kind} if kind else {}
                yield ("items", at), {**implied, **one}
            else:
                yield ("items", at), one
    else:
        yield (), data


def _placed(data: dict[str, Any], namespace: str) -> dict[str, Any]:
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and data["kind"] not in _NAMESPACED_BY_HAND:
        return {
            **data,
            "metadata": {**metadata, "namespace": metadata.get("namespace") or namespace},
        }
    return data


def mapping_at(data: Any, *keys: str) -> dict[str, Any]:
    """The mapping at ``keys``, or an empty one where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return dict(data) if isinstance(data, Mapping) else {}


def without_server_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without the status, and without what the API server and kubectl write into it."""
    kept = {key: copy.deepcopy(value) for key, value in data.items() if key != "status"}
    metadata = mapping_at(kept, "metadata")
    for key in _SERVER_FIELDS:
        metadata.pop(key, None)
    annotations = mapping_at(metadata, "annotations")
    annotations.pop(_APPLIED, None)
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    kept["metadata"] = metadata
    return kept
