"""Traps in one ScaledObject, its triggers aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from forecaster.durations import format_duration
from forecaster.keda.fields import FALLBACK_BEHAVIORS, FIELDS
from forecaster.keda.formula_traps import formula_traps
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import LONGEST_NAME, is_preroll_trigger
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.trap import Trap
from forecaster.settings.values import WorkloadSettings

__all__ = ["keda_delay", "object_traps", "rule_traps", "triggers_in"]

_SYNC = timedelta(seconds=15)
_BEHAVIOR = "spec.advanced.horizontalPodAutoscalerConfig.behavior"
# Fields that are not ours to know all of.
_OPEN = frozenset(["metadata", "spec.triggers.metadata", "spec.secretTargetRef", ""])


def triggers_in(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The triggers of a ScaledObject; what is no mapping among them is left out."""
    triggers = mapping_at(data, "spec").get("triggers")
    return [one for one in triggers if isinstance(one, dict)] if isinstance(triggers, list) else []


def object_traps(
    subject: str, data: Mapping[str, Any], options: ScaledObjectOptions
) -> Iterator[Trap]:
    """Names, fields, fallback, formula and behaviour."""
    spec, triggers = mapping_at(data, "spec"), triggers_in(data)
    yield from _names(subject, data)
    yield from _unknown_fields(subject, spec, "spec", "spec")
    yield from _trigger_names(subject, triggers)
    yield from _fallback(subject, spec)
    yield from formula_traps(subject, spec, triggers, options)
    if any(is_preroll_trigger(one) for one in triggers):
        yield from _minimum(subject, spec)
        yield from _behavior(subject, spec, options)


def keda_delay(spec: Mapping[str, Any]) -> timedelta:
    """From "value served" to "replicas asked for", at the worst: what KEDA and HPA take.

    One HPA sync of 15 s; the window of scaleUp, in which the lowest value counts; and the
    pollingInterval where HPA is given cached values, or where KEDA's loop has to start from 0.
    """
    up = mapping_at(spec, *_BEHAVIOR.split(".")[1:], "scaleUp")
    delay = _SYNC + timedelta(seconds=_whole(up.get("stabilizationWindowSeconds"), 0))
    ours = [one for one in triggers_in({"spec": spec}) if is_preroll_trigger(one)]
    cached = any(one.get("useCachedMetrics") is True for one in ours)
    if cached or _whole(spec.get("minReplicaCount"), 0) == 0:
        delay += timedelta(seconds=_whole(spec.get("pollingInterval"), 30))
    return delay


def rule_traps(subject: str, data: Mapping[str, Any], workload: WorkloadSettings) -> Iterator[Trap]:
    """Where the object and the settings of its workload do not fit together."""
    spec, rule = mapping_at(data, "spec"), workload.rule
    delay = keda_delay(spec)
    if rule.lead_time <= delay and not workload.measured.lead_time:
        told = (
            f"KEDA and HPA alone may take {format_duration(delay)} until they ask for replicas (a "
            "sync of 15 s, scaleUp's window, the pollingInterval where values are cached or the "
            "minimum is 0), and a pod has to start after that"
        )
        shown, advice = format_duration(rule.lead_time), "write what it takes until a pod is ready"
        yield Trap("lead-time", subject, "lead_time of preroll.yaml", shown, told, advice)
    for key, default, wanted in (
        ("minReplicaCount", 0, max(rule.min_replicas, 1)),
        ("maxReplicaCount", 100, rule.max_replicas),
    ):
        stands = _whole(spec.get(key), default)
        setting = "min_replicas" if key.startswith("min") else "max_replicas"
        if stands != wanted:
            told = f"preroll.yaml has a {setting} of {wanted}, and HPA obeys its own bound"
            if setting == "max_replicas" and stands < wanted:
                told += f": a target above {stands} is never reached"
            advice = f"write the same number in both, {key}: {wanted} or {setting}: {stands}"
            yield Trap("bounds", subject, f"spec.{key}", str(stands), told, advice)


def _names(subject: str, data: Mapping[str, Any]) -> Iterator[Trap]:
    name = str(mapping_at(data, "metadata").get("name") or "")
    config = mapping_at(data, "spec", "advanced", "horizontalPodAutoscalerConfig")
    hpa, place = str(config.get("name") or ""), f"{_BEHAVIOR.rpartition('.')[0]}.name"
    told = f"of {LONGEST_NAME} characters at the most; KEDA refuses it"
    if len(name) > LONGEST_NAME:
        shown = f"{name} ({len(name)} characters)"
        yield Trap("name-length", subject, "metadata.name", shown, told, "give it a shorter name")
    if len(hpa or f"keda-hpa-{name}") > LONGEST_NAME:
        shown = hpa or f"keda-hpa-{name}"
        yield Trap(
            "name-length",
            subject,
            place,
            f"{shown} ({len(shown)} characters)",
            f"the HPA's name is {told}",
            "write a shorter name there",
        )


def _unknown_fields(subject: str, value: Any, place: str, shape: str) -> Iterator[Trap]:
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from _unknown_fields(subject, one, f"{place}[{at}]", shape)
        return
    if not isinstance(value, Mapping) or shape in _OPEN or shape not in FIELDS:
        return
    for key, inner in value.items():
        if key in FIELDS[shape]:
            yield from _unknown_fields(subject, inner, f"{place}.{key}", f"{shape}.{key}")
            continue
        near = next(iter(get_close_matches(key, FIELDS[shape], cutoff=0.5)), None)
        advice = f"write {near}" if near else f"there are {', '.join(FIELDS[shape])}"
        told = "KEDA does not know the field: kubectl refuses the object, others drop the field"
        yield Trap("unknown-field", subject, f"{place}.{key}", "", told, advice)


def _trigger_names(subject: str, triggers: list[dict[str, Any]]) -> Iterator[Trap]:
    seen: dict[str, int] = {}
    for at, one in enumerate(triggers):
        name = str(one.get("name") or "")
        if name and name in seen:
            told = f"trigger {seen[name]} has the same name, and KEDA refuses the object"
            place = f"spec.triggers[{at}].name"
            yield Trap("trigger-name", subject, place, name, told, f"write {name}-2")
        seen.setdefault(name, at)


def _fallback(subject: str, spec: Mapping[str, Any]) -> Iterator[Trap]:
    fallback = mapping_at(spec, "fallback")
    if not fallback:
        return
    replicas, least = fallback.get("replicas"), _whole(spec.get("minReplicaCount"), 0)
    if replicas == 0:
        told = "no answer from a trigger then means no replicas at all"
        if least == 0:
            told += ", and with a minReplicaCount of 0 the workload flaps between 0 and 1"
        advice = f"write replicas: {max(least, 1)} and behavior: currentReplicasIfHigher"
        yield Trap("fallback-zero", subject, "spec.fallback.replicas", "0", told, advice)
    behavior = str(fallback.get("behavior", "static"))
    if behavior not in FALLBACK_BEHAVIORS:
        advice = f"write one of {', '.join(FALLBACK_BEHAVIORS)}"
        told = "KEDA does not know it"
        yield Trap("fallback", subject, "spec.fallback.behavior", behavior, told, advice)


def _minimum(subject: str, spec: Mapping[str, Any]) -> Iterator[Trap]:
    if _whole(spec.get("minReplicaCount"), 0) == 0:
        shown = "0" if "minReplicaCount" in spec else "missing, so 0"
        told = "from 0 KEDA's own loop starts the first pod, up to a pollingInterval later"
        advice = "write 1 or more: HPA then asks Preroll itself, every 15 s"
        yield Trap("min-zero", subject, "spec.minReplicaCount", shown, told, advice)


def _behavior(
    subject: str, spec: Mapping[str, Any], options: ScaledObjectOptions
) -> Iterator[Trap]:
    up = mapping_at(spec, *_BEHAVIOR.split(".")[1:], "scaleUp")
    if not up.get("policies"):
        told = "without policies HPA adds 4 pods or doubles, sync by sync: 7 to 50 took 36 s"
        advice = "write policies: [{type: Pods, value: 1000, periodSeconds: 15}]"
        place = f"{_BEHAVIOR}.scaleUp.policies"
        yield Trap("slow-scale-up", subject, place, "missing", told, advice)
    elif up.get("selectPolicy") == "Disabled":
        told, place = "HPA never scales up", f"{_BEHAVIOR}.scaleUp.selectPolicy"
        yield Trap("slow-scale-up", subject, place, "Disabled", told, "write selectPolicy: Max")
    window = _whole(up.get("stabilizationWindowSeconds"), 0)
    if window:
        told = f"HPA follows the lowest value of the last {window} s on the way up"
        advice = "write 0: a prediction is early already"
        place = f"{_BEHAVIOR}.scaleUp.stabilizationWindowSeconds"
        yield Trap("slow-scale-up", subject, place, str(window), told, advice)
    if _as_zero(up.get("tolerance")):
        return
    shown, place = str(up.get("tolerance", "missing")), f"{_BEHAVIOR}.scaleUp.tolerance"
    told = "HPA does nothing within 10 % of the value: 91 replicas are enough for a floor of 100"
    advice = 'write tolerance: "0"'
    if not options.has_tolerance:
        advice = (
            'from Kubernetes 1.35 and KEDA 2.18 on write tolerance: "0"; before, divide the '
            "workload's capacity in preroll.yaml by 1.1"
        )
    yield Trap("dead-band", subject, place, shown, told, advice)


def _as_zero(value: Any) -> bool:
    try:
        return float(value) == 0
    except (TypeError, ValueError):
        return False


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
