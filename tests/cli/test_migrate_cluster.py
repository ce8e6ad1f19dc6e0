"""``preroll migrate --cluster`` as a user runs it, against a stand-in API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.reading import write_kubeconfig
from tests.cluster.standin import Fault, StandIn
from tests.migration.conftest import EXAMPLE, cpu, example_objects, hpa, put_objects


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(tokens={"right"}) as standing_in:
        yield standing_in


@pytest.fixture
def migrate(preroll, server, tmp_path):
    """``preroll migrate --cluster`` of the stand-in, into a folder of its own."""
    path = write_kubeconfig(tmp_path / "kubeconfig", server.url)

    def call(*arguments, output=tmp_path / "out"):
        return preroll("migrate", "--cluster", "--kubeconfig", path, *arguments, "--output", output)

    return call


def written(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*.*")}


def flat(text: str) -> str:
    return " ".join(" ".join(line.strip("│ ") for line in text.splitlines()).split())


def test_the_example_set_in_a_cluster_is_written_as_from_its_manifests(
    migrate, preroll, server, tmp_path
):
    put_objects(server, example_objects())
    said = migrate("--timezone", "Europe/Paris")
    assert said.code == 0, said.err
    assert said.err == ""
    by_files = tmp_path / "by-files"
    other = preroll("migrate", EXAMPLE, "--output", by_files, "--timezone", "Europe/Paris")
    assert written(tmp_path / "out") == written(by_files)
    assert said.out.replace("/out/", "/by-files/") == other.out
    again = migrate("--timezone", "Europe/Paris")
    assert again.code == 0, again.err


def test_the_context_and_the_namespaces_are_those_that_were_named(migrate, server):
    put_objects(server, example_objects())
    said = migrate("--context", "test", "--namespace", "accounts", "--namespace", "streaming")
    assert said.code == 0, said.err
    asked = server.requests("horizontalpodautoscalers", "list")
    assert [one.namespace for one in asked] == ["accounts", "streaming"]


def test_configmaps_that_may_not_be_read_are_warned_of_once_and_in_the_plan(
    migrate, server, tmp_path
):
    put_objects(server, example_objects())
    server.fail(Fault("configmaps", "", status=403, message="forbidden", times=None))
    said = migrate()
    assert said.code == 0, said.err
    rule = '{apiGroups: [""], resources: [configmaps], verbs: [list]}'
    assert said.err.count("warning: configmaps may not be read") == 1
    assert said.err.count(rule) == 1
    plan = " ".join((tmp_path / "out" / "PLAN.md").read_text().split())
    assert rule in plan
    named = migrate("--adapter-configmap", "monitoring/prometheus-adapter", "--force")
    assert named.code == 2
    assert "verbs: [get]" in flat(named.err)


def test_rules_from_a_file_stand_in_for_a_configmap_that_may_not_be_read(migrate, server, tmp_path):
    put_objects(server, example_objects())
    server.fail(Fault("configmaps", "", status=403, message="forbidden", times=None))
    said = migrate(EXAMPLE / "prometheus-adapter.yaml")
    assert said.code == 0, said.err
    made = (tmp_path / "out" / "scaledobjects" / "streaming.player-api.yaml").read_text()
    assert "sum(rate(http_requests_total{" in made


def test_without_the_exporters_kind_it_is_said_and_the_windows_move(migrate, server, tmp_path):
    put_objects(server, [one for one in example_objects() if one["kind"] != "PrescalingEvent"])
    del server.store.shelves["prescalingevents"]
    said = migrate()
    assert said.code == 0, said.err
    assert "does not know prescalingevents.prescaling.bedrock.tech" in said.err
    assert "warning" not in said.err
    assert "2 daily windows and 0 events" in said.out


def test_a_cluster_with_nothing_to_move_says_so(migrate, server, tmp_path):
    server.put(hpa(metrics=[cpu()], window=None))
    said = migrate()
    assert said.code == 2
    assert "the cluster: nothing is there to move: 1 HPA, none" in flat(said.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--kubeconfig", "{in}/none"], "none: Invalid kube-config file"),
        (["--kubeconfig", "{in}/broken"], "--kubeconfig ~/.kube/config --context production"),
        (["--context", "nowhere"], "nowhere"),
        (["--context", "other"], "cannot connect"),
        (["--namespace", "No_Such"], "'No_Such' is not a namespace; write for example streaming"),
        (["--adapter-configmap", "adapter"], "'adapter' is not namespace/name"),
    ],
    ids=["missing", "broken", "context", "unreachable", "namespace", "configmap"],
)
def test_what_cannot_be_reached_says_why_and_writes_nothing(migrate, tmp_path, arguments, told):
    (tmp_path / "broken").write_text("clusters: [")
    said = migrate(*(one.replace("{in}", str(tmp_path)) for one in arguments))
    assert said.code == 2
    assert told in flat(said.err)
    assert "Traceback" not in said.err and "right" not in said.err
    assert not (tmp_path / "out").exists()


def test_refused_credentials_are_told(migrate, server, tmp_path):
    server.tokens = {"another"}
    said = migrate()
    assert said.code == 2
    assert "does not know these credentials" in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--kubeconfig", "--context", "--namespace"])
def test_options_of_the_cluster_without_it_are_refused(preroll, tmp_path, option):
    said = preroll("migrate", EXAMPLE, option, "x", "--output", tmp_path / "out")
    assert said.code == 2
    assert "write --cluster as well" in flat(said.err)


def test_help_has_an_example(preroll):
    said = preroll("migrate", "--help")
    assert "Example: preroll migrate --cluster --context production" in said.out
