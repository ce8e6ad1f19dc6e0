"""scalingModifiers: all external triggers as one metric, the largest number of replicas.

HPA divides an AverageValue by its target and takes the largest of all triggers. A formula has to
say the same: ``max([preroll ?? 0, (requests ?? 0) / 120])`` with a target of 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from forecaster.keda.manifests import mapping_at
from forecaster.keda.trap import Trap

__all__ = ["PREROLL_VARIABLE", "is_external", "scaling_modifiers", "with_variables"]

PREROLL_VARIABLE = "preroll"

# The key of a scaler's target in its metadata. A trigger of another kind cannot be divided by it.
_TARGET_KEYS: Mapping[str, str] = {
    "aws-cloudwatch": "targetMetricValue",
    "aws-sqs-queue": "queueLength",
    "kafka": "lagThreshold",
    "kubernetes-workload": "value",
    "metrics-api": "targetValue",
    "mysql": "queryValue",
    "postgresql": "targetQueryValue",
    "prometheus": "threshold",
    "rabbitmq": "value",
    "redis": "listLength",
}
# Words of the formula's language that cannot be names in it.
_WORDS = (
    "not in and or matches contains startsWith endsWith let if else true false nil all any "
    "one none map filter find count sum mean median min max abs ceil floor round len int "
    "float string now duration date first last keys values sort reduce get concat "
)
_RESERVED = frozenset(_WORDS.split())


def is_external(trigger: Mapping[str, Any]) -> bool:
    """Whether a formula may name it: all but cpu and memory."""
    return trigger.get("type") not in ("cpu", "memory")


def with_variables(
    triggers: Sequence[Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The triggers with names that a formula can use, and old name to new one where changed."""
    taken = {PREROLL_VARIABLE}
    renamed, result = {}, []
    for trigger in triggers:
        one = dict(trigger)
        if is_external(one) and one.get("name") != PREROLL_VARIABLE:
            name = _variable(str(one.get("name") or one.get("type")), taken)
            if one.get("name") != name:
                renamed[str(one.get("name") or "")] = name
                one["name"] = name
            taken.add(name)
        result.append(one)
    return result, renamed


def _variable(text: str, taken: set[str]) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_") or "trigger"
    if name[0].isdigit() or name in _RESERVED:
        name = f"trigger_{name}"
    plain, count = name, 2
    while name in taken:
        name, count = f"{plain}_{count}", count + 1
    return name


def scaling_modifiers(
    triggers: Sequence[Mapping[str, Any]],
    old: Mapping[str, Any],
    subject: str,
    *,
    fallback: bool = True,
) -> tuple[dict[str, str] | None, list[Trap]]:
    """The formula over Preroll's trigger and the external ones beside it, or None and the reason.

    ``old`` is what stands there already: its formula is one term of the new one. Without
    ``fallback`` KEDA knows no ``??``, and one failing trigger fails all.
    """
    terms, reasons = [f"{PREROLL_VARIABLE} ?? 0" if fallback else PREROLL_VARIABLE], []
    if old.get("formula"):
        formula = " ".join(str(old["formula"]).split())
        if re.search(rf"\b{PREROLL_VARIABLE}\b", formula):
            return {str(key): str(value) for key, value in old.items()}, []
        place = "spec.advanced.scalingModifiers"
        if old.get("metricType") == "Value":
            reasons.append(_cannot(subject, f"{place}.metricType", "Value", _NO_VALUE))
        elif (target := _number(old.get("target"))) is None:
            reasons.append(_cannot(subject, f"{place}.target", str(old.get("target")), _NO_TARGET))
        else:
            terms.append(f"({formula})" if target == "1" else f"({formula}) / {target}")
    else:
        for at, one in enumerate(triggers):
            if is_external(one) and one.get("name") != PREROLL_VARIABLE:
                term = _term(one, fallback=fallback)
                if term is None:
                    reasons.append(_refused_trigger(one, at, subject))
                else:
                    terms.append(term)
    if reasons:
        return None, reasons
    written = f"max([{', '.join(terms)}])"
    return {"formula": written, "target": "1", "metricType": "AverageValue"}, []


_NO_VALUE = "HPA multiplies a Value by the replicas that are ready, which no formula can say"
_NO_TARGET = "it has no target above 0 that its value could be divided by"


def _term(trigger: Mapping[str, Any], *, fallback: bool) -> str | None:
    """A trigger's value in replicas; None where its target is unknown."""
    name = str(trigger["name"])
    value = f"({name} ?? 0)" if fallback else name
    if trigger.get("metricType", "AverageValue") != "AverageValue":
        return None
    if trigger.get("type") == "cron":  # its value is the number of replicas
        return f"{name} ?? 0" if fallback else name
    key = _TARGET_KEYS.get(str(trigger.get("type")))
    target = None if key is None else _number(mapping_at(trigger, "metadata").get(key))
    if target is None:
        return None
    return f"{value} / {target}" if target != "1" else value.strip("()")


def _refused_trigger(trigger: Mapping[str, Any], at: int, subject: str) -> Trap:
    place, kind = f"spec.triggers[{at}]", str(trigger.get("type"))
    if trigger.get("metricType", "AverageValue") != "AverageValue":
        return _cannot(subject, f"{place}.metricType", str(trigger["metricType"]), _NO_VALUE)
    key = _TARGET_KEYS.get(kind)
    if key is None:
        told = "what its value would have to be divided by is not known here"
        return _cannot(subject, f"{place}.type", kind, told)
    shown = str(mapping_at(trigger, "metadata").get(key))
    return _cannot(subject, f"{place}.metadata.{key}", shown, _NO_TARGET)


def _cannot(subject: str, place: str, value: str, why: str) -> Trap:
    advice = "leave --formula out, or write the formula by hand"
    return Trap("formula-impossible", subject, place, value, why, advice)


def _number(value: Any) -> str | None:
    """A target as the formula has it: no quantity, and above 0."""
    text = str(value)
    if re.fullmatch(r"\d+(\.\d+)?", text) is None or float(text) <= 0:
        return None
    return f"{float(text):.15g}"
