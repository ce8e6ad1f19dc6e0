"""What the chart lets Preroll do in the Kubernetes API: what reading the cluster needs, no more."""

from __future__ import annotations

from typing import Any

import pytest

from forecaster.cluster.rights import NEEDED_RULES
from tests.deploy.chart import NAMES, Chart, rendered
from tests.deploy.documents import Document

Right = tuple[str, str, str]  # API group, resource, verb


def needed(*features: str, cluster_wide: bool | None = None) -> set[Right]:
    return {
        (rule.api_group, resource, verb)
        for rule in NEEDED_RULES
        if rule.feature in features and cluster_wide in (None, rule.cluster_wide)
        for resource in rule.resources
        for verb in rule.verbs
    }


def granted(role: Document) -> set[Right]:
    rights = set()
    for rule in role["rules"]:
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        rights |= {
            (group, resource, verb)
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
    return rights


def reading(**kubernetes: Any) -> Chart:
    return rendered("minimal", settings={"kubernetes": {"watch": True, **kubernetes}})


@pytest.mark.parametrize("nodes", [False, True])
@pytest.mark.parametrize("events", [False, True])
def test_the_whole_cluster_is_read_by_one_cluster_role(nodes: bool, events: bool) -> None:
    chart = reading(nodes=nodes, events=events)
    features = ["watch", *["nodes"] * nodes, *["events"] * events]
    assert granted(chart.the("ClusterRole")) == needed(*features)
    assert chart.all("Role") == []


@pytest.mark.parametrize("events", [False, True])
def test_named_namespaces_are_read_by_a_role_in_each(events: bool) -> None:
    chart = reading(namespaces=["streaming", "accounts"], events=events)
    roles = {one["metadata"]["namespace"]: one for one in chart.all("Role")}
    assert list(roles) == ["streaming", "accounts"]
    for role in roles.values():
        assert granted(role) == needed("watch", *["events"] * events, cluster_wide=False)
    assert chart.all("ClusterRole") == chart.all("ClusterRoleBinding") == []


def test_nodes_are_a_cluster_role_beside_the_roles_of_namespaces() -> None:
    chart = reading(namespaces=["streaming"], nodes=True)
    assert granted(chart.the("ClusterRole")) == needed("nodes")
    assert all(granted(one) == needed("watch", "events") for one in chart.all("Role"))


@pytest.mark.parametrize("name", NAMES)
def test_nobody_may_read_a_secret_or_change_a_workload(name: str) -> None:
    chart = rendered(name)
    for role in [*chart.all("Role"), *chart.all("ClusterRole")]:
        for group, resource, verb in granted(role):
            assert "*" not in (group, resource, verb)
            assert resource != "secrets"
            assert verb in ("get", "list", "watch") or resource == "events"


@pytest.mark.parametrize("namespaces", [[], ["streaming", "accounts"]], ids=["all", "some"])
def test_every_role_is_bound_to_the_pods_account(namespaces: list[str]) -> None:
    chart = reading(namespaces=namespaces, nodes=True)
    account = {
        "kind": "ServiceAccount",
        "name": chart.pod["spec"]["serviceAccountName"],
        "namespace": "preroll",
    }
    for kind in ("Role", "ClusterRole"):
        bindings = {
            (one["metadata"].get("namespace"), one["roleRef"]["name"]): one
            for one in chart.all(f"{kind}Binding")
        }
        roles = [
            (one["metadata"].get("namespace"), one["metadata"]["name"]) for one in chart.all(kind)
        ]
        assert list(bindings) == roles
        for binding in bindings.values():
            assert binding["subjects"] == [account]
            assert binding["roleRef"]["kind"] == kind


def api_server_rules(chart: Chart) -> list[Document]:
    """Ways out that lead to addresses instead of pods, name servers left out."""
    return [
        rule
        for rule in chart.the("NetworkPolicy")["spec"]["egress"]
        if all("ipBlock" in peer for peer in rule["to"]) and rule["ports"][0]["port"] != 53
    ]


def test_without_watching_there_are_no_roles_no_token_and_no_way_to_the_api_server() -> None:
    chart = rendered("minimal", settings={"kubernetes": {"watch": False, "nodes": True}})
    kinds = {one["kind"] for one in chart.documents}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    assert chart.pod["spec"]["automountServiceAccountToken"] is False
    assert chart.the("ServiceAccount")["automountServiceAccountToken"] is False
    assert api_server_rules(chart) == []


@pytest.mark.parametrize("name", ["everything", "namespaced", "settings-file", "ipv6"])
def test_watching_mounts_the_token_and_opens_the_way(name: str) -> None:
    chart = rendered(name)
    assert chart.pod["spec"]["automountServiceAccountToken"] is True
    assert chart.the("ServiceAccount")["automountServiceAccountToken"] is False
    first, *_ = api_server_rules(chart)
    assert 6443 in {one["port"] for one in first["ports"]}


def test_the_api_servers_address_can_be_narrowed() -> None:
    (rule,) = api_server_rules(rendered("namespaced"))
    assert rule == {
        "to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}],
        "ports": [{"protocol": "TCP", "port": 6443}],
    }


def test_rights_that_somebody_else_gives_are_not_given_twice() -> None:
    chart = rendered("existing")
    assert chart.all("ClusterRole") == chart.all("ServiceAccount") == []
    assert chart.pod["spec"]["serviceAccountName"] == "platform-reader"
    assert chart.pod["spec"]["automountServiceAccountToken"] is True
