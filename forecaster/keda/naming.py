"""Names that Kubernetes takes: 63 characters for a ScaledObject and for its HPA."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["LONGEST_NAME", "hpa_name", "is_preroll_trigger", "scaled_object_name", "target_path"]

# The name is the value of a label as well (scaledobject.keda.sh/name).
LONGEST_NAME = 63
_PREFIX = "keda-hpa-"


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
    parts = urlsplit(url).path.strip("/").split("/")
    for at in range(len(parts) - 3):
        if parts[at : at + 2] == ["v1", "targets"]:
            return f"{unquote(parts[at + 2])}/{unquote(parts[at + 3])}"
    return None


def is_preroll_trigger(trigger: Mapping[str, Any]) -> bool:
    """Whether a trigger asks Preroll: by its address, or by its name where that tells nothing."""
    if trigger.get("type") != "metrics-api":
        return False
    metadata = trigger.get("metadata")
    url = metadata.get("url") if isinstance(metadata, Mapping) else None
    return trigger.get("name") == "preroll" or target_path(str(url or "")) is not None
