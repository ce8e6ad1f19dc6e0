"""The fields of KEDA's objects as its custom resources have them (2.18 to 2.20), strictly.

From the Go types behind the CRDs, their validation markers, and what the scalers' pages say of
their metadata. Nothing unknown is let through, and a trigger's metadata are strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema

Schema = dict[str, Any]


def closed(needed: Mapping[str, Schema], more: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these keys, the first ones needed, and no others."""
    return {
        "type": "object",
        "properties": {**needed, **(more or {})},
        "required": list(needed),
        "additionalProperties": False,
    }


def whole(least: int, most: int = 2**31 - 1) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


TEXT: Schema = {"type": "string", "minLength": 1}
STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
LABEL: Schema = {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
NUMBER: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$", "not": {"pattern": r"^0+(\.0+)?$"}}
SWITCH = one_of("true", "false")
# A Kubernetes quantity; a bare number would do as well, and would not survive every tool.
QUANTITY: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i)?$"}

POLICY = closed(
    {"type": one_of("Pods", "Percent"), "value": whole(1), "periodSeconds": whole(1, 1800)}
)
RULES = closed(
    {},
    {
        "stabilizationWindowSeconds": whole(0, 3600),
        "policies": {"type": "array", "items": POLICY, "minItems": 1},
        "selectPolicy": one_of("Max", "Min", "Disabled"),
        "tolerance": QUANTITY,
    },
)
HPA_CONFIG = closed(
    {}, {"name": LABEL, "behavior": closed({}, {"scaleUp": RULES, "scaleDown": RULES})}
)
MODIFIERS = closed(
    {"formula": TEXT, "target": NUMBER},
    {"activationTarget": TEXT, "metricType": one_of("AverageValue", "Value")},
)

_METADATA: dict[str, Schema] = {
    "metrics-api": closed(
        {
            "url": {"type": "string", "pattern": r"^https?://[^\s?#]+$"},
            "valueLocation": TEXT,
            "targetValue": NUMBER,
        },
        {
            "activationTargetValue": NUMBER,
            "format": one_of("json", "xml", "yaml", "prometheus"),
            # custom and oauth pass KEDA's validation and send nothing.
            "authMode": {
                "type": "string",
                "pattern": "^(apiKey|basic|bearer|tls)(,(apiKey|basic|bearer|tls))*$",
            },
            "method": one_of("header", "query"),
            "keyParamName": TEXT,
            "unsafeSsl": SWITCH,
            "timeout": TEXT,
            "aggregateFromKubeServiceEndpoints": SWITCH,
            "aggregationType": one_of("average", "sum", "max", "min"),
        },
    ),
    "cpu": closed({"value": QUANTITY}, {"containerName": TEXT}),
    "memory": closed({"value": QUANTITY}, {"containerName": TEXT}),
    "prometheus": closed(
        {"serverAddress": TEXT, "query": TEXT, "threshold": NUMBER},
        {
            "activationThreshold": NUMBER,
            "namespace": TEXT,
            "authModes": TEXT,
            "customHeaders": TEXT,
            "ignoreNullValues": SWITCH,
            "queryParameters": TEXT,
            "unsafeSsl": SWITCH,
            "timeout": TEXT,
        },
    ),
    "cron": closed({"timezone": TEXT, "start": TEXT, "end": TEXT, "desiredReplicas": NUMBER}),
    "kafka": STRINGS,
}


def _trigger(kind: str, metadata: Schema) -> Schema:
    resource = kind in ("cpu", "memory")
    types = one_of("Utilization", "AverageValue") if resource else one_of("AverageValue", "Value")
    needed = {"type": {"const": kind}, "metadata": metadata}
    more = {
        "name": TEXT,
        "authenticationRef": closed(
            {"name": LABEL},
            {"kind": one_of("TriggerAuthentication", "ClusterTriggerAuthentication")},
        ),
    }
    if resource:
        return closed({**needed, "metricType": types}, more)
    cached: Schema = {"const": False} if kind == "cron" else {"type": "boolean"}
    return closed(needed, {**more, "metricType": types, "useCachedMetrics": cached})


TRIGGERS = {kind: _trigger(kind, metadata) for kind, metadata in _METADATA.items()}

SCALED_OBJECT = closed(
    {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "metadata": closed(
            {"name": LABEL, "namespace": LABEL}, {"labels": STRINGS, "annotations": STRINGS}
        ),
        "spec": closed(
            {
                "scaleTargetRef": closed(
                    {"name": TEXT},
                    {"apiVersion": TEXT, "kind": TEXT, "envSourceContainerName": TEXT},
                ),
                "triggers": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            },
            {
                "pollingInterval": whole(0),
                "initialCooldownPeriod": whole(0),
                "cooldownPeriod": whole(0),
                "idleReplicaCount": whole(0),
                "minReplicaCount": whole(0),
                "maxReplicaCount": whole(1),
                "fallback": closed(
                    {"failureThreshold": whole(0), "replicas": whole(0)},
                    {
                        "behavior": one_of(
                            "static",
                            "currentReplicas",
                            "currentReplicasIfHigher",
                            "currentReplicasIfLower",
                            "scalingModifiers",
                        )
                    },
                ),
                "advanced": closed(
                    {},
                    {
                        "restoreToOriginalReplicaCount": {"type": "boolean"},
                        "horizontalPodAutoscalerConfig": HPA_CONFIG,
                        "scalingModifiers": MODIFIERS,
                    },
                ),
            },
        ),
    }
)
TRIGGER_AUTHENTICATION = closed(
    {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "TriggerAuthentication"},
        "metadata": closed({"name": LABEL, "namespace": LABEL}, {"labels": STRINGS}),
        "spec": closed(
            {},
            {
                "secretTargetRef": {
                    "type": "array",
                    "minItems": 1,
                    "items": closed({"parameter": TEXT, "name": LABEL, "key": TEXT}),
                }
            },
        ),
    }
)
_SCHEMAS = {"ScaledObject": SCALED_OBJECT, "TriggerAuthentication": TRIGGER_AUTHENTICATION}


def faults(data: Mapping[str, Any]) -> list[str]:
    """What KEDA's own types and its webhook would not take, by place."""
    schema = _SCHEMAS.get(str(data.get("kind")))
    if schema is None:
        return [f"kind: {data.get('kind')!r}"]
    found = _errors(schema, data, "")
    if data["kind"] != "ScaledObject" or found:
        return found
    names: list[str] = []
    for at, trigger in enumerate(data["spec"]["triggers"]):
        place = f"spec.triggers[{at}]"
        kind = TRIGGERS.get(trigger.get("type"))
        found += [f"{place}: type"] if kind is None else _errors(kind, trigger, place)
        names += [trigger["name"]] if "name" in trigger else []
    return found + [f"spec.triggers: {one} twice" for one in {*names} if names.count(one) > 1]


def _errors(schema: Schema, data: Any, place: str) -> list[str]:
    jsonschema.Draft202012Validator.check_schema(schema)
    return [
        f"{place}{one.json_path.removeprefix('$')}: {one.message}"
        for one in jsonschema.Draft202012Validator(schema).iter_errors(data)
    ]
