"""What is made has no field, type or word that KEDA and Kubernetes do not know."""

from __future__ import annotations

import copy
from typing import Any

import kubernetes_validate
import pytest

from forecaster.keda import (
    ScaledObjectOptions,
    make_scaled_object,
    read_existing,
    scaled_object,
    trigger_authentication,
)
from tests.keda.conftest import HPA, SCALED_OBJECT
from tests.keda.crd import faults
from tests.keda.hpa import hpa_of

OPTIONS = {
    "as-it-is": ScaledObjectOptions(),
    "formula": ScaledObjectOptions(formula=True),
    "no-token": ScaledObjectOptions(authenticate=False),
    "no-cpu": ScaledObjectOptions(cpu_utilisation=0),
    "older": ScaledObjectOptions(kubernetes=(1, 32), keda=(2, 16)),
    "older-formula": ScaledObjectOptions(kubernetes=(1, 34), keda=(2, 19), formula=True),
    "kept": ScaledObjectOptions(keep_scale_up=True),
}
FOUND = {"nothing": None, "hpa": HPA, "scaledobject": SCALED_OBJECT}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_every_field_is_one_that_keda_takes(workload, options, text):
    found = None if text is None else read_existing(text, "manifest")[0]
    made = make_scaled_object(None if found else workload, options, found).data
    assert faults(made) == []
    assert faults(trigger_authentication("streaming", options)) == []


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_the_hpa_that_keda_makes_of_it_fits_the_version_it_is_written_for(workload, options, text):
    found = None if text is None else read_existing(text, "manifest")[0]
    hpa = hpa_of(make_scaled_object(None if found else workload, options, found).data)
    hpa["spec"]["scaleTargetRef"].pop("envSourceContainerName", None)
    major, minor = options.kubernetes
    for version in {f"{major}.{minor}", "1.37"}:
        kubernetes_validate.validate(hpa, version, strict=True)


def test_the_manifests_of_these_tests_are_right_themselves():
    import yaml

    given = yaml.safe_load(HPA)
    given["metadata"] = {key: given["metadata"][key] for key in ("name", "namespace")}
    kubernetes_validate.validate(given, "1.35", strict=True)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("spec.triggers.0.metadata.targetValue", 1),
        ("spec.triggers.0.metadata.targetValue", "0"),
        ("spec.triggers.0.metadata.targetvalue", "1"),
        ("spec.triggers.0.metadata.authmode", "bearer"),
        ("spec.triggers.0.metadata.authMode", "oauth"),
        ("spec.triggers.0.metadata.url", "http://preroll/v1?name=a"),
        ("spec.triggers.0.metadata.format", "toml"),
        ("spec.triggers.0.metricType", "Utilization"),
        ("spec.triggers.0.useCachedMetrics", "true"),
        ("spec.triggers.0.authenticationRef.names", "preroll"),
        ("spec.triggers.1.metadata.value", 70),
        ("spec.triggers.1.metricType", "Value"),
        ("spec.triggers.1.name", "preroll"),
        ("spec.triggers.1.type", "gpu"),
        ("spec.fallback.behaviour", "static"),
        ("spec.fallback.behavior", "hold"),
        ("spec.fallback.replicas", "4"),
        ("spec.minReplicas", 1),
        ("spec.minReplicaCount", "4"),
        ("spec.maxReplicaCount", True),
        ("spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance", 0),
        ("spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.selectPolicy", "Most"),
        ("spec.advanced.horizontalPodAutoscalerConfig.behaviour", {}),
        ("spec.advanced.scalingModifier", {}),
        ("spec.scaleTargetRef.namespace", "streaming"),
        ("metadata.uid", "x"),
        ("status", {}),
        ("apiVersion", "keda.sh/v1"),
    ],
)
def test_a_wrong_field_fails(workload, place: str, value: Any):
    wrong = copy.deepcopy(scaled_object(workload, ScaledObjectOptions()))
    inner: Any = wrong
    *way, last = place.split(".")
    for key in way:
        inner = inner[int(key) if key.isdecimal() else key]
    inner[last] = value
    assert faults(wrong) != []


def test_a_wrong_field_of_the_authentication_fails():
    wrong = trigger_authentication("streaming", ScaledObjectOptions())
    wrong["spec"]["secretTargetRefs"] = []
    assert faults(wrong) != []
