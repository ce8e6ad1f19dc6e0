"""``preroll migrate`` as a user runs it."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from forecaster.migration.manifests import ManifestText, read_manifests
from forecaster.migration.moves import MoveOptions, Moves, plan_moves
from forecaster.migration.old_setup import read_old_setup
from tests.cli.metrics_server import evaluating
from tests.migration.conftest import EXAMPLE, RULES, cpu, deployment, exporter_metric, hpa
from tests.traffic.stand_in import serving

FILES = {"PLAN.md", "events.yaml", "preroll.yaml", "trigger-authentication.yaml"}


@pytest.fixture
def migrate(preroll, tmp_path):
    """``preroll migrate`` of the example set into a folder of its own."""

    def call(*arguments, output=tmp_path / "out"):
        return preroll("migrate", *(arguments or [EXAMPLE]), "--output", output)

    return call


@pytest.fixture
def example_moves() -> Moves:
    texts = [ManifestText(one.name, one.read_text()) for one in sorted(EXAMPLE.glob("*.yaml"))]
    return plan_moves(read_old_setup(read_manifests(texts)), MoveOptions())


def written(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*.*")}


def test_the_example_set_is_written_and_said_in_80_columns(migrate, tmp_path):
    said = migrate(EXAMPLE, "--timezone", "Europe/Paris")
    assert said.code == 0, said.err
    assert set(written(tmp_path / "out")) >= FILES
    lines = said.out.splitlines()
    assert "accounts/login" in lines[1] and "0.3 cores" in lines[1]
    assert "streaming/player-api" in lines[3] and "120 rps" in lines[3]
    assert "2 daily windows and 4 events, in events.yaml" in said.out
    assert f"Read {tmp_path / 'out' / 'PLAN.md'} next." in said.out
    assert "Prometheus: http://prometheus.monitoring.svc:9090, unless" in said.out
    assert [line for line in lines if len(line) > 80 and str(tmp_path) not in line] == []
    assert said.err == ""


def test_the_written_settings_and_events_pass_our_own_checks(migrate, preroll, tmp_path):
    migrate(EXAMPLE, "--timezone", "Europe/Paris")
    checked = preroll("check-config", "--config", tmp_path / "out" / "preroll.yaml")
    assert checked.code == 0, checked.err
    assert "the settings are valid" in checked.out
    events = preroll("events", "check", tmp_path / "out" / "events.yaml", "--strict")
    assert events.code == 0, events.err


def test_nothing_is_overwritten_without_force(migrate, tmp_path):
    migrate()
    settings = tmp_path / "out" / "preroll.yaml"
    settings.write_text("# mine\n")
    before = written(tmp_path / "out")
    again = migrate()
    assert again.code == 2
    assert "preroll.yaml would be overwritten; write --force" in again.err
    assert written(tmp_path / "out") == before
    assert migrate(EXAMPLE, "--force").code == 0
    assert settings.read_text() != "# mine\n"


def test_a_second_run_changes_no_byte(migrate, tmp_path):
    migrate()
    before = written(tmp_path / "out")
    assert migrate().code == 0
    assert written(tmp_path / "out") == before


def test_what_kubectl_prints_comes_by_standard_input(migrate, monkeypatch, tmp_path):
    items = [hpa(metrics=[exporter_metric(), cpu()]), deployment()]
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    said = migrate("-")
    assert said.code == 0, said.err
    assert (tmp_path / "out" / "scaledobjects" / "streaming.player-api.yaml").exists()


def test_files_json_and_the_adapters_own_file_are_read_together(migrate, tmp_path):
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "in" / "hpa.json").write_text(json.dumps(hpa()))
    (tmp_path / "in" / "below" / "deployment.yml").write_text(yaml.safe_dump(deployment()))
    (tmp_path / "in" / "notes.txt").write_text("not: [yaml")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES))
    said = migrate(tmp_path / "in", tmp_path / "rules.yaml")
    assert said.code == 0, said.err
    assert "cpu" in (tmp_path / "out" / "scaledobjects" / "streaming.player-api.yaml").read_text()


def test_the_address_of_prometheus_is_put_everywhere(migrate, tmp_path):
    said = migrate(EXAMPLE, "--prometheus", "http://vm.metrics.svc:8428/")
    assert said.code == 0, said.err
    texts = {name: data.decode() for name, data in written(tmp_path / "out").items()}
    assert "url: http://vm.metrics.svc:8428\n" in texts["preroll.yaml"]
    assert '"http://vm.metrics.svc:8428"' in texts["scaledobjects/streaming.manifest.yaml"]
    assert not any("prometheus.monitoring.svc" in text for text in texts.values())
    assert "unless --prometheus says else" not in said.out


def test_a_file_of_an_earlier_migration_is_told(migrate, tmp_path):
    migrate()
    stale = tmp_path / "out" / "scaledobjects" / "gone.yaml"
    stale.write_text("kind: ScaledObject\n")
    said = migrate()
    assert "gone.yaml is from before, and no file of this migration any more" in said.err
    assert stale.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{in}/none.yaml"], "none.yaml: it cannot be read: No such file"),
        (["{in}/empty"], "no .yaml, .yml, .json in this folder"),
        (["{in}/plain.yaml"], "nothing is there to move: 1 HPA, none with the exporter's"),
        (["{in}/plain.yaml", "--timezone", "Mars"], "'Mars' is not a time zone"),
        (["{in}/plain.yaml", "--keda", "2"], "'2' is not a version; write for example 2.20"),
        (["{in}/plain.yaml", "--kubernetes", "1.2"], "1.23 is the oldest"),
        (["{in}/plain.yaml", "--prometheus", "prometheus:9090"], "is not an address"),
        (["{in}/latin.yaml"], "not UTF-8 text, at byte 2"),
        (["{in}/bad.yaml"], "bad.yaml:line"),
    ],
    ids=["none", "empty", "nothing", "zone", "keda", "kubernetes", "address", "latin", "bad"],
)
def test_what_cannot_be_read_says_why_and_writes_nothing(migrate, tmp_path, arguments, told):
    given = tmp_path / "in"
    (given / "empty").mkdir(parents=True)
    (given / "plain.yaml").write_text(yaml.safe_dump(hpa(metrics=[cpu()], window=None)))
    (given / "latin.yaml").write_bytes(b"# \xe9\n")
    (given / "bad.yaml").write_text("kind: [")
    said = migrate(*(one.replace("{in}", str(given)) for one in arguments))
    assert said.code == 2
    flat = " ".join(" ".join(line.strip("│ ") for line in said.err.splitlines()).split())
    assert told in flat
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_is_refused_before_the_work(migrate, tmp_path):
    (tmp_path / "file").write_text("")
    said = migrate(EXAMPLE, output=tmp_path / "file")
    assert said.code == 2
    assert "this is a file; name a folder" in said.err


def test_traps_are_warned_of(migrate, tmp_path):
    (tmp_path / "hpa.yaml").write_text(
        yaml.safe_dump(hpa(metrics=[exporter_metric(), cpu()], minReplicas=0))
    )
    said = migrate(tmp_path / "hpa.yaml")
    assert said.code == 0
    assert "warning:" in said.err and "minReplica" in said.err
    assert "**Traps in what was written**" in (tmp_path / "out" / "PLAN.md").read_text()


def test_help_has_examples(preroll):
    said = preroll("migrate", "--help")
    assert said.code == 0
    assert "Example: kubectl get hpa" in said.out and "--traffic traffic.csv" in said.out


@pytest.mark.slow
def test_with_traffic_the_old_set_up_is_compared(migrate, tmp_path):
    start, step = datetime(2026, 7, 6, tzinfo=UTC), timedelta(minutes=5)
    hours = np.arange(4 * 288) / 12 % 24
    rates = 100 + 900 * np.exp(-(((hours - 18.5) / 0.7) ** 2))
    rows = (
        f"streaming/player-api,{start + n * step:%Y-%m-%dT%H:%M:%SZ},{value:.3f}\n"
        for n, value in enumerate(rates)
    )
    (tmp_path / "traffic.csv").write_text("series,timestamp,value\n" + "".join(rows))
    said = migrate(
        EXAMPLE, "--timezone", "Europe/Paris", "--traffic", tmp_path / "traffic.csv", "--days", "1"
    )
    assert said.code == 0, said.err
    text = (tmp_path / "out" / "comparison.md").read_text()
    assert "## streaming/player-api" in text
    assert "- streaming/manifest: the traffic has no series of that name" in text
    assert "streaming/player-api: the old set-up left" in said.out
    assert (tmp_path / "out" / "comparison.html").stat().st_size > 100_000
    plan = (tmp_path / "out" / "PLAN.md").read_text()
    assert "`comparison.md` has what both would have run" in plan


def test_traffic_of_a_server_is_asked_by_the_written_query(example_moves):
    from forecaster.cli.migrate_comparison import read_past

    labels = {"namespace": "streaming", "deployment": "manifest"}
    with serving() as server:
        server.answer = evaluating((labels, lambda _: 90.0))
        past = read_past(example_moves, server.url, None, timedelta(days=1))
        asked = {one.form["query"] for one in server.asked}
    assert list(past) == ["streaming/manifest"]
    assert past["streaming/manifest"].span >= timedelta(days=28)
    (query,) = asked
    assert query.count("label_replace(label_replace(") == 3
    assert '"deployment", "login"' in query


@pytest.mark.parametrize(
    ("traffic", "told"),
    [
        ("http://", "error"),
        ("none.csv", "none.csv"),
    ],
    ids=["address", "file"],
)
def test_traffic_that_cannot_be_read_writes_nothing(migrate, tmp_path, traffic, told):
    said = migrate(EXAMPLE, "--traffic", traffic)
    assert said.code == 2
    assert told in said.err.lower()
    assert not (tmp_path / "out").exists()
