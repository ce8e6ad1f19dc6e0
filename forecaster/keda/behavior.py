"""How HPA moves, and what KEDA does when nobody answers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from forecaster.keda.existing import Existing
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import hpa_name
from forecaster.keda.options import ScaledObjectOptions

__all__ = ["advanced_of", "fallback_of", "whole_way_up"]

# One sync goes the whole way up, to whatever maximum.
_LEAST_PODS_A_SYNC = 1000
_SYNC_SECONDS = 15


def fallback_of(
    spec: Mapping[str, Any], options: ScaledObjectOptions, least: int, *, formula: bool
) -> dict[str, Any]:
    """A pure hold at first: never fewer than are running."""
    old = mapping_at(spec, "fallback")
    fallback: dict[str, Any] = {
        "failureThreshold": old.get("failureThreshold", options.failure_threshold),
        # 0 would mean no replicas where there is no answer: never written.
        "replicas": old.get("replicas") or least,
    }
    if formula and options.has_formula_fallback:
        fallback["behavior"] = "scalingModifiers"
    elif options.has_fallback_behavior:
        # Without a behavior an older fallback is static, as it was meant.
        kept = old.get("behavior") if old else "currentReplicasIfHigher"
        kept = "currentReplicasIfHigher" if kept == "scalingModifiers" else kept
        if kept is not None:
            fallback["behavior"] = kept
    return fallback


def advanced_of(
    spec: Mapping[str, Any],
    options: ScaledObjectOptions,
    found: Existing | None,
    name: str,
    modifiers: Mapping[str, str] | None,
    most: int,
) -> dict[str, Any]:
    """The HPA's name and behaviour, and the formula; what stands there beside them is kept."""
    advanced = copy.deepcopy(mapping_at(spec, "advanced"))
    hpa = mapping_at(advanced, "horizontalPodAutoscalerConfig")
    if found and found.kind == "HorizontalPodAutoscaler":
        hpa["name"] = found.name
    elif not hpa.get("name") and (short := hpa_name(name)) is not None:
        hpa["name"] = short
    hpa["behavior"] = _behavior({} if found is None else found.behavior or {}, options, most)
    advanced["horizontalPodAutoscalerConfig"] = hpa
    advanced.pop("scalingModifiers", None)
    if modifiers is not None:
        advanced["scalingModifiers"] = dict(modifiers)
    elif old := mapping_at(spec, "advanced", "scalingModifiers"):
        advanced["scalingModifiers"] = old
    return advanced


def whole_way_up(most: int) -> dict[str, Any]:
    """scaleUp that reaches any target up to ``most`` in one sync."""
    policy = {
        "type": "Pods",
        "value": max(_LEAST_PODS_A_SYNC, most),
        "periodSeconds": _SYNC_SECONDS,
    }
    return {"stabilizationWindowSeconds": 0, "policies": [policy], "selectPolicy": "Max"}


def _behavior(old: Mapping[str, Any], options: ScaledObjectOptions, most: int) -> dict[str, Any]:
    """All the way up in one sync; the way down as it was."""
    up = whole_way_up(most)
    if options.keep_scale_up and mapping_at(old, "scaleUp"):
        up = copy.deepcopy(mapping_at(old, "scaleUp"))
    down = copy.deepcopy(mapping_at(old, "scaleDown"))
    down.setdefault("stabilizationWindowSeconds", options.scale_down_seconds)
    down.setdefault("selectPolicy", "Max")
    if options.has_tolerance:
        up["tolerance"] = "0"
    else:
        up.pop("tolerance", None)
        down.pop("tolerance", None)
    if "tolerance" in down:
        down["tolerance"] = str(down["tolerance"])
    return {"scaleUp": up, "scaleDown": down}
