"""What an older object said, and a new one says otherwise: told, never changed in silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forecaster.keda.existing import Existing
from forecaster.keda.manifests import mapping_at
from forecaster.keda.trap import Trap

__all__ = ["from_zero", "not_kept", "renamed_trigger"]


def not_kept(subject: str, spec: Mapping[str, Any], found: Existing) -> list[Trap]:
    """The way up and the fallback of what is ``found``, where ``spec`` has others."""
    return [*_no_fallback(subject, found), *_replaced(subject, spec, found)]


def from_zero(subject: str, found: Existing | None) -> Trap:
    """A minimum of 0, in the place of which 1 is written."""
    where = "min_replicas of preroll.yaml"
    if found is not None and found.min_replicas is not None:
        key = "minReplicaCount" if found.kind == "ScaledObject" else "minReplicas"
        where = f"{key} of {found.kind} {found.namespace}/{found.name}"
    return Trap(
        "min-zero",
        subject,
        "spec.minReplicaCount",
        "0",
        f"{where} is 0, and 1 is written: from 0 KEDA's own loop starts the first pod, up to a "
        "pollingInterval later than HPA would",
        "write 0 by hand where scaling to zero is worth that",
    )


def _replaced(subject: str, spec: Mapping[str, Any], found: Existing) -> list[Trap]:
    """What an older object says of the way up, and now holds no more."""
    old = mapping_at(found.behavior or {}, "scaleUp")
    place = "spec.advanced.horizontalPodAutoscalerConfig.behavior"
    new = mapping_at(spec, *place.split(".")[1:], "scaleUp")
    if all(new.get(key) == value for key, value in old.items() if key != "tolerance"):
        return []
    told = (
        "it would slow down the way to what is predicted, and the whole way in one sync is written "
        "in its place"
    )
    advice = "keep it by --keep-scale-up where pods must not start all at once"
    shown = json.dumps(old, sort_keys=True)
    return [Trap("scale-up-replaced", subject, f"{place}.scaleUp", shown, told, advice)]


def _no_fallback(subject: str, found: Existing) -> list[Trap]:
    if mapping_at(found.spec, "fallback").get("replicas") != 0:
        return []
    told = "no answer from a trigger would mean no replicas, and the minimum is written instead"
    advice = "write what an ordinary evening needs"
    return [Trap("fallback-zero", subject, "spec.fallback.replicas", "0", told, advice)]


def renamed_trigger(subject: str, old: str, new: str) -> Trap:
    """A trigger that a formula could not name."""
    told = f"a formula cannot name it so, and it is called {new} now"
    advice = f'change the label scaler="{old}" in alerts on KEDA\'s metrics'
    return Trap("trigger-renamed", subject, "spec.triggers", old or "without a name", told, advice)
