"""What becomes of an HPA: its metrics as triggers, its traffic, what one replica serves."""

from __future__ import annotations

import pytest

from tests.migration.conftest import (
    RULES,
    cpu,
    deployment,
    event,
    exporter_metric,
    external,
    hpa,
    moved,
)

REQUESTS = external("http_requests_per_second", {"deployment": "player-api"}, averageValue="120")
PLAYER_QUERY = 'sum(rate(http_requests_total{deployment="player-api",namespace="streaming"}[2m]))'


def only(*objects, **options):
    (one,) = moved(*objects, **options).workloads
    return one


def test_the_exporters_metric_goes_and_the_others_become_triggers():
    one = only(
        hpa(metrics=[exporter_metric(), REQUESTS, cpu(70)]), RULES, prometheus="http://p:9090"
    )
    assert one.reads_exporter
    assert list(one.triggers) == [
        {
            "type": "prometheus",
            "name": "http-requests-per-second",
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": "http://p:9090",
                "query": PLAYER_QUERY,
                "threshold": "120",
                "ignoreNullValues": "false",
            },
        },
        {"type": "cpu", "name": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}},
    ]


def test_a_value_stays_a_value_as_hpa_had_it():
    total = external("http_requests_per_second", {}, value="5k")
    (trigger,) = only(hpa(metrics=[exporter_metric(), total]), RULES).triggers
    assert trigger["metricType"] == "Value"
    assert trigger["metadata"]["threshold"] == "5000"


@pytest.mark.parametrize("metric", ["prescaling_metric", "prescale_metric", "boost"])
def test_the_exporter_is_known_by_its_names_and_by_its_series(metric):
    renamed = {
        "externalRules": [{"seriesQuery": "prescaling_metric", "name": {"as": "boost"}}],
    }
    one = only(hpa(metrics=[exporter_metric(metric=metric), cpu()]), renamed)
    assert [trigger["type"] for trigger in one.triggers] == ["cpu"]


def test_a_metric_without_a_rule_is_dropped_and_said(note_texts):
    moves = moved(hpa(metrics=[exporter_metric(), external("queue", {}, averageValue="3")]))
    assert moves.workloads[0].triggers == ()
    told = note_texts(moves)
    assert any(
        text.startswith("dropped: External metric queue, 3 per replica: no rule") for text in told
    )
    assert any("nothing reactive stands beneath" in text for text in told)


def test_two_metrics_of_one_name_get_two_names():
    other = external("http_requests_per_second", {"deployment": "edge"}, averageValue="50")
    one = only(hpa(metrics=[exporter_metric(), REQUESTS, other]), RULES)
    assert [trigger["name"] for trigger in one.triggers] == [
        "http-requests-per-second",
        "http-requests-per-second-2",
    ]


def test_requests_per_replica_tell_the_capacity():
    load = only(hpa(metrics=[exporter_metric(), cpu(60), REQUESTS]), RULES, deployment()).load
    assert (load.promql, load.capacity, load.unit) == (PLAYER_QUERY, 120.0, "requests")
    assert not load.assumed


def test_cpu_tells_it_where_nothing_counts_requests():
    load = only(hpa(metrics=[exporter_metric(), cpu(60)]), deployment(requests="500m")).load
    assert load.capacity == pytest.approx(0.3)
    assert (load.unit, load.share, load.assumed) == ("cores", 0.6, False)
    assert load.promql == (
        'sum(rate(container_cpu_usage_seconds_total{namespace="streaming",'
        'pod=~"player-api-[0-9a-z]+-[0-9a-z]{5}",container!=""}[2m]))'
    )


@pytest.mark.parametrize(
    ("metrics", "objects"),
    [
        ([exporter_metric()], []),
        ([exporter_metric(), cpu()], []),
        ([exporter_metric(), external("http_requests_per_second", {}, value="9")], [RULES]),
    ],
    ids=["exporter-alone", "cpu-without-requests", "a-total"],
)
def test_what_nobody_says_is_to_be_measured(metrics, objects, note_texts):
    moves = moved(hpa(metrics=metrics), *objects)
    load = moves.workloads[0].load
    assert (load.capacity, load.assumed) == (None, True)
    assert any(
        "to check: nobody says what one replica serves" in text for text in note_texts(moves)
    )


def test_only_what_has_to_do_with_the_exporter_or_external_metrics_moves():
    pods = {
        "type": "Pods",
        "pods": {"metric": {"name": "x"}, "target": {"type": "AverageValue", "averageValue": "3"}},
    }
    moves = moved(
        hpa("annotated", metrics=[cpu()]),
        hpa("external", metrics=[external("queue", {}, averageValue="3")], window=None),
        hpa("exporter", window=None),
        hpa("cpu", metrics=[cpu()], window=None),
        hpa("pods", metrics=[pods], window=None),
    )
    assert [one.old.name for one in moves.workloads] == ["annotated", "exporter", "external"]
    assert [one.name for one in moves.stay] == ["cpu", "pods"]


def test_a_workload_has_one_autoscaler():
    second = hpa("second")
    second["spec"]["scaleTargetRef"]["name"] = "player-api"
    moves = moved(hpa(), second)
    assert [one.old.name for one in moves.workloads] == ["player-api"]
    assert any("delete one of them first" in text for text in moves.notes)


def test_what_the_exporter_did_wrong_is_said(note_texts):
    crossing = note_texts(moved(hpa(window=("19:30:00", "00:30:00", "300"))))
    assert any("crosses midnight, where the exporter ended it" in text for text in crossing)
    assert any("more than maxReplicas, 200" in text for text in crossing)
    unreached = note_texts(moved(hpa(window=None), event()))
    assert any("the HPA never scaled down" in text for text in unreached)
    idle = note_texts(moved(hpa(metrics=[cpu()])))
    assert any("the annotations had no effect" in text for text in idle)
