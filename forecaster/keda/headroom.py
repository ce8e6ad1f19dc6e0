"""The ScaledObject of placeholder pods: from 0 ahead of a peak, and back to 0 at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecaster.keda.behavior import whole_way_up
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import hpa_name
from forecaster.keda.objects import API_VERSION
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.triggers import preroll_trigger

__all__ = ["headroom_object"]

_POLLING_SECONDS = 15  # from 0 KEDA's own loop starts the first one, so it is as quick as an HPA


def headroom_object(
    path: str, placeholders: Mapping[str, Any], most: int, options: ScaledObjectOptions
) -> dict[str, Any]:
    """The ScaledObject of the Deployment ``placeholders``, which hold places for ``path``.

    ``path`` is the workload's ``namespace/name`` in Preroll, ``most`` its maximum. There is no
    fallback: one of 0 replicas makes KEDA flap between 0 and 1, and any other one costs nodes
    whenever Preroll is away; without it the placeholders stay as they are meanwhile.
    """
    about = mapping_at(placeholders, "metadata")
    name = str(about["name"])
    hpa: dict[str, Any] = {"behavior": _behavior(options, most)}
    if (short := hpa_name(name)) is not None:
        hpa["name"] = short
    return {
        "apiVersion": API_VERSION,
        "kind": "ScaledObject",
        "metadata": {
            "name": name,
            "namespace": about["namespace"],
            "labels": dict(mapping_at(about, "labels")),
        },
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicaCount": 0,
            "maxReplicaCount": max(most, 1),
            "pollingInterval": _POLLING_SECONDS,
            "cooldownPeriod": 0,
            "advanced": {"horizontalPodAutoscalerConfig": hpa},
            # By KEDA's default activationTargetValue of 0 the first placeholder makes it active.
            "triggers": [preroll_trigger(path, options, asks="headroom", name="preroll-headroom")],
        },
    }


def _behavior(options: ScaledObjectOptions, most: int) -> dict[str, Any]:
    down: dict[str, Any] = {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        "selectPolicy": "Max",
    }
    if options.has_tolerance:
        down["tolerance"] = "0"
    up = whole_way_up(most)
    if options.has_tolerance:
        up["tolerance"] = "0"
    return {"scaleUp": up, "scaleDown": down}
