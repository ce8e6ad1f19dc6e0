from __future__ import annotations

import yaml

from forecaster.cluster.resources import BY_KIND, NODES, PODS, resources_to_read
from forecaster.cluster.rights import NEEDED_RULES, rule_text


def test_every_kind_that_is_read_has_its_rule() -> None:
    granted = {
        (rule.api_group, plural): rule.verbs for rule in NEEDED_RULES for plural in rule.resources
    }
    for resource in resources_to_read(nodes=True):
        assert granted.pop((resource.group, resource.plural)) == ("get", "list", "watch")
    assert granted == {("events.k8s.io", "events"): ("create",)}


def test_nothing_is_written_but_events_and_nothing_is_granted_at_large() -> None:
    for rule in NEEDED_RULES:
        assert "*" not in (rule.api_group, *rule.resources, *rule.verbs)
        written = set(rule.verbs) - {"get", "list", "watch"}
        assert written == ({"create"} if rule.resources == ("events",) else set())
        assert "secrets" not in rule.resources


def test_only_nodes_need_a_cluster_role_and_only_where_they_are_wanted() -> None:
    wide = [rule for rule in NEEDED_RULES if rule.cluster_wide]
    assert [(rule.feature, rule.resources) for rule in wide] == [("nodes", ("nodes",))]
    assert {rule.feature for rule in NEEDED_RULES} == {"watch", "nodes", "events"}


def test_a_rule_reads_as_it_stands_in_a_role() -> None:
    assert yaml.safe_load(rule_text(PODS)) == {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["get", "list", "watch"],
    }


def test_addresses_are_those_of_the_api_server() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("streaming", "p-1") == "/api/v1/namespaces/streaming/pods/p-1"
    keda = BY_KIND["ScaledObject"]
    assert keda.path("a") == "/apis/keda.sh/v1alpha1/namespaces/a/scaledobjects"
    assert NODES.path("ignored") == "/api/v1/nodes"
