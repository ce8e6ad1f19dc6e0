"""Reading the old set-up from an API server: real HTTP against a stand-in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from forecaster.cluster.client import ClusterClient
from forecaster.errors import ClusterRefused, ClusterUnavailable
from forecaster.migration.files import migration_files
from forecaster.migration.from_cluster import STEPS, ClusterManifests, read_cluster
from forecaster.migration.moves import MoveOptions, Moves, plan_moves
from forecaster.migration.old_setup import read_old_setup
from tests.cluster.reading import client_of
from tests.cluster.standin import Fault, StandIn
from tests.migration.conftest import RULES, deployment, example_objects, external, hpa, put_objects

OPTIONS = MoveOptions(timezone="Europe/Paris")
ADAPTER_LABEL = {"app.kubernetes.io/name": "prometheus-adapter"}


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(tokens={"right"}) as standing_in:
        yield standing_in


@pytest.fixture
def client(server: StandIn, tmp_path: Path) -> Iterator[ClusterClient]:
    made = client_of(server, tmp_path)
    yield made
    made.close()


def moves_of(read: ClusterManifests) -> Moves:
    return plan_moves(read_old_setup(read.manifests, (*read.missing, *read.notes)), OPTIONS)


def kinds(read: ClusterManifests) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in read.manifests]


def rules_map(
    name: str, namespace: str, labels: dict[str, str] | None = None, **data: str
) -> dict[str, Any]:
    about = {"name": name, "namespace": namespace, "labels": labels or {}}
    texts = data or {"config.yaml": json.dumps(RULES)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": texts}


def forbid(server: StandIn, plural: str) -> None:
    server.fail(Fault(plural, "", status=403, message=f"{plural} is forbidden", times=None))


def test_the_example_set_in_a_cluster_gives_the_same_bytes_as_its_manifests(
    server: StandIn, client: ClusterClient, example
) -> None:
    put_objects(server, example_objects())
    read = read_cluster(client)
    assert (read.missing, read.notes) == ((), ())
    by_manifests = migration_files(plan_moves(example, OPTIONS))
    by_cluster = migration_files(moves_of(read))
    assert dict(by_cluster.texts) == dict(by_manifests.texts)
    assert by_cluster.traps == by_manifests.traps
    assert len(by_cluster.texts) > 9


def test_the_order_of_the_server_and_its_fields_change_nothing(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, example_objects())
    first = migration_files(moves_of(read_cluster(client))).texts
    for one in reversed(example_objects()):
        one["metadata"] |= {"uid": "9", "generation": 4, "managedFields": [{"manager": "x"}]}
        one["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        server.put({**one, "status": {"currentReplicas": 7}})
    assert migration_files(moves_of(read_cluster(client))).texts == first


def test_only_reads_are_asked_and_each_with_a_limit(server: StandIn, client: ClusterClient) -> None:
    put_objects(server, example_objects())
    steps: list[None] = []
    read_cluster(client, advance=lambda: steps.append(None))
    assert len(steps) == STEPS
    assert {one.method for one in server.asked} == {"GET"}
    assert {one.verb for one in server.asked} == {"list", "get"}
    assert all("limit" in one.query for one in server.asked if one.verb == "list")


def test_items_of_a_list_without_kind_and_version_are_known(
    server: StandIn, client: ClusterClient
) -> None:
    """As a real API server lists its own kinds."""
    item = {key: value for key, value in hpa().items() if key not in ("kind", "apiVersion")}
    body = {
        "kind": "HorizontalPodAutoscalerList",
        "apiVersion": "autoscaling/v2",
        "metadata": {"resourceVersion": "5"},
        "items": [item],
    }
    server.fail(Fault("horizontalpodautoscalers", "list", body=json.dumps(body).encode()))
    (read,) = read_cluster(client).manifests
    assert (read.kind, read.api_version) == ("HorizontalPodAutoscaler", "autoscaling/v2")
    assert read.called == "HorizontalPodAutoscaler streaming/player-api"


def test_of_the_workloads_only_those_that_an_hpa_scales_are_kept(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(
        server,
        [hpa(), deployment(), deployment("other"), deployment(namespace="elsewhere")],
    )
    read = read_cluster(client)
    assert [one.called for one in read.manifests if one.kind == "Deployment"] == [
        "Deployment streaming/player-api"
    ]


def test_without_the_kind_of_events_windows_are_moved_and_it_is_said(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, [hpa(), deployment()])
    del server.store.shelves["prescalingevents"]
    del server.store.shelves["scaledobjects"]
    read = read_cluster(client)
    assert read.missing == ()
    assert "does not know prescalingevents.prescaling.bedrock.tech" in read.notes[0]
    moves = moves_of(read)
    assert len(moves.windows) == 1
    assert read.notes[0] in moves.notes


@pytest.mark.parametrize(
    ("plural", "told", "rule"),
    [
        (
            "configmaps",
            "the rules of prometheus-adapter are not known",
            '{apiGroups: [""], resources: [configmaps], verbs: [list]}',
        ),
        (
            "prescalingevents",
            "events.yaml has none of the events",
            "resources: [prescalingevents], verbs: [list]}",
        ),
        (
            "deployments",
            "what a pod requests is not known",
            '{apiGroups: ["apps"], resources: [deployments], verbs: [list]}',
        ),
        (
            "scaledobjects",
            "whether a workload has a ScaledObject already is not known",
            '{apiGroups: ["keda.sh"], resources: [scaledobjects], verbs: [list]}',
        ),
        (
            "apiservices",
            "who answers external.metrics.k8s.io is not known",
            '{apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], verbs: [get]}',
        ),
    ],
)
def test_a_right_that_is_missing_is_named_with_what_is_left_out(
    server: StandIn, client: ClusterClient, plural: str, told: str, rule: str
) -> None:
    put_objects(server, example_objects())
    forbid(server, plural)
    read = read_cluster(client)
    assert len({kind for kind, _ in kinds(read)}) == (4 if plural != "scaledobjects" else 5)
    assert told in read.missing[-1] and rule in read.missing[-1]
    assert set(read.missing) <= set(moves_of(read).notes)


def test_without_hpas_it_is_refused_with_the_rule(server: StandIn, client: ClusterClient) -> None:
    put_objects(server, example_objects())
    forbid(server, "horizontalpodautoscalers")
    with pytest.raises(ClusterRefused) as refused:
        read_cluster(client)
    rule = '{apiGroups: ["autoscaling"], resources: [horizontalpodautoscalers], verbs: [list]}'
    assert rule in str(refused.value) and "--namespace streaming" in str(refused.value)


def test_credentials_that_nobody_knows_are_refused(server: StandIn, client: ClusterClient) -> None:
    server.tokens = {"another"}
    with pytest.raises(ClusterRefused, match="does not know these credentials") as refused:
        read_cluster(client)
    assert "right" not in str(refused.value)


def test_a_server_that_does_not_answer_in_time_is_no_empty_cluster(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, example_objects())
    server.fail(Fault("prescalingevents", "list", slow_seconds=4.0))
    with pytest.raises(ClusterUnavailable, match="prescalingevents"):
        read_cluster(client)


def test_a_list_that_expires_is_read_again(server: StandIn, client: ClusterClient) -> None:
    put_objects(server, example_objects())
    server.fail(Fault("horizontalpodautoscalers", "list", status=410, message="too old"))
    assert len(moves_of(read_cluster(client)).workloads) == 3


def test_of_a_namespace_only_its_hpas_are_read_but_events_wherever_they_are(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, example_objects())
    moves = moves_of(read_cluster(client, ["accounts"]))
    assert [one.workload for one in moves.workloads] == ["accounts/login"]
    assert len(moves.setup.events) == 4
    assert len(moves.setup.rules) == 3
    assert {one.namespace for one in server.requests("horizontalpodautoscalers", "list")} == {
        "accounts"
    }


def test_events_that_may_be_read_in_named_namespaces_alone_are_read_there_and_others_missed(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, example_objects())
    server.fail(Fault("prescalingevents", "list", status=403))
    read = read_cluster(client, ["accounts", "prescaling"])
    assert len(moves_of(read).setup.events) == 4
    (missing,) = read.missing
    assert "may not be read in all namespaces: those of other namespaces are left out" in missing


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("prometheus-adapter", {}),
        ("adapter-config", {}),
        ("mine", ADAPTER_LABEL),
        ("mine", {"app": "prometheus-adapter"}),
    ],
)
def test_the_adapters_configuration_is_found_by_its_usual_names(
    server: StandIn, client: ClusterClient, name: str, labels: dict[str, str]
) -> None:
    others = [rules_map("others", "x"), rules_map("labelled", "x", ADAPTER_LABEL, text="a: 1")]
    put_objects(server, [hpa(), rules_map(name, "metrics", labels), *others])
    read = read_cluster(client)
    assert [one for one in kinds(read) if one[0] == "ConfigMap"] == [("ConfigMap", name)]


def test_a_configuration_of_another_name_is_asked_for_and_found_when_named(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, [hpa(), rules_map("mine", "metrics"), rules_map("no", "x", text="a: 1")])
    assert "--adapter-configmap monitoring/my-adapter" in read_cluster(client).notes[0]
    read = read_cluster(client, adapters=[("metrics", "mine")])
    assert read.notes == () and ("ConfigMap", "mine") in kinds(read)
    with pytest.raises(ClusterRefused, match="404") as refused:
        read_cluster(client, adapters=[("metrics", "typo")])
    assert refused.value.status == 404
    with pytest.raises(ClusterRefused, match="x/no has no rules"):
        read_cluster(client, adapters=[("x", "no")])
    forbid(server, "configmaps")
    with pytest.raises(ClusterRefused, match=r"resources: \[configmaps\], verbs: \[get\]"):
        read_cluster(client, adapters=[("metrics", "mine")])


def test_where_all_configmaps_may_not_be_read_the_adapters_namespace_is_tried(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, example_objects())
    server.fail(Fault("configmaps", "list", status=403))
    read = read_cluster(client)
    assert read.missing == ()
    assert {one.namespace for one in server.requests("configmaps", "list")} == {None, "monitoring"}
    assert len(moves_of(read).setup.rules) == 3


def test_a_workload_that_has_a_scaled_object_already_is_said(
    server: StandIn, client: ClusterClient
) -> None:
    theirs = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "theirs", "namespace": "streaming"},
        "spec": {"scaleTargetRef": {"name": "player-api"}, "triggers": []},
    }
    queue = hpa(metrics=[external("queue", {}, averageValue="3")])
    put_objects(server, [queue, deployment(), theirs])
    moves = moves_of(read_cluster(client))
    assert any(
        "ScaledObject streaming/theirs scales streaming/player-api already" in text
        for text in moves.notes
    )


def test_the_role_in_the_guide_grants_what_is_asked_and_nothing_else(
    server: StandIn, client: ClusterClient
) -> None:
    put_objects(server, example_objects())
    read_cluster(client)
    read_cluster(client, adapters=[("monitoring", "prometheus-adapter")])
    guide = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()
    role = next(
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
        if "kind: ClusterRole" in block
    )
    granted = {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {(one.plural, one.verb) for one in server.asked}
    kubernetes_validate.validate(role, "1.35", strict=True)
