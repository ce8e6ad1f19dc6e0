"""``preroll scaledobject``."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from tests.keda.conftest import HPA, SCALED_OBJECT
from tests.keda.crd import faults

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
CONFIG = EXAMPLES / "preroll.yaml"


@pytest.fixture
def make(preroll):
    """The command on the example's settings: ``make("--formula")``."""

    def call(*arguments):
        return preroll("scaledobject", "--config", CONFIG, *arguments)

    return call


@pytest.fixture
def manifests(tmp_path):
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "hpa.yaml").write_text(HPA)
    (folder / "so.yml").write_text(SCALED_OBJECT)
    return folder


def words(said):
    """What an error says, without the box around it."""
    return " ".join(said.err.replace("│", " ").split())


def named(text):
    return [(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(text)]


def test_all_workloads_of_the_settings_with_what_sends_their_token(make):
    said = make()
    assert (said.code, said.err) == (0, "")
    assert named(said.out) == [
        ("TriggerAuthentication", "preroll"),
        ("TriggerAuthentication", "preroll"),
        ("ScaledObject", "player-api"),
        ("ScaledObject", "drm-licence"),
        ("ScaledObject", "login"),
        ("ScaledObject", "newsletter"),
    ]
    documents = list(yaml.safe_load_all(said.out))
    assert [faults(one) for one in documents] == [[]] * 6
    assert {one["metadata"]["namespace"] for one in documents[:2]} == {"streaming", "accounts"}
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert make().out == said.out


def test_the_example_of_the_repository_is_what_the_command_writes(make, tmp_path):
    folder = tmp_path / "keda"
    said = make("--workload", "streaming/player-api", "--output", folder)
    assert (said.code, said.out) == (0, "")
    assert said.err == f"wrote 2 files to {folder}\n"
    assert sorted(path.name for path in folder.iterdir()) == [
        "streaming.player-api.scaledobject.yaml",
        "streaming.preroll.triggerauthentication.yaml",
    ]
    written = (folder / "streaming.player-api.scaledobject.yaml").read_text()
    assert written == (EXAMPLES / "scaledobject.yaml").read_text()


def test_its_authentication_is_that_of_the_manifests(make):
    printed = next(yaml.safe_load_all(make("--workload", "streaming/player-api").out))
    path = EXAMPLES.parent / "manifests" / "trigger-authentication.yaml"
    (there,) = (
        one
        for one in yaml.safe_load_all(path.read_text())
        if one["kind"] == "TriggerAuthentication"
    )
    assert printed["spec"] == there["spec"]
    assert printed["metadata"]["name"] == there["metadata"]["name"]


def test_workloads_are_chosen_by_name_and_by_namespace(make):
    said = make("--workload", "accounts/login", "-w", "streaming/player-api")
    assert [name for kind, name in named(said.out) if kind == "ScaledObject"] == [
        "player-api",
        "login",
    ]
    said = make("--namespace", "accounts")
    assert [name for _, name in named(said.out)] == ["preroll", "login", "newsletter"]
    said = make("--workload", "streaming/player-ap")
    assert said.code == 2
    assert "did you mean streaming/player-api?" in words(said)
    assert make("--namespace", "nowhere").code == 2


def test_what_is_found_is_kept_and_named_workloads_are_made_beside_it(make, manifests):
    said = make("--from", manifests / "so.yml", "--no-comments")
    kinds = named(said.out)
    assert kinds == [("TriggerAuthentication", "preroll"), ("ScaledObject", "login-so")]
    assert "log-ins" in said.out
    assert "#" not in said.out
    said = make("--from", manifests, "-w", "streaming/drm-licence", "-w", "accounts/login")
    assert [name for kind, name in named(said.out) if kind == "ScaledObject"] == [
        "login-so",
        "drm-licence",
    ]


def test_what_asks_for_a_workload_of_another_name_goes_on_with_it(make, tmp_path):
    path = tmp_path / "so.yaml"
    address = "http://preroll.preroll.svc:8080/v1/targets/accounts/"
    trigger = (
        "    - type: metrics-api\n      name: preroll\n"
        f"      metadata: {{url: '{address}NAME', valueLocation: replicas, targetValue: '1'}}\n"
    )
    text = SCALED_OBJECT.replace("  triggers:\n", f"  triggers:\n{trigger}")
    # newsletter is a workload of the settings, sign-in is none, and login is what is scaled.
    for name, kept in (("newsletter", "newsletter"), ("sign-in", "login")):
        path.write_text(text.replace("NAME", name))
        said = make("--from", path)
        assert f'url: "{address}{kept}"' in said.out
        assert ("it gets the target of accounts/newsletter" in said.err) is (kept == "newsletter")


def test_kubectls_output_comes_by_standard_input(make, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(HPA))
    said = make("--from", "-")
    made = list(yaml.safe_load_all(said.out))[1]
    assert made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == "player"
    assert "KEDA takes over the HPA streaming/player" in said.err
    assert "warning: HorizontalPodAutoscaler streaming/player, spec.metrics[2]" in said.err
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    said = make("--from", "-")
    assert (said.code, said.out) == (2, "")
    assert "standard input is empty" in said.err


def test_without_settings_what_is_found_is_enough(preroll, manifests, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREROLL_CONFIG", raising=False)
    said = preroll("scaledobject", "--from", manifests / "so.yml")
    assert said.code == 0
    assert "no preroll.yaml here" in said.err
    assert "404" not in said.err
    assert preroll("scaledobject").code == 2


def test_a_workload_that_preroll_does_not_know_is_a_warning(make, tmp_path):
    path = tmp_path / "d.yaml"
    path.write_text("{apiVersion: apps/v1, kind: Deployment, metadata: {name: epg}}")
    said = make("--from", path, "--namespace", "tv")
    assert named(said.out)[-1] == ("ScaledObject", "epg")
    assert "warning: ScaledObject tv/epg: tv/epg: no such workload is in preroll.yaml" in said.err
    assert "/v1/targets/tv/epg" in said.out
    assert make("--from", path, "--namespace", "tv", "--strict").code == 1


def test_strict_is_content_where_there_is_nothing_to_say(make):
    assert make("--strict").code == 0


def test_options_change_what_is_written(make):
    one = ("--workload", "accounts/login")

    def spec(*arguments):
        return list(yaml.safe_load_all(make(*one, *arguments).out))[-1]["spec"]

    assert spec("--cpu", 55)["triggers"][1]["metadata"] == {"value": "55"}
    assert [trigger["type"] for trigger in spec("--cpu", 0)["triggers"]] == ["metrics-api"]
    assert "scalingModifiers" in spec("--formula")["advanced"]
    up = ("advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleUp")
    inner = spec("--kubernetes", "1.34")
    for key in up:
        inner = inner[key]
    assert "tolerance" not in inner
    assert "behavior" not in spec("--keda", "v2.16.1")["fallback"]


def test_an_older_version_is_a_warning_with_what_makes_up_for_it(make):
    said = make("--workload", "accounts/login", "--kubernetes", "1.34")
    assert "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance" in said.err
    assert "divide the workload's capacity in preroll.yaml by 1.1" in said.err
    assert "preroll.yaml by 1.1" in " ".join(said.out.replace("#", "").split())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--kubernetes", "new", "is not a version"),
        ("--keda", "2.9", "2.9 is too old, 2.16 is the oldest; write for example 2.20"),
        ("--cpu", "-1", "greater than or equal to 0"),
    ],
)
def test_a_version_that_is_none_is_refused(make, option, value, message):
    said = make(option, value)
    assert (said.code, said.out) == (2, "")
    assert message in words(said)


def test_no_token_is_needed_to_write_down_that_one_is_sent(preroll, tmp_path):
    path = tmp_path / "preroll.yaml"
    base = "source: {file: {path: a.csv}}\nworkloads: [{namespace: tv, name: api, capacity: 1}]\n"
    path.write_text(base + "server: {tokens_file: /nowhere/tokens}\n")
    said = preroll("scaledobject", "--config", path)
    assert (said.code, said.err) == (0, "")
    assert 'authMode: "bearer"' in said.out
    path.write_text(base)
    said = preroll("scaledobject", "--config", path)
    assert "authMode" not in said.out
    assert named(said.out) == [("ScaledObject", "api")]
    assert "keda: {authenticate: true}" in said.err


def test_settings_that_leave_workloads_to_scaled_objects_need_those(preroll, tmp_path):
    path = tmp_path / "preroll.yaml"
    path.write_text("source: {file: {path: a.csv}}\nkubernetes: {watch: true}\n")
    said = preroll("scaledobject", "--config", path)
    assert (said.code, said.out) == (2, "")
    assert "the settings name no workloads" in words(said)


def test_a_whole_cluster_can_be_checked(make, tmp_path):
    """Its HPAs are KEDA's, its list has many kinds, and an adapter owns external metrics."""
    hpa = yaml.safe_load(HPA)
    hpa["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "name": "player-api"}]
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
        "spec": {"service": {"name": "prometheus-adapter", "namespace": "monitoring"}},
    }
    items = [hpa, yaml.safe_load(SCALED_OBJECT), service]
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}))
    said = make("--check", path)
    assert said.out == "1 ScaledObject among 3 objects: 1 warning\n"
    assert "warning: APIService v1beta1.external.metrics.k8s.io, spec.service: " in said.err


def test_no_secret_is_ever_printed(preroll, tmp_path):
    path = tmp_path / "preroll.yaml"
    path.write_text(
        "source: {file: {path: a.csv}}\n"
        "workloads: [{namespace: tv, name: api, capacity: 1}]\n"
        "server: {tokens: [tell-nobody]}\n"
    )
    said = preroll("scaledobject", "--config", path)
    assert "tell-nobody" not in said.out + said.err
    assert ("Secret", "preroll-token") not in named(said.out)
    assert "kubectl create secret generic preroll-token --namespace tv" in said.out


def test_check_looks_through_what_is_there_and_writes_nothing(make, manifests):
    said = make("--check", manifests)
    assert said.code == 0
    assert said.out == "1 ScaledObject among 2 objects: 1 warning\n"
    assert "HorizontalPodAutoscaler streaming/player, spec.metrics[2]: http_requests" in said.err
    (manifests / "hpa.yaml").unlink()
    said = make("--check", manifests, "--strict")
    assert (said.code, said.out, said.err) == (
        0,
        "1 ScaledObject among 1 object: no trap found\n",
        "",
    )
    wrong = SCALED_OBJECT.replace("threshold:", "treshold:")
    (manifests / "so.yml").write_text(wrong)
    said = make("--check", manifests, "--strict")
    assert said.code == 1
    assert "spec.triggers[0].metadata.treshold" in said.err
    assert "write threshold" in said.err


def test_check_and_files_go_together(make, manifests):
    assert make("--check").code == 2
    assert make(manifests).code == 2


def test_the_example_of_the_repository_has_no_trap(make):
    said = make("--check", EXAMPLES / "scaledobject.yaml", "--strict")
    assert (said.code, said.err) == (0, "")


def test_in_a_folder_what_is_no_manifest_is_left_out_with_a_warning(make, manifests):
    (manifests / "values.yaml").write_text("replicas: 3\n")
    (manifests / "README.md").write_text("# words\n")
    said = make("--from", manifests)
    assert said.code == 0
    assert "values.yaml, line 1: not an object of Kubernetes" in said.err
    assert "the file is left out" in said.err
    assert make("--from", manifests / "values.yaml").code == 2
    assert "nothing in the files" in make("--from", _empty(manifests)).err


def _empty(folder):
    path = folder / "service.yaml"
    path.write_text("{apiVersion: v1, kind: Service, metadata: {name: a}}")
    return path


def test_a_folder_that_cannot_be_made_is_told(make, tmp_path):
    (tmp_path / "file").write_text("")
    said = make("--output", tmp_path / "file")
    assert (said.code, said.out) == (2, "")
    assert "cannot be made a folder" in said.err


def test_help_shows_how_it_is_called(preroll):
    said = preroll("scaledobject", "--help")
    assert said.code == 0
    assert "Example: preroll scaledobject --config preroll.yaml --output keda" in said.out
    assert "kubectl get hpa player-api -o yaml | preroll scaledobject --from -" in said.out


@pytest.mark.parametrize("content", [None, b"\xff\x00\xfe"], ids=["missing", "binary"])
def test_a_manifest_that_cannot_be_read_is_told_with_an_example(make, tmp_path, content):
    path = tmp_path / "hpa.yaml"
    if content is not None:
        path.write_bytes(content)
    said = make("--from", path)
    assert said.code == 2 and f"{path}: cannot be read: " in said.err
    assert "for example: kubectl get hpa" in said.err
