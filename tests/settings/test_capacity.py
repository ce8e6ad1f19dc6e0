"""The ``capacity`` section: what capacity is measured from."""

import pytest

from forecaster.settings import NO_CAPACITY

QUERIES = "capacity: {replicas_query: ready, saturation_query: busy}\n"


def test_left_out_nothing_is_measured(load, valid):
    assert load(valid).capacity == NO_CAPACITY


def test_the_queries_name_workloads_as_traffic_does(load, valid):
    labels = "    labels: {namespace: ns, name: app}\n    default_namespace: tv\nworkloads:"
    capacity = load(valid.replace("workloads:", labels) + QUERIES).capacity
    assert capacity.replicas is not None
    assert capacity.saturation is not None
    assert (capacity.replicas.promql, capacity.saturation.promql) == ("ready", "busy")
    assert capacity.saturation.series_id({"app": "api"}) == "tv/api"
    assert capacity.target_utilisation == 0.7


def test_a_workload_may_have_a_target_of_its_own(load, valid):
    settings = load(f"{valid}    target_utilisation: 0.5\ncapacity: {{target_utilisation: 0.65}}\n")
    assert settings.capacity.target_utilisation == 0.65
    assert settings.fleet.workloads[0].target_utilisation == 0.5


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("{target_utilisation: 70}", "target_utilisation", "70 % is 0.7"),
        ("{target_utilisation: 0}", "target_utilisation", "0"),
        ("{target_utilisation: true}", "target_utilisation", "true is not a number"),
        ("{replicas_query: ready}", "saturation_query", "as well where replicas_query is set"),
        ("{saturation_query: busy}", "replicas_query", "as well where saturation_query is set"),
        ('{replicas_query: "", saturation_query: busy}', "replicas_query", "empty"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(problems, valid, written, place, message):
    (problem,) = problems(f"{valid}capacity: {written}\n")
    assert problem.place == f"capacity.{place}"
    assert message in problem.message
    assert problem.example


def test_a_file_is_asked_nothing(problems):
    (problem,) = problems(
        "source: {file: {path: a.csv}}\n"
        "workloads: [{namespace: tv, name: api, capacity: 1}]\n" + QUERIES
    )
    assert problem.place == "capacity.replicas_query"
    assert "preroll capacity --replicas" in problem.message
