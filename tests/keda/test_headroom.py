"""The ScaledObject of placeholder pods: strict fields, no trap, and nobody's workload."""

from __future__ import annotations

import kubernetes_validate
import pytest
import yaml

from forecaster.cluster.headroom import placeholder_deployment, placeholder_priority_class
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import Scaled, TargetRef
from forecaster.keda import (
    ScaledObjectOptions,
    existing_of,
    find_traps,
    headroom_object,
    headroom_reasons,
    write_yaml,
)
from forecaster.keda.naming import PLACEHOLDER, headroom_path, is_headroom, target_path
from tests.keda.crd import faults
from tests.keda.hpa import hpa_of

OPTIONS = ScaledObjectOptions()
SCALED = Scaled("streaming", TargetRef("Deployment", "player-api"), 4, 4, PodShape(0.5, 2.0**30))


def placeholders(name="player-api"):
    return placeholder_deployment(f"streaming/{name}", SCALED, "registry.example.com/pause:3.10")


def made(options=OPTIONS, name="player-api", most=200):
    return headroom_object(f"streaming/{name}", placeholders(name), most, options)


def behavior(data):
    return data["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        ScaledObjectOptions(authenticate=False),
        ScaledObjectOptions(kubernetes=(1, 32), keda=(2, 16)),
    ],
    ids=["as-it-is", "no-token", "older"],
)
@pytest.mark.parametrize("name", ["player-api", "p" * 63], ids=["short", "long"])
def test_every_field_is_one_that_keda_and_kubernetes_take(options, name):
    data = made(options, name)
    assert faults(data) == []
    hpa = hpa_of(data)
    hpa["spec"]["minReplicas"] = 1  # as KEDA makes it of a minReplicaCount of 0
    major, minor = options.kubernetes
    for version in {f"{major}.{minor}", "1.37"}:
        kubernetes_validate.validate(hpa, version, strict=True)


def test_it_asks_for_the_workloads_placeholders_with_the_token():
    (trigger,) = made()["spec"]["triggers"]
    assert trigger == {
        "type": "metrics-api",
        "name": "preroll-headroom",
        "metricType": "AverageValue",
        "metadata": {
            "url": "http://preroll.preroll.svc:8080/v1/headroom/streaming/player-api",
            "valueLocation": "replicas",
            "targetValue": "1",
            "format": "json",
            "authMode": "bearer",
        },
        "authenticationRef": {"name": "preroll"},
    }


def test_it_scales_its_placeholders_from_0_and_back_at_once_and_has_no_fallback():
    spec = made()["spec"]
    assert spec["scaleTargetRef"]["name"] == placeholders()["metadata"]["name"]
    bounds = ("minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod")
    assert [spec[key] for key in bounds] == [0, 200, 15, 0]
    assert "fallback" not in spec
    rules = behavior(made(most=5000))
    assert rules["scaleUp"]["policies"][0]["value"] == 5000
    assert rules["scaleDown"] == {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        "selectPolicy": "Max",
        "tolerance": "0",
    }
    assert "tolerance" not in str(behavior(made(ScaledObjectOptions(kubernetes=(1, 34)))))


def test_it_has_no_trap(workload):
    objects = [placeholder_priority_class(), placeholders(), made()]
    assert find_traps(objects, [workload], OPTIONS) == []


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (("metricType",), "Value", "metric-type"),
        (("metadata", "targetValue"), "0", "target-value"),
        (("metadata", "authMode"), None, "auth-mode"),
        (("metadata", "valuelocation"), "replicas", "unknown-key"),
        (("metadata", "url"), "http://p:8080/v1/headroom/streaming/epg", "unknown-workload"),
    ],
)
def test_its_traps_are_found(workload, place, value, code):
    data = made()
    inner = data["spec"]["triggers"][0]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    if value is None:
        del inner[place[-1]]
    assert [one.code for one in find_traps([data], [workload], OPTIONS)] == [code]


def test_a_placeholder_is_no_workload_that_anybody_scales():
    """Who gives the whole folder back gets no ScaledObject for the placeholders."""
    assert existing_of([placeholder_priority_class(), placeholders(), made()]) == []
    own = placeholders()
    own["metadata"]["labels"] = {}
    assert [one.name for one in existing_of([own])] == ["player-api-placeholder"]


def test_what_head_room_needs_is_known_by_one_label():
    for data in (placeholder_priority_class(), placeholders(), made()):
        assert data["metadata"]["labels"]["app.kubernetes.io/name"] == PLACEHOLDER
        assert is_headroom(data)


def test_an_address_is_that_of_a_target_or_of_head_room():
    url = "http://preroll.preroll.svc:8080/v1/headroom/streaming/player%2Dapi"
    assert (headroom_path(url), target_path(url)) == ("streaming/player-api", None)


def test_the_text_says_why_and_reads_back():
    objects = [placeholder_priority_class(), placeholders(), made()]
    text = write_yaml(objects, lambda one: headroom_reasons(one, OPTIONS, "streaming/player-api"))
    assert list(yaml.safe_load_all(text)) == objects
    assert all(len(line) <= 80 for line in text.splitlines())
    lines = text.splitlines()
    for key in ("value: -10", "minReplicaCount: 0", "cooldownPeriod: 0", "priorityClassName"):
        assert any(line.strip().startswith(key) for line in lines)
    for key in ("value: -10", "cooldownPeriod: 0", "pollingInterval: 15", "minReplicaCount: 0"):
        at = next(n for n, line in enumerate(lines) if line.strip() == key)
        assert lines[at - 1].strip().startswith("#")
