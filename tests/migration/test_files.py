"""From the example set to objects that can be applied, with no edit but the source's address."""

from __future__ import annotations

import re

import kubernetes_validate
import pytest
import yaml

from forecaster.keda import ScaledObjectOptions, find_traps
from forecaster.migration.files import migration_files
from forecaster.migration.manifests import ManifestText, read_manifests
from forecaster.migration.moves import MoveOptions, plan_moves
from forecaster.migration.old_setup import read_old_setup
from forecaster.migration.settings_file import PLACEHOLDER_URL
from forecaster.planning.capacity import Mode
from forecaster.programme.reading import read_calendar
from forecaster.settings import load_settings
from tests.keda.crd import faults
from tests.keda.hpa import hpa_of
from tests.migration.conftest import EXAMPLE, deployment, exporter_metric, hpa, moved

MINE = "http://prometheus.metrics.svc:9090"


@pytest.fixture(scope="module")
def texts(example_moves):
    return migration_files(example_moves).texts


@pytest.fixture(scope="module")
def folder(texts, tmp_path_factory):
    """All files, the source's address edited as PLAN.md says."""
    made = tmp_path_factory.mktemp("migration")
    for name, text in texts.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text.replace(PLACEHOLDER_URL, MINE))
    return made


def objects(folder, *patterns):
    found = []
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            found += list(yaml.safe_load_all(path.read_text()))
    return found


def test_the_example_set_becomes_these_files(texts):
    assert sorted(texts) == [
        "PLAN.md",
        "backup/apiservice-v1beta1.custom.metrics.k8s.io.yaml",
        "backup/apiservice-v1beta1.external.metrics.k8s.io.yaml",
        "backup/configmap-monitoring.prometheus-adapter.yaml",
        "backup/hpa-accounts.login.yaml",
        "backup/hpa-streaming.manifest-hpa.yaml",
        "backup/hpa-streaming.player-api.yaml",
        "backup/prescalingevents.yaml",
        "events.yaml",
        "preroll.yaml",
        "scaledobjects/accounts.login.yaml",
        "scaledobjects/streaming.manifest.yaml",
        "scaledobjects/streaming.player-api.yaml",
        "trigger-authentication.yaml",
    ]


def test_the_settings_load_as_they_are_and_only_watch(folder):
    settings = load_settings(folder / "preroll.yaml", {})
    rules = {one.workload: one.rule for one in settings.fleet.workloads}
    assert {
        name: (rule.capacity_rps, rule.min_replicas, rule.max_replicas)
        for name, rule in rules.items()
    } == {
        "streaming/player-api": (120.0, 4, 200),
        "streaming/manifest": (300.0, 3, 80),
        "accounts/login": (pytest.approx(0.3), 2, 60),
    }
    assert {rule.mode for rule in rules.values()} == {Mode.SHADOW}
    assert settings.source.connection.shown == MINE
    assert settings.keda.authenticate
    (source,) = settings.events.sources
    assert read_calendar(source.location).problems == ()


def test_the_address_stands_nowhere_but_in_settings_and_triggers(texts):
    named = {name for name, text in texts.items() if PLACEHOLDER_URL in text}
    assert named == {
        "PLAN.md",
        "preroll.yaml",
        "scaledobjects/streaming.manifest.yaml",
        "scaledobjects/streaming.player-api.yaml",
    }


def test_every_field_of_kedas_objects_is_one_that_keda_takes(folder):
    made = objects(folder, "scaledobjects/*.yaml", "trigger-authentication.yaml")
    assert [one["kind"] for one in made] == ["ScaledObject"] * 3 + ["TriggerAuthentication"] * 2
    assert [faults(one) for one in made] == [[]] * 5
    for one in made[:3]:
        kubernetes_validate.validate(hpa_of(one), "1.35", strict=True)


def test_the_backup_can_be_applied_again(folder):
    kept = objects(folder, "backup/*.yaml")
    events = [one for one in kept if one["kind"] == "PrescalingEvent"]
    assert (len(kept), len(events)) == (10, 4)
    for one in (one for one in kept if one not in events):
        kubernetes_validate.validate(one, "1.35", strict=True)
    originals = {
        one["metadata"]["name"]: one["spec"]
        for one in yaml.safe_load_all((EXAMPLE / "autoscalers.yaml").read_text())
    }
    again = {
        one["metadata"]["name"]: one["spec"]
        for one in kept
        if one["kind"] == "HorizontalPodAutoscaler"
    }
    assert again == originals


def test_there_are_no_traps(folder, example_moves):
    settings = load_settings(folder / "preroll.yaml", {})
    beside = objects(EXAMPLE, "deployments.yaml", "autoscalers.yaml")
    made = objects(folder, "scaledobjects/*.yaml", "trigger-authentication.yaml")
    assert find_traps([*beside, *made], settings.fleet.workloads) == []
    assert migration_files(example_moves).traps == ()


def test_each_scaled_object_takes_its_hpa_over_in_its_bounds(folder):
    for one in objects(folder, "scaledobjects/*.yaml"):
        annotations = one["metadata"]["annotations"]
        assert annotations["scaledobject.keda.sh/transfer-hpa-ownership"] == "true"
        config = one["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
        old = next(
            hpa
            for hpa in objects(EXAMPLE, "autoscalers.yaml")
            if hpa["spec"]["scaleTargetRef"]["name"] == one["spec"]["scaleTargetRef"]["name"]
        )
        assert config["name"] == old["metadata"]["name"]
        assert one["spec"]["minReplicaCount"] == old["spec"]["minReplicas"]
        assert one["spec"]["maxReplicaCount"] == old["spec"]["maxReplicas"]
        if "behavior" in old["spec"]:
            kept = old["spec"]["behavior"]["scaleDown"]
            assert {**config["behavior"]["scaleDown"], **kept} == config["behavior"]["scaleDown"]


def test_the_same_input_gives_the_same_bytes(texts):
    again = [ManifestText(one.name, one.read_text()) for one in sorted(EXAMPLE.glob("*.yaml"))]
    moves = plan_moves(read_old_setup(read_manifests(again)), MoveOptions(timezone="Europe/Paris"))
    assert migration_files(moves).texts == texts


def test_what_the_api_server_keeps_for_itself_is_in_no_file():
    given = hpa(metrics=[exporter_metric()])
    given["metadata"] |= {"uid": "u-1", "resourceVersion": "77", "managedFields": []}
    given["status"] = {"currentReplicas": 7}
    written = migration_files(moved(given, deployment())).texts
    for name, text in written.items():
        assert not re.search(r"\bu-1\b|resourceVersion|managedFields|currentReplicas: 7", text), (
            name
        )


def test_an_hpa_with_the_exporters_metric_alone_gets_a_cpu_trigger_where_pods_request_cpu():
    def triggers(*given):
        written = migration_files(moved(*given)).texts["scaledobjects/streaming.player-api.yaml"]
        return [one["type"] for one in yaml.safe_load(written)["spec"]["triggers"]]

    assert triggers(hpa(), deployment()) == ["metrics-api", "cpu"]
    assert triggers(hpa(), deployment(requests=None)) == ["metrics-api"]


def test_for_older_versions_no_field_is_written_that_they_do_not_know():
    keda = ScaledObjectOptions(kubernetes=(1, 32), keda=(2, 16))
    written = migration_files(moved(hpa(), deployment(), keda=keda)).texts
    made = yaml.safe_load(written["scaledobjects/streaming.player-api.yaml"])
    up = made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleUp"]
    assert "tolerance" not in up
    assert "behavior" not in made["spec"]["fallback"]
    assert 'version: "2.16"' in written["preroll.yaml"]


def test_capacity_that_nobody_says_is_auto(tmp_path):
    written = migration_files(moved(hpa()))
    for name in ("preroll.yaml", "events.yaml"):
        (tmp_path / name).write_text(written.texts[name])
    assert "capacity: auto" in written.texts["preroll.yaml"]
    (one,) = load_settings(tmp_path / "preroll.yaml", {}).fleet.workloads
    assert one.measured.capacity
