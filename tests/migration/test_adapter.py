"""The adapter's rules: which series an API name means, and the PromQL that is asked for it.

The queries are written out by hand, as the adapter's documentation builds them.
"""

from __future__ import annotations

import pytest
import yaml

from forecaster.migration.adapter import read_adapter_rules
from forecaster.migration.adapter_query import (
    LabelRequirement,
    expand,
    external_query,
    object_query,
)
from forecaster.migration.manifests import ManifestText, read_manifests

NAMESPACE = {"namespace": {"resource": "namespace"}}


def rules_of(text):
    return read_adapter_rules(read_manifests([ManifestText("rules.yaml", text)]))


def rule(kind="externalRules", **fields):
    fields.setdefault("seriesQuery", "http_requests_total")
    fields.setdefault("resources", {"overrides": NAMESPACE})
    return rules_of(yaml.safe_dump({kind: [fields]}))[0]


@pytest.mark.parametrize(
    ("fields", "metric", "series"),
    [
        ({}, "http_requests_total", "http_requests_total"),
        ({}, "http_requests", None),
        (
            {"name": {"matches": "^(.*)_total$", "as": "${1}_per_second"}},
            "http_requests_per_second",
            "http_requests_total",
        ),
        ({"name": {"matches": "^(.*)_total$"}}, "http_requests", "http_requests_total"),
        ({"name": {"matches": ".*", "as": "requests"}}, "requests", "http_requests_total"),
        (
            {
                "seriesQuery": '{__name__=~"^.*_total$",namespace!=""}',
                "name": {"matches": "^(.*)_total$", "as": "$1"},
            },
            "logins",
            "logins_total",
        ),
        (
            {
                "seriesQuery": '{__name__=~"^.*_total$"}',
                "name": {"matches": "^(.*)_total$", "as": "$1"},
                "seriesFilters": [{"isNot": "^logins"}],
            },
            "logins",
            None,
        ),
        ({"seriesQuery": '{__name__="queue_depth",name!=""}'}, "queue_depth", "queue_depth"),
        # Go reads $1_x as the group called "1_x", which there is not: the name is empty.
        ({"name": {"matches": "^(.*)_total$", "as": "$1_x"}}, "http_requests_x", None),
    ],
    ids=["plain", "other", "renamed", "group", "fixed", "pattern", "filtered", "label", "go"],
)
def test_an_api_name_leads_to_its_series(fields, metric, series):
    assert rule(**fields).series_of(metric) == series


def test_rules_stand_in_a_config_map_or_in_a_file_of_their_own():
    config = yaml.safe_dump(
        {
            "rules": [{"seriesQuery": "a"}],
            "externalRules": [{"seriesQuery": "b"}, {"metricsQuery": "no series"}],
        }
    )
    config_map = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "adapter", "namespace": "monitoring"},
            "data": {"config.yaml": config, "other.txt": "seriesQuery: {", "more": "text"},
        }
    )
    found = [(one.series_query, one.external) for one in rules_of(config)]
    assert found == [("a", False), ("b", True)]
    assert [(one.series_query, one.external) for one in rules_of(config_map)] == found
    assert (
        rules_of(config_map)[1].place
        == "config.yaml of ConfigMap monitoring/adapter, externalRules[0]"
    )


QUERY = "sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)"
PLAYER = [LabelRequirement("deployment", values=("player-api",), equals=True)]


def test_an_external_query_has_the_selectors_labels_and_then_the_namespace():
    found = external_query(rule(metricsQuery=QUERY), "http_requests_total", "tv", PLAYER)
    assert found.promql == (
        'sum(rate(http_requests_total{deployment="player-api",namespace="tv"}[2m])) by ()'
    )


def test_a_rule_without_namespaces_asks_for_none():
    resources = {"namespaced": False}
    found = external_query(rule(metricsQuery=QUERY, resources=resources), "x", "tv", PLAYER)
    assert found.promql == 'sum(rate(x{deployment="player-api"}[2m])) by ()'


def test_labels_are_in_order_and_expressions_become_matchers():
    selector = [
        LabelRequirement("zone", "In", ("a", "b")),
        LabelRequirement("app", "NotIn", ("old",)),
        LabelRequirement("beta", "DoesNotExist"),
    ]
    found = external_query(
        rule(metricsQuery="sum(<<.Series>>{<<.LabelMatchers>>})"), "x", "tv", selector
    )
    assert found.promql == 'sum(x{app!~"old",beta="",zone=~"a|b",namespace="tv"})'


def test_several_results_are_summed_as_hpa_does():
    by_name = rule(metricsQuery="sum(<<.Series>>{<<.LabelMatchers>>}) by (name)")
    assert external_query(by_name, "x", "tv", []).promql == (
        'sum(sum(x{namespace="tv"}) by (name))'
    )
    ratio = rule(metricsQuery="sum(<<.Series>>) / sum(up)")
    assert external_query(ratio, "x", "tv", []).promql == "sum(sum(x) / sum(up))"
    one = rule(metricsQuery='avg(<<.Series>>{code!~"5[)]"})')
    assert external_query(one, "x", "tv", []).promql == 'avg(x{code!~"5[)]"})'


def test_a_pods_query_is_by_pod_and_summed():
    by_pod = rule(
        "rules",
        metricsQuery=QUERY,
        resources={
            "template": "kube_<<.Group>>_<<.Resource>>",
            "overrides": {"ns": {"resource": "namespaces"}},
        },
    )
    found = object_query(by_pod, "x", "tv", [], "pod", "player-[0-9a-z]+", pattern=True)
    assert found.promql == (
        'sum(sum(rate(x{ns="tv",kube__pod=~"player-[0-9a-z]+"}[2m])) by (kube__pod))'
    )
    of_deployment = object_query(by_pod, "x", "tv", [], "deployment", "player")
    assert 'kube_apps_deployment="player"' in of_deployment.promql


def test_label_values_by_name_and_replacements_are_known():
    with_values = rule(
        metricsQuery='sum(<<.Series>>{queue="<<index .LabelValuesByName "queue">>"})',
        labelValueReplacements=[{"find": "_", "replace": "/"}],
    )
    selector = [LabelRequirement("queue", values=("a_b",), equals=True)]
    assert external_query(with_values, "x", "tv", selector).promql == 'sum(x{queue="a/b"})'


@pytest.mark.parametrize(
    ("fields", "selector", "told"),
    [
        ({"resources": {}}, [], "does not say which label is the namespace"),
        ({}, [LabelRequirement("a", "Gt", ("3",))], "a Gt, which the adapter refuses"),
        ({"metricsQuery": "sum(<<range .GroupBySlice>>)"}, [], "<<range .GroupBySlice>>"),
    ],
    ids=["no-namespace", "operator", "template"],
)
def test_what_cannot_be_translated_says_why(fields, selector, told):
    found = external_query(rule(**fields), "x", "tv", selector)
    assert found.promql == "" and told in found.why_not


def test_white_space_around_an_action_goes_where_the_template_says_so():
    assert expand("sum(\n  <<- .Series ->>\n)", "up", "", "", {}) == ("sum(up)", "")
