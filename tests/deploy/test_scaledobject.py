"""The example against the fields that KEDA takes, and the HPA that it makes of them."""

from __future__ import annotations

import copy
from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.documents import Document, the, trigger
from tests.deploy.keda_fields import all_faults


def autoscaler() -> Document:
    """The HPA as KEDA makes it of the example."""
    name, spec = the("ScaledObject")["metadata"]["name"], the("ScaledObject")["spec"]
    target = trigger("metrics-api")["metadata"]["targetValue"]
    external = {
        "metric": {
            "name": "s0-metric-api-replicas",
            "selector": {"matchLabels": {"scaledobject.keda.sh/name": name}},
        },
        "target": {"type": "AverageValue", "averageValue": target},
    }
    utilization = int(trigger("cpu")["metadata"]["value"])
    resource = {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": utilization},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"keda-hpa-{name}", "namespace": "streaming"},
        "spec": {
            "scaleTargetRef": spec["scaleTargetRef"],
            "minReplicas": spec["minReplicaCount"],
            "maxReplicas": spec["maxReplicaCount"],
            "behavior": spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
            "metrics": [
                {"type": "External", "external": external},
                {"type": "Resource", "resource": resource},
            ],
        },
    }


def test_every_field_is_one_that_keda_takes() -> None:
    assert all_faults(the("ScaledObject")) == []


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("spec.triggers.0.metadata.targetValue", 1, "targetValue: 1"),
        ("spec.triggers.0.metadata.targetvalue", "1", "targetvalue: unknown"),
        ("spec.triggers.0.metadata.authmode", "bearer", "authmode: unknown"),
        ("spec.triggers.0.metadata.authMode", "oauth", "authMode: 'oauth'"),
        ("spec.triggers.0.metadata.url", "http://preroll/v1?name=a", "url: "),
        ("spec.triggers.0.metricType", "Value", "metricType: 'Value'"),
        ("spec.triggers.0.useCachedMetrics", True, "useCachedMetrics: True"),
        ("spec.triggers.1.metadata.value", 70, "value: 70"),
        ("spec.fallback.replicas", 0, "replicas: 0"),
        ("spec.fallback.behaviour", "static", "behaviour: unknown"),
        ("spec.minReplicaCount", 0, "minReplicaCount: 0"),
        ("spec.minReplicas", 1, "minReplicas: unknown"),
    ],
)
def test_a_wrong_field_is_found(place: str, value: Any, fault: str) -> None:
    wrong = copy.deepcopy(the("ScaledObject"))
    inner: Any = wrong
    *way, last = place.split(".")
    for key in way:
        inner = inner[int(key) if key.isdecimal() else key]
    inner[last] = value
    assert any(fault in one for one in all_faults(wrong))


def test_the_value_is_the_replica_count() -> None:
    api = trigger("metrics-api")
    assert api["metricType"] == "AverageValue"
    assert float(api["metadata"]["targetValue"]) == 1.0


def test_the_triggers_have_names_of_their_own() -> None:
    names = [one["name"] for one in the("ScaledObject")["spec"]["triggers"]]
    assert len(set(names)) == len(names) == 2


def test_the_token_is_sent_from_the_workloads_own_namespace() -> None:
    api, home = trigger("metrics-api"), the("ScaledObject")["metadata"]["namespace"]
    assert api["metadata"]["authMode"] == "bearer"
    authentication = the("TriggerAuthentication", api["authenticationRef"]["name"], home)
    (reference,) = authentication["spec"]["secretTargetRef"]
    assert reference["parameter"] == "token"
    assert the("Secret", reference["name"], home)


def test_the_fallback_holds_and_does_not_raise_a_workload_in_shadow_mode() -> None:
    spec = the("ScaledObject")["spec"]
    assert spec["fallback"]["behavior"] == "currentReplicasIfHigher"
    assert spec["fallback"]["replicas"] == spec["minReplicaCount"] <= spec["maxReplicaCount"]


def test_one_sync_goes_the_whole_way_up() -> None:
    spec = the("ScaledObject")["spec"]
    up = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleUp"]
    assert up["stabilizationWindowSeconds"] == 0
    assert up["selectPolicy"] == "Max"
    (policy,) = up["policies"]
    assert (policy["type"], policy["periodSeconds"]) == ("Pods", 15)
    assert policy["value"] >= spec["maxReplicaCount"]


def test_the_dead_band_is_gone_upwards_and_kept_downwards() -> None:
    config = the("ScaledObject")["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    assert config["behavior"]["scaleUp"]["tolerance"] == "0"
    assert "tolerance" not in config["behavior"]["scaleDown"]
    assert config["behavior"]["scaleDown"]["selectPolicy"] == "Max"


@pytest.mark.parametrize("version", ["1.33", "1.35", "1.37"])
def test_the_hpa_that_keda_makes_of_it_fits_kubernetes(version: str) -> None:
    kubernetes_validate.validate(autoscaler(), version, strict=True)


def test_kubernetes_before_1_33_does_not_know_the_tolerance() -> None:
    with pytest.raises(kubernetes_validate.ValidationError, match="tolerance"):
        kubernetes_validate.validate(autoscaler(), "1.32", strict=True)
    hpa = autoscaler()
    hpa["spec"]["behavior"] = copy.deepcopy(hpa["spec"]["behavior"])
    del hpa["spec"]["behavior"]["scaleUp"]["tolerance"]
    kubernetes_validate.validate(hpa, "1.32", strict=True)
