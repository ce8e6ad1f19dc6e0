"""HPAs of any version, their metrics and windows, and what the exporter would not use."""

from __future__ import annotations

from datetime import date, time

import pytest

from forecaster.backtest import DailyWindow
from forecaster.migration.hpa_metrics import OldMetric
from tests.migration.conftest import cpu, deployment, event, exporter_metric, hpa, read


def shown(metric: OldMetric) -> tuple[str, str, str, float]:
    return (metric.source.value, metric.name, metric.target_type, metric.target)


def test_the_metrics_of_an_hpa_are_read_with_their_targets():
    pods = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "rps"},
            "target": {"type": "AverageValue", "averageValue": "1500m"},
        },
    }
    found = {
        "type": "Object",
        "object": {
            "metric": {"name": "hits"},
            "describedObject": {"kind": "Service", "name": "web"},
            "target": {"type": "Value", "value": "2k"},
        },
    }
    container = {
        "type": "ContainerResource",
        "containerResource": {
            "name": "memory",
            "container": "app",
            "target": {"type": "AverageValue", "averageValue": "256Mi"},
        },
    }
    (one,) = read(hpa(metrics=[exporter_metric(), cpu(60), pods, found, container])).autoscalers
    assert [shown(metric) for metric in one.metrics] == [
        ("External", "prescaling_metric", "Value", 10.0),
        ("Resource", "cpu", "Utilization", 60.0),
        ("Pods", "rps", "AverageValue", 1.5),
        ("Object", "hits", "Value", 2000.0),
        ("ContainerResource", "memory", "AverageValue", 256.0 * 2**20),
    ]
    assert one.metrics[3].described == ("Service", "web")
    assert one.metrics[4].container == "app"
    assert one.metrics[0].selector[0].matcher(["player-api"]) == 'deployment="player-api"'


def test_older_versions_are_read_alike_and_noted():
    first = hpa(metrics=[])
    first["apiVersion"] = "autoscaling/v1"
    first["spec"]["targetCPUUtilizationPercentage"] = 70
    second = hpa(
        "manifest",
        metrics=[
            {
                "type": "External",
                "external": {
                    "metricName": "prescale_metric",
                    "metricSelector": {"matchLabels": {"deployment": "manifest"}},
                    "targetValue": 10,
                },
            },
            {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 60}},
        ],
    )
    second["apiVersion"] = "autoscaling/v2beta1"
    setup = read(first, second)
    assert [[shown(metric) for metric in one.metrics] for one in setup.autoscalers] == [
        [
            ("External", "prescale_metric", "Value", 10.0),
            ("Resource", "cpu", "Utilization", 60.0),
        ],
        [("Resource", "cpu", "Utilization", 70.0)],
    ]
    assert "is autoscaling/v1, read as autoscaling/v2" in setup.notes[0]
    assert "is autoscaling/v2beta1, read as autoscaling/v2" in setup.notes[1]


def test_a_window_is_what_the_exporter_would_use():
    (one,) = read(hpa(window=("19:30:00", "00:30:00", "8"))).autoscalers
    assert one.window == DailyWindow(time(19, 30), time(0, 30), 8)


@pytest.mark.parametrize(
    "window",
    [("20:00", "23:00:00", "8"), ("20:00:00", "25:00:00", "8"), ("20:00:00", "23:00:00", "many")],
    ids=["minutes", "hour-25", "no-number"],
)
def test_annotations_that_the_exporter_refuses_are_noted(window):
    setup = read(hpa(window=window))
    assert setup.autoscalers[0].window is None
    assert "the exporter does not use its annotations" in setup.notes[0]


def test_events_are_in_the_order_in_which_the_exporter_finds_them():
    setup = read(
        event("final", multiplier=3), event("a-show", multiplier=2), event("b", multiplier=1.5)
    )
    assert [(one.name, one.multiplier) for one in setup.events] == [("a-show", 2), ("final", 3)]
    assert setup.events[0].day == date(2026, 7, 19)
    assert "the exporter does not use it: multiplier 1.5 is not a whole number" in setup.notes[0]


def test_the_cpu_that_a_pod_requests_is_that_of_all_its_containers():
    two = deployment()
    two["spec"]["template"]["spec"]["containers"].append(
        {"name": "side", "resources": {"requests": {"cpu": "0.1"}}}
    )
    assert read(hpa(), two).autoscalers[0].requests_cpu == pytest.approx(0.6)
    assert read(hpa(), deployment(requests=None)).autoscalers[0].requests_cpu is None
    assert read(hpa(), deployment("other")).autoscalers[0].requests_cpu is None


def test_what_kedas_scaled_object_owns_is_let_be():
    owned = hpa()
    owned["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "name": "player"}]
    setup = read(owned)
    assert setup.autoscalers == ()
    assert "belongs to a ScaledObject" in setup.notes[0]


def test_an_object_that_stands_twice_counts_once():
    setup = read(hpa(), hpa(maxReplicas=9))
    assert [one.max_replicas for one in setup.autoscalers] == [200]
    assert "stands already at given.yaml:line" in setup.notes[0]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"scaleTargetRef": {}}, "scaleTargetRef.name is None, and no name of Kubernetes"),
        ({"scaleTargetRef": {"name": "A b"}}, "scaleTargetRef.name is 'A b'"),
        ({"maxReplicas": None}, "maxReplicas is None, and no number of replicas"),
        ({"minReplicas": -1}, "minReplicas is -1"),
        ({"minReplicas": True}, "minReplicas is True"),
        ({"minReplicas": 9, "maxReplicas": 8}, "minReplicas 9 is above maxReplicas 8"),
    ],
    ids=["no-target", "no-name", "no-maximum", "negative", "bool", "crossed"],
)
def test_what_cannot_scale_is_left_out_and_noted(spec, told):
    setup = read(hpa(**spec))
    assert setup.autoscalers == ()
    assert told in setup.notes[0]


def test_a_metric_that_is_not_known_is_left_out_and_noted():
    setup = read(hpa(metrics=[{"type": "X"}, cpu()]))
    assert [one.name for one in setup.autoscalers[0].metrics] == ["cpu"]
    assert "metrics[0] is left out: its type 'X' is not known" in setup.notes[0]


def test_the_owners_of_the_metrics_apis_are_known(example):
    api = example.api("external.metrics.k8s.io")
    assert (api.name, api.service) == (
        "v1beta1.external.metrics.k8s.io",
        "monitoring/prometheus-adapter",
    )
    assert read(hpa()).api("external.metrics.k8s.io") is None
