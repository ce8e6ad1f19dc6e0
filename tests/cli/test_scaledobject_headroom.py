"""``preroll scaledobject --headroom``."""

from __future__ import annotations

import io
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.keda.conftest import HPA, SCALED_OBJECT
from tests.keda.crd import faults

CONFIG = Path(__file__).parents[2] / "deploy" / "examples" / "preroll.yaml"
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
