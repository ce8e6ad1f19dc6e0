"""The HPA as KEDA makes it of a ScaledObject, to be judged by Kubernetes' own schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def hpa_of(scaled_object: Mapping[str, Any]) -> dict[str, Any]:
    """Name, bounds, behaviour and metrics; all external triggers are one metric under a formula."""
    name, spec = scaled_object["metadata"]["name"], scaled_object["spec"]
    advanced = spec["advanced"]
    config = advanced["horizontalPodAutoscalerConfig"]
    external = [one for one in spec["triggers"] if one["type"] not in ("cpu", "memory")]
    targets = {"metrics-api": "targetValue", "prometheus": "threshold"}
    if "scalingModifiers" in advanced:
        metrics = [_external("composite-metric", name, advanced["scalingModifiers"]["target"])]
    else:
        metrics = [
            _external(f"s{at}-x", name, one["metadata"].get(targets.get(one["type"], ""), "1"))
            for at, one in enumerate(external)
        ]
    metrics += [_resource(one) for one in spec["triggers"] if one not in external]
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": config.get("name", f"keda-hpa-{name}"),
            "namespace": scaled_object["metadata"]["namespace"],
            "labels": {"scaledobject.keda.sh/name": name},
        },
        "spec": {
            "scaleTargetRef": dict(spec["scaleTargetRef"]),
            "minReplicas": max(spec["minReplicaCount"], 1),
            "maxReplicas": spec["maxReplicaCount"],
            "behavior": config["behavior"],
            "metrics": metrics,
        },
    }


def _external(metric: str, name: str, target: str) -> dict[str, Any]:
    selector = {"matchLabels": {"scaledobject.keda.sh/name": name}}
    return {
        "type": "External",
        "external": {
            "metric": {"name": metric, "selector": selector},
            "target": {"type": "AverageValue", "averageValue": target},
        },
    }


def _resource(trigger: Mapping[str, Any]) -> dict[str, Any]:
    metadata = trigger["metadata"]
    value = (
        {"type": "Utilization", "averageUtilization": int(metadata["value"])}
        if trigger["metricType"] == "Utilization"
        else {"type": "AverageValue", "averageValue": metadata["value"]}
    )
    body: dict[str, Any] = {"name": trigger["type"], "target": value}
    if "containerName" in metadata:
        body["container"] = metadata["containerName"]
        return {"type": "ContainerResource", "containerResource": body}
    return {"type": "Resource", "resource": body}
