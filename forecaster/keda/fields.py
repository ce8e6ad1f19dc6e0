"""The fields of KEDA's objects, in the order in which people write them.

From KEDA's ScaledObject types and the pages of its scalers, as of 2.20. KEDA ignores a trigger's
unknown keys without a word; the API server drops, or refuses, unknown fields elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "FALLBACK_BEHAVIORS",
    "FIELDS",
    "METADATA_KEYS",
    "SPEC_WITHOUT_TRIGGERS",
    "ordered_keys",
]

FALLBACK_BEHAVIORS = (
    "static",
    "currentReplicas",
    "currentReplicasIfHigher",
    "currentReplicasIfLower",
    "scalingModifiers",
)
SPEC_WITHOUT_TRIGGERS = (
    "scaleTargetRef",
    "minReplicaCount",
    "maxReplicaCount",
    "idleReplicaCount",
    "pollingInterval",
    "initialCooldownPeriod",
    "cooldownPeriod",
    "fallback",
    "advanced",
)
_RULES = ("stabilizationWindowSeconds", "policies", "selectPolicy", "tolerance")

# The place of a mapping (list positions left out) and the keys that it may have.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "": ("apiVersion", "kind", "metadata", "type", "data", "stringData", "spec"),
    "metadata": ("name", "namespace", "labels", "annotations"),
    "spec": (*SPEC_WITHOUT_TRIGGERS, "triggers", "secretTargetRef"),
    "spec.scaleTargetRef": ("apiVersion", "kind", "name", "envSourceContainerName"),
    "spec.fallback": ("failureThreshold", "replicas", "behavior"),
    "spec.advanced": (
        "restoreToOriginalReplicaCount",
        "horizontalPodAutoscalerConfig",
        "scalingModifiers",
    ),
    "spec.advanced.horizontalPodAutoscalerConfig": ("name", "behavior"),
    "spec.advanced.horizontalPodAutoscalerConfig.behavior": ("scaleUp", "scaleDown"),
    "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp": _RULES,
    "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown": _RULES,
    "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.policies": (
        "type",
        "value",
        "periodSeconds",
    ),
    "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies": (
        "type",
        "value",
        "periodSeconds",
    ),
    "spec.advanced.scalingModifiers": ("formula", "target", "activationTarget", "metricType"),
    "spec.triggers": (
        "type",
        "name",
        "metricType",
        "useCachedMetrics",
        "metadata",
        "authenticationRef",
    ),
    "spec.triggers.authenticationRef": ("name", "kind"),
    "spec.secretTargetRef": ("parameter", "name", "key"),
    "spec.template.spec.containers": ("name", "image", "resources", "securityContext"),
}

# What the scalers read from a trigger's metadata.
METADATA_KEYS: Mapping[str, tuple[str, ...]] = {
    "metrics-api": (
        "url",
        "valueLocation",
        "targetValue",
        "activationTargetValue",
        "format",
        "authMode",
        "authModes",
        "method",
        "keyParamName",
        "unsafeSsl",
        "timeout",
        "aggregateFromKubeServiceEndpoints",
        "aggregationType",
    ),
    "cpu": ("type", "value", "containerName"),
    "memory": ("type", "value", "containerName"),
    "prometheus": (
        "serverAddress",
        "query",
        "threshold",
        "activationThreshold",
        "namespace",
        "authModes",
        "customHeaders",
        "ignoreNullValues",
        "queryParameters",
        "unsafeSsl",
        "timeout",
        "awsRegion",
    ),
    "cron": ("timezone", "start", "end", "desiredReplicas"),
}


def ordered_keys(place: str, keys: Mapping[str, object], trigger_type: str = "") -> list[str]:
    """The keys as people write them; unknown ones follow, by their names."""
    known = METADATA_KEYS.get(trigger_type, ()) if trigger_type else FIELDS.get(place, ())
    rank = {key: at for at, key in enumerate(known)}
    return sorted(keys, key=lambda key: (rank.get(key, len(rank)), key))
