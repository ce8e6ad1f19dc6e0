"""PLAN.md: the team's own names, commands that a shell takes, and an order that is safe."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, time, timedelta

import pytest

from forecaster.events import DailyWindow, Event
from forecaster.migration.files import migration_files
from forecaster.migration.moves import quiet_clock
from tests.migration.conftest import RULES, cpu, event, exporter_metric, external, hpa, moved

ALL_BACK = "### All the way back"


@pytest.fixture(scope="module")
def files(example_moves):
    return migration_files(example_moves).texts


@pytest.fixture(scope="module")
def plan(files):
    return files["PLAN.md"]


def plan_of(*objects, **options):
    return migration_files(moved(*objects, **options)).texts["PLAN.md"]


def shell(text):
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def test_no_place_is_left_open(plan):
    assert not re.search(r"\{\{\w+\}\}", plan)
    assert "\n\n\n" not in plan


def test_all_commands_are_right_for_a_shell(plan):
    for block in shell(plan):
        checked = subprocess.run(
            ["bash", "-n"], input=block, text=True, capture_output=True, check=False
        )
        assert checked.returncode == 0, (block, checked.stderr)


def test_every_file_that_it_names_is_written(plan, files):
    named = set(re.findall(r"(?:scaledobjects|backup)/[\w.-]+\.yaml", plan))
    named |= set(re.findall(r"--filename ([\w.-]+\.yaml)", plan))
    written_later = {"backup/prescalingevents.yaml"}
    assert named - written_later <= set(files)
    assert {name for name in files if name.startswith(("scaledobjects/", "backup/hpa"))} <= named


def test_the_source_is_edited_by_its_own_commands(plan, files, tmp_path):
    """The commands of step 2 on a copy of the folder."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (block,) = [one for one in shell(plan) if "prometheus=http" in one]
    commands = block.replace("preroll check-config", ": preroll check-config")
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True)
    edited = {
        str(one.relative_to(tmp_path)): one.read_text()
        for one in tmp_path.rglob("*")
        if one.is_file()
    }
    assert set(edited) == set(files)
    mine = "http://prometheus.example.svc:9090"
    assert mine in edited["preroll.yaml"]
    for name in ("scaledobjects/streaming.player-api.yaml", "preroll.yaml"):
        assert edited[name].replace(mine, "X") == files[name].replace(
            "http://prometheus.monitoring.svc:9090", "X"
        )


def test_the_mode_is_changed_by_its_own_command(plan, files, tmp_path):
    (tmp_path / "preroll.yaml").write_text(files["preroll.yaml"])
    (block,) = [one for one in shell(plan) if "/  mode: active/" in one]
    subprocess.run(["bash", "-euc", block.splitlines()[0]], cwd=tmp_path, check=True)
    assert "  mode: active\n" in (tmp_path / "preroll.yaml").read_text()
    assert list(tmp_path.iterdir()) == [tmp_path / "preroll.yaml"]


def test_the_order_never_leaves_a_workload_without_an_autoscaler(plan):
    steps = [
        "helm upgrade --install preroll",
        'select(any(.spec.metrics[]?; .type == "External"))',
        "mode: active",
        "kubectl delete apiservice v1beta1.external.metrics.k8s.io",
        "helm upgrade --install keda",
        "kubectl apply --filename trigger-authentication.yaml",
        "kubectl apply --filename scaledobjects/",
        ALL_BACK,
        "helm uninstall prescaling-exporter",
    ]
    places = [plan.index(one) for one in steps]
    assert places == sorted(places)
    assert "kubectl delete hpa" not in plan


def test_no_way_back_deletes_an_hpa(plan):
    deleted = [one for one in plan.splitlines() if one.startswith("kubectl delete scaledobject")]
    assert len(deleted) == 6
    assert all(one.endswith("--cascade=orphan") for one in deleted)
    back = plan[plan.index(ALL_BACK) :]
    assert back.index("delete scaledobject") < back.index("helm uninstall keda")
    assert back.index("helm uninstall keda") < back.index("helm rollback prometheus-adapter")
    assert "helm rollback prometheus-adapter --namespace monitoring" in plan


def test_the_teams_own_names_are_in_it(plan):
    for text in (
        "monitoring/prometheus-adapter",
        "deployment/prometheus-adapter --namespace monitoring",
        "config.yaml of ConfigMap monitoring/prometheus-adapter",
        "kubectl describe hpa manifest-hpa --namespace streaming",
        "kubectl create secret generic preroll-token --namespace accounts",
        "/v1/targets/accounts/login",
        'horizontalpodautoscaler="manifest-hpa"',
        "2026-07-19 (Cup, final)",
        "begin it from 00:40 to 18:20 (Europe/Paris)",
    ):
        assert text in plan.replace("\n", " ") or text in plan, text


def test_on_a_match_day_each_hpa_gets_what_was_ever_typed_for_it(plan):
    assert (
        "kubectl patch hpa player-api --namespace streaming "
        """--patch '{"spec":{"minReplicas":48}}'"""
    ) in plan
    assert (
        """hpa manifest-hpa --namespace streaming --patch '{"spec":{"minReplicas":32}}'""" in plan
    )
    assert "# accounts/login: nobody ever wrote a number for it" in plan


def test_what_has_external_metrics_alone_is_warned_of():
    assert "**streaming/player-api has external metrics alone:**" in plan_of(hpa())
    assert "external metrics alone" not in plan_of(hpa(metrics=[exporter_metric(), cpu()]))


def test_capacity_that_is_not_known_is_said():
    assert "Nobody knows yet what a replica of streaming/player-api serves" in plan_of(hpa())


def test_without_the_api_service_it_has_to_be_looked_up():
    text = plan_of(hpa(), RULES)
    assert "No APIService of it was read" in text
    assert "backup/apiservice" not in text


def test_where_keda_owns_the_api_nothing_changes_hands():
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
        "spec": {
            "group": "external.metrics.k8s.io",
            "service": {"name": "keda-operator-metrics-apiserver", "namespace": "keda"},
        },
    }
    text = plan_of(hpa(), api)
    assert "KEDA owns external.metrics.k8s.io already" in text
    assert "helm uninstall keda" not in text and "kubectl delete apiservice" not in text


def test_hpas_that_stay_are_named_and_keep_the_adapter():
    pods = {
        "type": "Pods",
        "pods": {"metric": {"name": "x"}, "target": {"type": "AverageValue", "averageValue": "3"}},
    }
    text = plan_of(hpa(), hpa("worker", metrics=[pods], window=None))
    assert "- streaming/worker" in text
    assert "Keep prometheus-adapter: streaming/worker still asks it" in text.replace("\n", " ")


def test_what_could_not_be_used_is_in_it():
    text = plan_of(
        hpa(metrics=[exporter_metric(), external("queue", {}, averageValue="3")]),
        event("odd", multiplier="many"),
    )
    assert "**Could not be used**" in text
    assert "PrescalingEvent prescaling/odd" in text
    assert "- dropped: External metric queue, 3 per replica" in text


def window(start, end):
    now = datetime(2000, 1, 1, tzinfo=UTC)
    return DailyWindow(start, end, "UTC", Event(now, now + timedelta(hours=1), "window"))


@pytest.mark.parametrize(
    ("windows", "quiet"),
    [
        ([], (time(0), time(0))),
        ([window(time(20), time(23))], (time(23, 10), time(19, 50))),
        ([window(time(22), time(1))], (time(1, 10), time(21, 50))),
        ([window(time(6), time(8)), window(time(18), time(23))], (time(8, 10), time(17, 50))),
        ([window(time(0), time(23, 30))], None),
    ],
    ids=["none", "evening", "midnight", "two", "always"],
)
def test_the_quiet_hours_are_the_longest_stretch_without_a_window(windows, quiet):
    assert quiet_clock(tuple(windows), timedelta(minutes=10)) == quiet


def test_the_exporters_metrics_from_preroll_are_offered_for_the_time_in_between(plan):
    text = " ".join(plan.split())
    assert "server: {prescaling_metrics: true}" in text
    assert "`prescaling_metric` needs `kubernetes: {watch: true}`" in text
    assert text.index("In between, the exporter's metrics") < text.index("## 4. Make ready")


def block_with(plan, text):
    (found,) = [one for one in shell(plan) if text in one]
    return found


def test_what_changed_meanwhile_is_read_with_the_adapters_rules_before_anything_is_changed(plan):
    block = block_with(plan, "--output meanwhile")
    assert "--cluster" in block and "--adapter-configmap monitoring/prometheus-adapter" in block
    assert "diff --recursive --unified backup meanwhile/backup" in block
    places = [plan.index(one) for one in ("rm -rf meanwhile", "any(.spec.metrics", "/  mode: ac")]
    assert places == sorted(places)


def test_the_options_that_it_was_run_with_are_given_again():
    options = {"lead_time": timedelta(minutes=2), "prometheus": "http://p.obs.svc/?a=1&b"}
    block = block_with(plan_of(hpa(), **options), "--output meanwhile")
    assert "--lead-time 2m" in block and "--prometheus 'http://p.obs.svc/?a=1&b'" in block
    assert "--adapter-configmap" not in block and "--keda" not in block


def test_rules_that_were_no_configmap_are_asked_for_again():
    assert "Name the file of the adapter's rules (given.yaml" in " ".join(
        plan_of(hpa(), RULES).split()
    )


def test_every_change_of_the_way_back_is_a_command(plan):
    back = plan[plan.index(ALL_BACK) : plan.index("## 6.")]
    assert "# kubectl replace --filename backup/configmap-monitoring.prometheus-adapter" in back
    held, released = (
        {line.split(" autoscaling")[0] for line in block_with(plan, what).splitlines()}
        for what in ("paused-scale-in=true", "paused-scale-in-\n")
    )
    assert held == released and len(held) == 3
    assert "kubectl delete secret preroll-token --namespace accounts" in plan
    assert "kubectl edit configmap prometheus-adapter --namespace monitoring" in plan


def test_a_token_that_is_there_is_kept_for_all(plan, tmp_path):
    """The commands twice, over a stand-in of kubectl that keeps what was created first."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        "#!/bin/bash\n"
        'case "$1 $2" in\n'
        '"create secret") test -e "$4@$6" && exit 1; echo "${7#--from-literal=*=}" > "$4@$6";;\n'
        '"get secret") base64 < "$3@$5";;\n'
        "esac\n"
    )
    kubectl.chmod(0o755)
    commands = f'export PATH="{tmp_path}:$PATH"\n' + block_with(plan, "openssl rand")
    for again in (False, True):
        if again:
            (tmp_path / "preroll-token@accounts").unlink()
        subprocess.run(["bash", "-c", commands], cwd=tmp_path, check=False)
        kept = {one.read_text().strip() for one in tmp_path.glob("*@*")}
        assert len(kept) == 1 and len(kept.pop()) == 64
