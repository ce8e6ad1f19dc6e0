"""Traps in a formula over triggers (scalingModifiers)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from forecaster.keda.formula import is_external
from forecaster.keda.manifests import mapping_at
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.trap import Trap

__all__ = ["formula_traps"]


def formula_traps(
    subject: str,
    spec: Mapping[str, Any],
    triggers: list[dict[str, Any]],
    options: ScaledObjectOptions,
) -> Iterator[Trap]:
    """A formula that leaves a trigger out, or goes down with one."""
    place = "spec.advanced.scalingModifiers"
    modifiers = mapping_at(spec, "advanced", "scalingModifiers")
    formula = str(modifiers.get("formula") or "")
    per_trigger = mapping_at(spec, "fallback").get("behavior") == "scalingModifiers"
    if not formula:
        if per_trigger:
            told = "there is no formula that could go on without a trigger; KEDA refuses it"
            advice = "write behavior: currentReplicasIfHigher"
            yield Trap(
                "fallback", subject, "spec.fallback.behavior", "scalingModifiers", told, advice
            )
        return
    external = [one for one in triggers if is_external(one)]
    absent = [
        str(one.get("name") or one.get("type"))
        for one in external
        if not one.get("name") or not re.search(rf"\b{re.escape(str(one['name']))}\b", formula)
    ]
    if absent:
        told = f"the formula is the only external metric, and {', '.join(absent)} is not in it"
        advice = "name every trigger in it, such as max([preroll ?? 0, (requests ?? 0) / 120])"
        yield Trap("formula", subject, f"{place}.formula", formula, told, advice)
    if "??" not in formula:
        told = "one trigger that fails makes the whole formula fail"
        advice = "write preroll ?? 0 and fallback.behavior: scalingModifiers, from KEDA 2.20 on"
        yield Trap("formula", subject, f"{place}.formula", formula, told, advice)
    elif not per_trigger:
        told = "?? waits for a trigger that failed, and without this fallback none is left out"
        shown = str(mapping_at(spec, "fallback").get("behavior", "missing"))
        advice = "write behavior: scalingModifiers"
        yield Trap("formula", subject, "spec.fallback.behavior", shown, told, advice)
    if len(external) == 1 and "?? 0" in formula and options.has_formula_fallback:
        told = (
            "where Preroll is not there its floor becomes 0, and the CPU trigger and "
            "minReplicaCount decide alone; without a formula the fallback would hold"
        )
        advice = "leave the formula out, unless that is meant"
        yield Trap("formula-alone", subject, f"{place}.formula", formula, told, advice)
    if modifiers.get("metricType") == "Value":
        told = "HPA multiplies the value by the replicas that are ready, anew at every sync"
        advice = "write metricType: AverageValue"
        yield Trap("metric-type", subject, f"{place}.metricType", "Value", told, advice)
