"""The fields of a ScaledObject that KEDA 2.20 and Kubernetes 1.36 were seen to take.

KEDA ignores a trigger's unknown keys without a word, so a misspelt one is no error anywhere but
here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.deploy.documents import Document

Check = Callable[[Any], bool]
Shape = dict[str, Any]


def text(*allowed: str) -> Check:
    return lambda value: isinstance(value, str) and (not allowed or value in allowed)


def whole(least: int, most: int = 2**31 - 1) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def number_in_text(value: Any) -> bool:
    """KEDA's metadata are strings; a target of 0 is refused."""
    return (
        isinstance(value, str)
        and re.fullmatch(r"\d+(\.\d+)?", value) is not None
        and float(value) > 0
    )


NAME = text()
POLICY: Shape = {
    "type!": text("Pods", "Percent"),
    "value!": whole(1),
    "periodSeconds!": whole(1, 1800),
}
RULES: Shape = {
    "stabilizationWindowSeconds": whole(0, 3600),
    "policies": [POLICY],
    "selectPolicy": text("Max", "Min", "Disabled"),
    # A quantity: a bare 0 would do as well, 0.05 would not survive every tool.
    "tolerance": lambda value: isinstance(value, str) and float(value) >= 0,
}
METRICS_API: Shape = {
    "type!": text("metrics-api"),
    "name!": NAME,
    # Value would be multiplied by the ready pods at every sync.
    "metricType!": text("AverageValue"),
    "useCachedMetrics": lambda value: value is False,
    "metadata!": {
        "url!": lambda value: (
            re.fullmatch(r"http://[a-z0-9-]+\.[a-z0-9-]+\.svc(:\d+)?/[^?#\s]+", value) is not None
        ),
        "valueLocation!": text("replicas"),
        "targetValue!": lambda value: value == "1",
        "activationTargetValue": number_in_text,
        "format": text("json", "prometheus", "yaml"),
        # custom and oauth pass KEDA's validation and send nothing.
        "authMode!": text("bearer", "apiKey", "basic", "tls", "tls,bearer"),
        "unsafeSsl": text("true", "false"),
        "aggregateFromKubeServiceEndpoints": text("true", "false"),
        "aggregationType": text("average", "sum", "max", "min"),
        "method": text("header", "query"),
        "keyParamName": NAME,
    },
    "authenticationRef!": {
        "name!": NAME,
        "kind": text("TriggerAuthentication", "ClusterTriggerAuthentication"),
    },
}
CPU: Shape = {
    "type!": text("cpu"),
    "name": NAME,
    "metricType!": text("Utilization"),
    "metadata!": {
        "value!": lambda value: number_in_text(value) and float(value) <= 100,
        "containerName": NAME,
    },
}
SCALED_OBJECT: Shape = {
    "apiVersion!": text("keda.sh/v1alpha1"),
    "kind!": text("ScaledObject"),
    "metadata!": {"name!": NAME, "namespace!": NAME, "labels": dict, "annotations": dict},
    "spec!": {
        "scaleTargetRef!": {"apiVersion": NAME, "kind": NAME, "name!": NAME},
        "minReplicaCount!": whole(1),
        "maxReplicaCount!": whole(1),
        "pollingInterval": whole(1),
        "cooldownPeriod": whole(0),
        "fallback!": {
            "failureThreshold!": whole(1),
            "replicas!": whole(1),
            "behavior!": text(
                "static",
                "currentReplicas",
                "currentReplicasIfHigher",
                "currentReplicasIfLower",
                "scalingModifiers",
            ),
        },
        "advanced!": {
            "restoreToOriginalReplicaCount": lambda value: isinstance(value, bool),
            "horizontalPodAutoscalerConfig!": {
                "name": NAME,
                # Without a selectPolicy, KEDA's first versions with paused-scale-in leave
                # scale-down disabled for good.
                "behavior!": {
                    "scaleUp!": RULES,
                    "scaleDown!": {
                        **{key: rule for key, rule in RULES.items() if key != "selectPolicy"},
                        "selectPolicy!": RULES["selectPolicy"],
                    },
                },
            },
        },
        "triggers!": lambda value: isinstance(value, list) and len(value) == 2,
    },
}


def faults(shape: Any, value: Any, place: str = "") -> Iterator[str]:
    """What is missing, unknown or of the wrong kind; a key with ``!`` has to be there."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{place}: not a mapping"
            return
        known = {key.rstrip("!"): inner for key, inner in shape.items()}
        yield from (f"{place}.{key}: unknown" for key in value.keys() - known.keys())
        needed = {key[:-1] for key in shape if key.endswith("!")}
        yield from (f"{place}.{key}: missing" for key in needed - value.keys())
        for key in value.keys() & known.keys():
            yield from faults(known[key], value[key], f"{place}.{key}")
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            yield f"{place}: not a list with something in it"
            return
        for index, one in enumerate(value):
            yield from faults(shape[0], one, f"{place}[{index}]")
    elif isinstance(shape, type):
        if not isinstance(value, shape):
            yield f"{place}: {value!r}"
    elif not shape(value):
        yield f"{place}: {value!r}"


def all_faults(scaled_object: Document) -> list[str]:
    """What is wrong with a ScaledObject and its triggers, by place."""
    found = list(faults(SCALED_OBJECT, scaled_object))
    for one in scaled_object["spec"]["triggers"]:
        found += faults(METRICS_API if one["type"] == "metrics-api" else CPU, one, one["type"])
    return found
