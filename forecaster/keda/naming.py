"""Names that Kubernetes takes: 63 characters for a ScaledObject and for its HPA."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from forecaster.keda.manifests import mapping_at

__all__ = [
    "LONGEST_NAME",
    "PLACEHOLDER",
    "headroom_path",
    "hpa_name",
    "is_headroom",
    "is_headroom_trigger",
    "is_preroll_trigger",
    "scaled_object_name",
    "target_path",
]

# The name is the value of a label as well (scaledobject.keda.sh/name).
LONGEST_NAME = 63
_PREFIX = "keda-hpa-"

PLACEHOLDER = "preroll-placeholder"
"""The label app.kubernetes.io/name of all that head-room needs."""

_LABEL = "app.kubernetes.io/name"


def scaled_object_name(workload: str) -> str:
    """The workload's name; one that is too long is cut, and ends with a print of the whole."""
    if len(workload) <= LONGEST_NAME:
        return workload
    return (
        f"{workload[: LONGEST_NAME - 9].rstrip('-.')}-{sha256(workload.encode()).hexdigest()[:8]}"
    )


def hpa_name(scaled_object: str) -> str | None:
    """A name for the HPA where KEDA's own, keda-hpa-NAME, is too long; else None."""
    return scaled_object if len(_PREFIX + scaled_object) > LONGEST_NAME else None


def target_path(url: str) -> str | None:
    """``namespace/name`` of the workload whose target is asked at ``url``; None at others."""
    return _path_below("targets", url)


def headroom_path(url: str) -> str | None:
    """The same, of a url that asks for a workload's placeholders."""
    return _path_below("headroom", url)


def _path_below(what: str, url: str) -> str | None:
    parts = urlsplit(url).path.strip("/").split("/")
    for at in range(len(parts) - 3):
        if parts[at : at + 2] == ["v1", what]:
            return f"{unquote(parts[at + 2])}/{unquote(parts[at + 3])}"
    return None


def is_preroll_trigger(trigger: Mapping[str, Any]) -> bool:
    """Whether a trigger asks Preroll: by its address, or by its name where that tells nothing."""
    if trigger.get("type") != "metrics-api":
        return False
    return trigger.get("name") == "preroll" or target_path(_url(trigger)) is not None


def is_headroom_trigger(trigger: Mapping[str, Any]) -> bool:
    """Whether a trigger asks Preroll for placeholders, by its address."""
    return trigger.get("type") == "metrics-api" and headroom_path(_url(trigger)) is not None


def is_headroom(data: Mapping[str, Any]) -> bool:
    """Whether an object is there for head-room, and no workload of anybody's."""
    if data.get("kind") == "ScaledObject":
        triggers = mapping_at(data, "spec").get("triggers")
        return isinstance(triggers, list) and any(
            isinstance(one, dict) and is_headroom_trigger(one) for one in triggers
        )
    return mapping_at(data, "metadata", "labels").get(_LABEL) == PLACEHOLDER


def _url(trigger: Mapping[str, Any]) -> str:
    metadata = trigger.get("metadata")
    return str((metadata.get("url") if isinstance(metadata, Mapping) else None) or "")
