"""What scales today, as kubectl and files hold it."""

from __future__ import annotations

import json

import pytest
import yaml

from forecaster.errors import ManifestError
from forecaster.keda import (
    best_for_each,
    read_existing,
    read_manifests,
    without_server_fields,
)
from tests.keda.conftest import HPA, SCALED_OBJECT

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: player-api, namespace: streaming}
spec: {template: {spec: {containers: [{name: app}]}}}
"""


def hpa_with(metrics, version="autoscaling/v2"):
    data = yaml.safe_load(HPA)
    data["apiVersion"] = version
    data["spec"]["metrics"] = metrics
    (one,) = read_existing(json.dumps(data), "hpa.json")
    return one


def resource(kind, target, container=None):
    if container is None:
        return {"type": "Resource", "resource": {"name": kind, "target": target}}
    body = {"name": kind, "container": container, "target": target}
    return {"type": "ContainerResource", "containerResource": body}


def test_documents_lists_and_json_are_read_alike():
    items = [yaml.safe_load(HPA), yaml.safe_load(SCALED_OBJECT), yaml.safe_load(DEPLOYMENT)]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    documents = "---\n".join(["", HPA, SCALED_OBJECT, DEPLOYMENT])
    for text in (listed, documents):
        found = read_existing(text, "all.yaml")
        assert [one.kind for one in found] == [
            "HorizontalPodAutoscaler",
            "ScaledObject",
            "Deployment",
        ]
        assert [one.workload for one in found] == [
            "streaming/player-api",
            "accounts/login",
            "streaming/player-api",
        ]


def test_a_list_of_one_kind_needs_no_kinds_inside():
    item = yaml.safe_load(HPA)
    del item["kind"], item["apiVersion"]
    listed = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscalerList",
        "items": [item],
    }
    (one,) = read_existing(json.dumps(listed), "list.json")
    assert (one.kind, one.name) == ("HorizontalPodAutoscaler", "player")


def test_the_one_that_knows_most_speaks_for_a_workload():
    found = read_existing(f"{DEPLOYMENT}---\n{HPA}", "both.yaml")
    assert [one.kind for one in best_for_each(found)] == ["HorizontalPodAutoscaler"]
    found = read_existing(f"{HPA}---\n{DEPLOYMENT}---\n{SCALED_OBJECT}", "all.yaml")
    assert [one.workload for one in best_for_each(found)] == [
        "streaming/player-api",
        "accounts/login",
    ]


@pytest.mark.parametrize(
    "sign",
    [
        {"ownerReferences": [{"kind": "ScaledObject", "name": "player-api"}]},
        {"labels": {"app.kubernetes.io/managed-by": "keda-operator"}},
    ],
)
def test_an_hpa_of_kedas_is_left_out(sign):
    data = yaml.safe_load(HPA)
    data["metadata"] |= sign
    assert read_existing(json.dumps(data), "hpa.json") == []


def test_kubernetes_defaults_hold_where_an_hpa_says_nothing():
    data = yaml.safe_load(HPA)
    del data["spec"]["minReplicas"], data["spec"]["metrics"], data["spec"]["behavior"]
    (one,) = read_existing(json.dumps(data), "hpa.json")
    assert (one.min_replicas, one.behavior) == (1, None)
    assert [dict(trigger["metadata"]) for trigger in one.triggers] == [{"value": "80"}]


def test_kedas_defaults_hold_where_a_scaled_object_says_nothing():
    data = yaml.safe_load(SCALED_OBJECT)
    for key in ("minReplicaCount", "maxReplicaCount"):
        del data["spec"][key]
    data["spec"]["scaleTargetRef"] = {"name": "login"}
    (one,) = read_existing(json.dumps(data), "so.json")
    assert (one.min_replicas, one.max_replicas) == (0, 100)
    assert one.target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "login"}


def test_a_manifest_without_a_namespace_is_in_the_one_that_is_said():
    text = DEPLOYMENT.replace(", namespace: streaming", "")
    assert read_existing(text, "d.yaml")[0].workload == "default/player-api"
    assert read_existing(text, "d.yaml", "tv")[0].workload == "tv/player-api"


def test_resources_of_pods_and_containers_become_triggers_of_names_of_their_own():
    one = hpa_with(
        [
            resource("cpu", {"type": "Utilization", "averageUtilization": 60}),
            resource("cpu", {"type": "AverageValue", "averageValue": "500m"}, "app"),
            resource("cpu", {"type": "Utilization", "averageUtilization": 90}, "app"),
            resource("memory", {"type": "AverageValue", "averageValue": "1Gi"}),
        ]
    )
    assert [trigger["name"] for trigger in one.triggers] == ["cpu", "cpu-app", "cpu-2", "memory"]
    assert one.triggers[1] == {
        "type": "cpu",
        "name": "cpu-app",
        "metricType": "AverageValue",
        "metadata": {"value": "500m", "containerName": "app"},
    }
    assert one.lost == ()


def test_an_external_metric_comes_with_the_trigger_to_write(hpa):
    (lost,) = hpa.lost
    assert (lost.code, lost.field) == ("metric-lost", "spec.metrics[2]")
    assert lost.value == "External http_requests"
    assert "serverAddress" in lost.advice
    assert 'threshold: "1.5"' in lost.advice, "1500m"
    assert 'http_requests{app="player", zone="a"}' in lost.advice


@pytest.mark.parametrize(
    ("metric", "value", "advice"),
    [
        (
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "rps"},
                    "target": {"type": "AverageValue", "averageValue": "2k"},
                },
            },
            "Pods rps",
            'threshold: "2000"',
        ),
        (
            {
                "type": "Object",
                "object": {
                    "metric": {"name": "hits"},
                    "target": {"type": "Value", "value": "100"},
                    "describedObject": {"kind": "Ingress", "name": "web"},
                },
            },
            "Object hits",
            "metricType: Value",
        ),
        ({"type": "Moon"}, "Moon", "by hand"),
        (
            resource("nvidia.com/gpu", {"type": "Utilization", "averageUtilization": 1}),
            "Resource",
            "by hand",
        ),
    ],
    ids=["pods", "object", "unknown", "other-resource"],
)
def test_what_keda_has_no_equal_for_is_told(metric, value, advice):
    one = hpa_with([metric])
    assert one.triggers == ()
    (lost,) = one.lost
    assert lost.value == value
    assert advice in lost.advice


def test_an_older_hpa_is_read_as_far_as_it_goes():
    data = yaml.safe_load(HPA)
    data["apiVersion"] = "autoscaling/v1"
    data["spec"] = {
        "scaleTargetRef": {"kind": "Deployment", "name": "player-api"},
        "maxReplicas": 9,
        "targetCPUUtilizationPercentage": 55,
    }
    data["metadata"]["annotations"] = {"autoscaling.alpha.kubernetes.io/metrics": "[]"}
    (one,) = read_existing(json.dumps(data), "hpa.json")
    assert one.triggers[0]["metadata"] == {"value": "55"}
    assert [trap.code for trap in one.lost] == ["hpa-version"]
    assert [trap.code for trap in hpa_with([], "autoscaling/v2beta1").lost] == ["hpa-version"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("just: words", "no apiVersion and kind"),
        ("- a", "no apiVersion and kind"),
        (HPA.replace("name: player-api}", "nam: player-api}"), "scaleTargetRef.name: missing"),
        (HPA.replace("minReplicas: 4", "minReplicas: four"), "'four' is not a number of replicas"),
        (HPA.replace("  name: player\n", ""), "metadata.name is missing"),
        (HPA.replace("maxReplicas: 200", "maxReplicas: 200\n  maxReplicas: 20"), "stands twice"),
        (SCALED_OBJECT.replace("triggers:", "trigger:"), "must be a list of triggers"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(text, message):
    with pytest.raises(ManifestError, match=message) as caught:
        read_existing(text, "some.yaml")
    assert "some.yaml" in str(caught.value)


def test_what_the_api_server_writes_can_be_taken_off_and_nothing_else():
    (data,) = read_manifests(HPA, "hpa.yaml")
    bare = without_server_fields(data)
    assert bare["metadata"] == {"name": "player", "namespace": "streaming"}
    assert (bare["spec"], set(bare)) == (data["spec"], set(data) - {"status"})
    assert "status" in data, "a copy"


def test_other_objects_are_read_and_let_be():
    text = f"{HPA}---\napiVersion: v1\nkind: Service\nmetadata: {{name: a}}\n"
    assert len(read_manifests(text, "x")) == 2
    assert len(read_existing(text, "x")) == 1


@pytest.mark.parametrize("name", ["prescaling_metric", "prescale_metric"])
def test_the_exporters_metric_points_to_the_migration_and_to_no_trigger(name):
    target = {"type": "Value", "value": "10"}
    one = hpa_with([{"type": "External", "external": {"metric": {"name": name}, "target": target}}])
    (lost,) = one.lost
    assert (lost.code, lost.field) == ("exporter-metric", "spec.metrics[0]")
    assert "preroll migrate - --output migration" in lost.advice
    assert "serverAddress" not in str(lost)
