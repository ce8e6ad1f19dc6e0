"""Why each value is as it is: the comments of the objects that are printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forecaster.keda.existing import Existing
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import is_preroll_trigger
from forecaster.keda.object_traps import triggers_in
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.yaml_text import Comments

__all__ = ["reasons_of"]

_HPA = "spec.advanced.horizontalPodAutoscalerConfig"
_UP, _DOWN = f"{_HPA}.behavior.scaleUp", f"{_HPA}.behavior.scaleDown"


def reasons_of(
    data: Mapping[str, Any], options: ScaledObjectOptions, found: Existing | None = None
) -> Comments:
    """The comments of a ScaledObject or a TriggerAuthentication, by place.

    They follow from the values: what an older object brought gets none that does not fit.
    """
    if data.get("kind") == "TriggerAuthentication":
        return _authentication(data, options)
    spec = mapping_at(data, "spec")
    return {
        "": _head(data, options, found),
        **_bounds(data, spec),
        **_fallback(spec),
        **_behavior(spec, options),
        **_formula(spec, options),
        **_triggers(data, found),
    }


def _authentication(data: Mapping[str, Any], options: ScaledObjectOptions) -> Comments:
    namespace = mapping_at(data, "metadata").get("namespace")
    return {
        "": "The token that KEDA sends; one of these serves a whole namespace. With one of the "
        "server's tokens in $token, without a line break, the Secret is made by\n"
        f"  kubectl create secret generic {options.secret} --namespace {namespace} \\\n"
        '    --from-literal=token="$token"',
        "spec.secretTargetRef[0].parameter": "The name that authMode bearer looks for.",
    }


def _head(data: Mapping[str, Any], options: ScaledObjectOptions, found: Existing | None) -> str:
    modifiers = mapping_at(data, "spec", "advanced", "scalingModifiers")
    newest = [
        "KEDA 2.20" if "?" in str(modifiers.get("formula")) else "KEDA 2.18",
        "Kubernetes 1.35",
    ]
    if not options.has_tolerance:
        newest = [f"KEDA {options.keda[0]}.{options.keda[1]}"]
    text = (
        "A workload under Preroll's floor: the predicted replicas are there before the traffic, "
        "and HPA takes the largest of this and of the triggers beside it. Printed by preroll "
        f"scaledobject, for {' and '.join(newest)} or later."
    )
    if found is not None and found.kind == "HorizontalPodAutoscaler":
        text += "\n\n" + _taking_over(mapping_at(data, "spec"), data, found)
    return text


def _taking_over(spec: Mapping[str, Any], data: Mapping[str, Any], found: Existing) -> str:
    hpa = mapping_at(spec, "advanced", "horizontalPodAutoscalerConfig").get("name") or found.name
    metadata = mapping_at(data, "metadata")
    namespace = metadata.get("namespace")
    return (
        f"KEDA takes over the HPA {hpa}, by the annotation and by the name below, so that the "
        "workload is never without an autoscaler. In this order:\n"
        "  1. Preroll knows the workload, in mode shadow.\n"
        f"  2. Nothing applies the manifest of the HPA {hpa} any more.\n"
        "  3. Apply this object. The HPA has an external metric now:\n"
        f"       kubectl describe hpa {hpa} --namespace {namespace}\n"
        "  4. Take the HPA's manifest out of the repository.\n"
        "The way back: delete this object, with which the HPA goes as well, and apply the HPA's "
        "manifest at once. The replicas stay as they are meanwhile."
    )


def _bounds(data: Mapping[str, Any], spec: Mapping[str, Any]) -> Comments:
    name = str(mapping_at(data, "metadata").get("name"))
    hpa = mapping_at(spec, "advanced", "horizontalPodAutoscalerConfig").get("name")
    reasons = {
        "spec.minReplicaCount": "At least 1: from then on HPA sets the pace, and asks Preroll "
        "itself, every 15 s. The same two numbers stand in preroll.yaml, as min_replicas and "
        "max_replicas.",
        "spec.pollingInterval": "KEDA's own loop. With a minimum of 1 or more it decides nothing: "
        "it counts failures and keeps the status.",
    }
    if not hpa:
        reasons["metadata.name"] = (
            f"The HPA becomes keda-hpa-{name}; both names end at 63 characters."
        )
    if spec.get("cooldownPeriod") == 300:
        reasons["spec.cooldownPeriod"] = (
            "Only for the way from 1 to 0, which this workload never takes; KEDA's default."
        )
    return reasons


def _fallback(spec: Mapping[str, Any]) -> Comments:
    fallback = mapping_at(spec, "fallback")
    behavior = fallback.get("behavior", "static")
    reasons = {
        "spec.fallback": 'When Preroll cannot be asked, or answers 503: "I don\'t know". Without '
        "a fallback HPA holds as well, and the other triggers can still scale up.",
        "spec.fallback.failureThreshold": "Failures in a row, over KEDA's loop and HPA's questions "
        "together, each asked twice: 3 are passed after about 22 s.",
    }
    if behavior == "currentReplicasIfHigher":
        reasons["spec.fallback.replicas"] = (
            "At least so many, from then on. Equal to minReplicaCount it is a pure hold, right for "
            "shadow mode; in active mode write what an ordinary evening needs. Never 0."
        )
        reasons["spec.fallback.behavior"] = (
            "Never fewer than are running: a peak outlives the predictor. KEDA 2.17 or later."
        )
    elif behavior == "scalingModifiers":
        reasons["spec.fallback.replicas"] = "Only where the formula itself has no value. Never 0."
        reasons["spec.fallback.behavior"] = (
            "A trigger that failed so often is left out of the formula, by its ??, and the others "
            "go on. KEDA 2.20 or later."
        )
    elif behavior == "static":
        reasons["spec.fallback.replicas"] = (
            "Just so many, from then on, whatever is running; the other triggers can ask for more. "
            "Never 0."
        )
    return reasons


def _behavior(spec: Mapping[str, Any], options: ScaledObjectOptions) -> Comments:
    up = mapping_at(spec, *_UP.split(".")[1:])
    reasons = {}
    if up.get("stabilizationWindowSeconds") == 0:
        reasons[f"{_UP}.stabilizationWindowSeconds"] = (
            "At once: the prediction is early already, and never flickers."
        )
    if up.get("policies") and not options.keep_scale_up:
        reasons[f"{_UP}.policies"] = (
            "The whole way in one sync. Without policies HPA adds 4 or doubles, sync by sync: 7 to "
            "50 replicas took 36 s."
        )
    if up.get("tolerance") == "0":
        reasons[f"{_UP}.tolerance"] = (
            'HPA does nothing while it is within 10 % of the value: a floor of 100 would be "met" '
            'by 91 replicas. "0" ends that. From Kubernetes 1.35 and KEDA 2.18 on; in quotes, for '
            "it is a quantity."
        )
    elif not options.has_tolerance:
        reasons[_UP] = (
            "No tolerance, which needs Kubernetes 1.35 and KEDA 2.18: HPA does nothing while it is "
            "within 10 % of the value, so 91 replicas are enough for a floor of 100. Divide the "
            "workload's capacity in preroll.yaml by 1.1 instead."
        )
    down = mapping_at(spec, *_DOWN.split(".")[1:])
    if down.get("selectPolicy") == "Max":
        reasons[f"{_DOWN}.selectPolicy"] = (
            "What HPA does anyway, written so that it comes back: where it is not, some KEDA since "
            "2.18 leave scale-down disabled when the annotation paused-scale-in is taken off."
        )
    if down.get("stabilizationWindowSeconds"):
        reasons[f"{_DOWN}.stabilizationWindowSeconds"] = (
            "The highest value of so many seconds counts: that bridges short gaps, such as a "
            "restart. Preroll's own hold_down comes on top."
        )
    return reasons


def _formula(spec: Mapping[str, Any], options: ScaledObjectOptions) -> Comments:
    modifiers = mapping_at(spec, "advanced", "scalingModifiers")
    if not modifiers:
        return {}
    text = (
        "All external triggers as one metric, in replicas: each value divided by its own target, "
        "and the largest counts, as HPA would do with them one by one. CPU and memory cannot be "
        "named in it, and stay beside it."
    )
    if "??" in str(modifiers.get("formula")):
        text += " ?? 0: without that trigger the others decide."
    elif not options.has_formula_fallback:
        text += " One trigger that fails makes it fail, and HPA holds; KEDA 2.20 knows ?? for that."
    return {
        "spec.advanced.scalingModifiers": text,
        "spec.advanced.scalingModifiers.target": "A value in replicas is divided by 1.",
    }


def _triggers(data: Mapping[str, Any], found: Existing | None) -> Comments:
    reasons = {}
    lost = () if found is None else found.lost
    if lost:
        told = "".join(f"\n  {one.field}: {one.value}" for one in lost)
        reasons["spec.triggers"] = (
            f"Not taken over from the HPA {lost[0].subject.rpartition('/')[2]}, for KEDA has no "
            f"equal; write a trigger for what is needed of it:{told}"
        )
    for at, one in enumerate(triggers_in(data)):
        place = f"spec.triggers[{at}]"
        if is_preroll_trigger(one):
            reasons |= _preroll(place, one)
        elif one.get("type") == "cpu" and (found is None or not found.triggers):
            reasons[place] = (
                "What nobody could foresee. It needs metrics-server, and resources.requests.cpu on "
                "every container of the workload: utilisation is a share of the request."
            )
    return reasons


def _preroll(place: str, trigger: Mapping[str, Any]) -> Comments:
    reasons = {
        f"{place}.name": 'The label "scaler" of KEDA\'s own metrics.',
        f"{place}.metricType": "The value is divided by the target alone, so with a target of 1 it "
        "is the number of replicas. Never Value: that multiplies by the ready replicas at every "
        "sync.",
        f"{place}.metadata.url": "The workload as preroll.yaml names it. No query string: KEDA "
        "drops it in some modes.",
        f"{place}.metadata.valueLocation": 'In the answer 0 is "no floor", which is what shadow '
        "mode gives.",
        f"{place}.metadata.targetValue": "A string, as every value here. KEDA ignores misspelt "
        "keys without a word.",
    }
    if re.search(r"\bbearer\b", str(mapping_at(trigger, "metadata").get("authMode"))):
        reasons[f"{place}.metadata.authMode"] = (
            "Without it KEDA does not send the token, and Preroll answers 401."
        )
    return reasons
