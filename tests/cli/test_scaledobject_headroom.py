"""``preroll scaledobject --headroom``."""

from __future__ import annotations

import io
import re
import shlex
import textwrap
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml

from forecaster.cluster.headroom import PLACEHOLDER_PRIORITY
from forecaster.cluster.lead_time import scaling_delay
from forecaster.cluster.start_up_summary import ENOUGH
from forecaster.planning.snapshot import WorkloadState
from forecaster.settings import load_settings
from forecaster.settings.values import NO_KUBERNETES
from forecaster.worker.cluster_messages import SeenWorkload
from forecaster.worker.cluster_view import ClusterWorkload
from forecaster.worker.headroom import headroom_of
from tests.cluster.plan_cases import EIGHT, MINUTE, plan_of
from tests.keda.conftest import HPA, SCALED_OBJECT
from tests.keda.crd import faults

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "deploy" / "examples" / "preroll.yaml"
PAGE = (ROOT / "docs" / "capacity-warnings.md").read_text()
PAGE = PAGE[PAGE.index("## Head-room") :]
IMAGE = "registry.example.com/pause:3.10"
# As kubectl prints it, shortened.
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: SPACE, uid: 0f0c6a0e, resourceVersion: "4711"}
spec:
  replicas: 12
  selector: {matchLabels: {app: player}}
  template:
    metadata: {labels: {app: player}}
    spec:
      nodeSelector: {pool: player}
      initContainers:
        - {name: proxy, image: p, restartPolicy: Always, resources: {requests: {cpu: 100m}}}
      containers:
        - {name: app, image: a, resources: {requests: {cpu: 500m, memory: 1Gi}}}
        - {name: log, image: l, resources: {limits: {cpu: "0.15", memory: 512Mi}}}
status: {readyReplicas: 12}
"""


@pytest.fixture
def make(preroll):
    def call(*arguments):
        image = ("--headroom", "--headroom-image", IMAGE)
        return preroll("scaledobject", "--config", CONFIG, *image, *arguments)

    return call


@pytest.fixture
def folder(tmp_path):
    """Two Deployments, the HPA of one of them, and the ScaledObject of a StatefulSet."""
    made = tmp_path / "manifests"
    made.mkdir()
    (made / "hpa.yaml").write_text(HPA)
    (made / "so.yaml").write_text(SCALED_OBJECT)
    for space, name in (("streaming", "player-api"), ("streaming", "drm-licence")):
        text = DEPLOYMENT.replace("NAME", name).replace("SPACE", space)
        (made / f"{name}.yaml").write_text(text)
    return made


def words(said):
    return " ".join(said.err.replace("│", " ").split())


def named(objects):
    return [(one["kind"], one["metadata"]["name"]) for one in objects]


def test_each_workload_gets_placeholders_of_its_size_and_the_cluster_one_class(make, folder):
    said = make("--from", folder, "-w", "streaming/player-api", "-w", "streaming/drm-licence")
    assert said.code == 0
    objects = list(yaml.safe_load_all(said.out))
    assert named(objects) == [
        ("PriorityClass", "preroll-placeholder"),
        ("Deployment", "drm-licence-placeholder"),
        ("ScaledObject", "drm-licence-placeholder"),
        ("Deployment", "player-api-placeholder"),
        ("ScaledObject", "player-api-placeholder"),
    ]
    pod = objects[3]["spec"]["template"]["spec"]
    # 500m + 150m, which is a limit alone, + 100m of the sidecar; 1 GiB + 512 MiB.
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "0.75", "memory": "1536Mi"}
    assert pod["containers"][0]["image"] == IMAGE
    assert pod["nodeSelector"] == {"pool": "player"}
    assert pod["priorityClassName"] == objects[0]["metadata"]["name"]
    assert objects[4]["spec"]["maxReplicaCount"] == 200  # the HPA's
    assert objects[2]["spec"]["maxReplicaCount"] == 100  # the settings'
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert "warning" not in said.err


def test_kubernetes_and_keda_take_every_field(make, folder):
    said = make("--from", folder, "--namespace", "streaming")
    for one in yaml.safe_load_all(said.out):
        if one["kind"] == "ScaledObject":
            assert faults(one) == []
        else:
            for version in ("1.33", "1.35", "1.37"):
                kubernetes_validate.validate(one, version, strict=True)


def test_it_comes_by_standard_input_without_any_settings(preroll, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREROLL_CONFIG", raising=False)
    text = DEPLOYMENT.replace("NAME", "player-api").replace("SPACE", "streaming")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    said = preroll("scaledobject", "--headroom", "--headroom-image", IMAGE, "--from", "-")
    assert said.code == 0
    assert named(yaml.safe_load_all(said.out))[1] == ("Deployment", "player-api-placeholder")


def test_files_are_written_one_for_each_and_given_back_they_change_nothing(make, folder):
    one = ("--workload", "streaming/player-api")
    said = make("--from", folder, *one, "--output", folder)
    assert said.code == 0
    assert sorted(path.name for path in folder.glob("*placeholder*")) == [
        "preroll-placeholder.priorityclass.yaml",
        "streaming.player-api-placeholder.deployment.yaml",
        "streaming.player-api-placeholder.scaledobject.yaml",
    ]
    first = {path: path.read_text() for path in folder.glob("*placeholder*")}
    assert make("--from", folder, *one, "--output", folder).code == 0
    assert {path: path.read_text() for path in folder.glob("*placeholder*")} == first


def test_placeholders_are_left_alone_where_workloads_get_their_objects(make, preroll, folder):
    make("--from", folder, "--workload", "streaming/player-api", "--output", folder)
    said = preroll("scaledobject", "--config", CONFIG, "--from", folder)
    assert said.code == 0
    assert "placeholder" not in said.out
    said = preroll("scaledobject", "--config", CONFIG, "--check", folder)
    assert "placeholder" not in said.err


@pytest.mark.parametrize("arguments", [(), ("--from", "so")], ids=["settings", "scaledobject"])
def test_without_the_pods_requests_the_way_to_them_is_named(make, folder, arguments):
    path = folder / "so.yaml"
    said = make(*(path if one == "so" else one for one in arguments))
    assert (said.code, said.out) == (2, "")
    kind, name, space = (
        ("statefulset", "login", "accounts")
        if arguments
        else ("deployment", "player-api", "streaming")
    )
    assert f"{space}/{name}: what its pods request is not known" in words(said)
    assert f"kubectl get {kind} {name} --namespace {space} --output yaml" in words(said)
    assert f"preroll scaledobject --headroom --headroom-image {IMAGE} --from -" in words(said)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("resources:", "ignored:", "its pods request neither cpu nor memory"),
        ("cpu: 500m", "cpu: a lot", "'a lot'"),
        ("template:", "templates:", "it has no 'template', so no pod is described"),
    ],
)
def test_a_pod_whose_size_is_not_known_is_refused(make, tmp_path, old, new, told):
    path = tmp_path / "deployment.yaml"
    text = DEPLOYMENT.replace("NAME", "player-api").replace("SPACE", "streaming")
    path.write_text(text.replace(old, new))
    said = make("--from", path)
    assert (said.code, said.out) == (2, "")
    assert told in words(said)
    assert f"{path}: " in said.err
    assert "streaming/player-api" in words(said)


def test_a_lead_time_that_covers_new_nodes_is_told(preroll, folder, tmp_path):
    config = tmp_path / "preroll.yaml"
    base = (
        "source: {file: {path: a.csv}}\nkubernetes: {node_lead_time: 6m}\n"
        "workloads: [{namespace: streaming, name: player-api, capacity: 1, lead_time: LEAD, "
        "max_replicas: 200, min_replicas: 4}]\n"
    )
    for lead, told in (("2m", False), ("6m", True)):
        config.write_text(base.replace("LEAD", lead))
        given = ("--from", folder / "player-api.yaml", "--headroom", "--headroom-image", IMAGE)
        said = preroll("scaledobject", "--config", config, *given)
        assert said.code == 0
        assert ("its lead_time of 6m covers a new node" in said.err) is told


@pytest.mark.parametrize(
    "arguments",
    [("--headroom",), ("--headroom-image", IMAGE), ("--check", "--headroom", "x")],
    ids=lambda one: one[0],
)
def test_both_options_go_together(preroll, arguments):
    said = preroll("scaledobject", "--config", CONFIG, *arguments)
    assert said.code == 2
    assert "--headroom and --headroom-image go together" in words(said)


def test_it_is_off_by_default(preroll):
    said = preroll("scaledobject", "--config", CONFIG)
    assert "headroom" not in said.out
    assert "placeholder" not in said.out


def commands(word):
    """The page's commands that have a word in them, from that word on, without redirections."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if word in line]
    return [shlex.split(line[line.index(word) :].partition(">")[0]) for line in lines]


def test_the_page_switches_it_on(preroll, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREROLL_CONFIG", raising=False)
    (asked,) = commands("kubectl get deployment")
    (printed,) = commands("preroll scaledobject")
    text = DEPLOYMENT.replace("NAME", asked[3]).replace("SPACE", asked[5])
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    said = preroll(*printed[1:])
    assert said.code == 0
    assert len(named(yaml.safe_load_all(said.out))) == 3
    for kind, name in named(yaml.safe_load_all(said.out)):
        assert f"| {kind} `{name}`" in PAGE or f"| {kind} of the same name" in PAGE
    (trigger,) = list(yaml.safe_load_all(said.out))[2]["spec"]["triggers"]
    assert "GET " + urlsplit(trigger["metadata"]["url"]).path in PAGE


def test_the_page_switches_all_of_it_off(make, folder):
    """The selector is on all that has a namespace, and the class goes by its name."""
    by_label, by_name = commands("kubectl delete")
    key, _, value = by_label[by_label.index("--selector") + 1].partition("=")
    kinds = {one.removesuffix("s") for one in by_label[2].split(",")}
    for one in yaml.safe_load_all(make("--from", folder, "-n", "streaming").out):
        if one["kind"] == "PriorityClass":
            assert by_name[2:] == ["priorityclass", one["metadata"]["name"]]
        else:
            assert one["kind"].lower() in kinds
            assert one["metadata"]["labels"][key] == value


def test_the_pages_figures_are_the_codes(tmp_path):
    told = " ".join(PAGE.split())
    assert f"value −{-PLACEHOLDER_PRIORITY}: below" in told
    assert f"from {ENOUGH} of them in two weeks on" in told
    assert f"delay of {scaling_delay().seconds} s" in told
    assert f"They go {scaling_delay().seconds} seconds before" in told
    assert NO_KUBERNETES.node_lead_time == 5 * MINUTE
    (block,) = re.findall(r"\n((?:    .*\n)*    kubernetes:\n(?:    .*\n)+)", PAGE)
    path = tmp_path / "preroll.yaml"
    path.write_text("source: {file: {path: a.csv}}\n" + textwrap.dedent(block))
    settings = load_settings(path, {})
    assert settings.kubernetes.node_lead_time == 6 * MINUTE
    # The rise of the page's example: 25 from 20:54 on, and none in the last 18 seconds.
    plan = plan_of([10] * 60 + [35] * 30 + [10] * 30, lead_time=2 * MINUTE)
    state = WorkloadState("streaming", "player-api", plan.rule, plan)
    known = ClusterWorkload(SeenWorkload(ready=10, pods=10))
    held = [
        headroom_of(EIGHT + timedelta(seconds=at), state, known, 6 * MINUTE).replicas
        for at in (54 * 60 - 1, 54 * 60, 58 * 60 - 19, 58 * 60 - 18)
    ]
    assert held == [0, 25, 25, 0]
