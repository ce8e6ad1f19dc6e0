"""docs/kubernetes.md: its commands name what is there, and its addresses are served."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from forecaster.settings import load_settings
from tests.api.plans import plan, snapshot, state
from tests.api.service import serving
from tests.deploy.documents import (
    GUIDE,
    MANIFESTS,
    ROOT,
    SCALED_OBJECT,
    TOKEN,
    documents,
    parse,
    variables,
)

TEXT = GUIDE.read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line
]
OF_KEDA_ITSELF = {
    ("deployment", "keda-operator", "keda"),
    ("hpa", "keda-hpa-player-api", "streaming"),
}


def kubectl() -> list[list[str]]:
    """Every kubectl command, as words; those within $( ) as well."""
    found = [re.search(r"kubectl [^|)]*", line) for line in COMMANDS]
    return [shlex.split(one[0])[1:] for one in found if one]


def option(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_there_are_commands_of_every_step() -> None:
    verbs = {words[0] for words in kubectl()}
    assert {"apply", "rollout", "logs", "get", "describe", "exec", "annotate"} <= verbs


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"\b(?:deploy|docs)/[\w./-]*\w", TEXT))
    assert len(named) >= 6
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_every_object_that_a_command_names_is_in_the_manifests() -> None:
    there = {
        (one["kind"].lower(), one["metadata"]["name"], one["metadata"].get("namespace"))
        for one in documents()
    } | OF_KEDA_ITSELF
    kinds = {kind for kind, _, _ in there}
    named = []
    for words in kubectl():
        namespace = option(words, "--namespace")
        for word, following in zip(words, [*words[1:], ""], strict=True):
            kind, slash, name = word.partition("/")
            if slash and kind in kinds:
                named.append((kind, name, namespace))
            elif word in kinds:
                named.append((word, following, namespace))
    assert len(named) >= 10
    assert [one for one in named if one not in there] == []


def test_the_token_of_the_guide_reaches_both_secrets_and_is_accepted(tmp_path: Path) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "deploy" / "manifests")
    (sed,) = (line for line in COMMANDS if line.startswith("sed "))
    (tidy,) = (line for line in COMMANDS if line.startswith("rm "))
    script = f"set -eu\ntoken={TOKEN}\n{sed}\n{tidy}"
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, timeout=20)
    edited = tmp_path / "deploy" / "manifests"
    assert sorted(one.name for one in edited.iterdir()) == sorted(
        one.name for one in MANIFESTS.iterdir()
    )
    (server,) = parse((edited / "secret.yaml").read_text())
    keda = parse((edited / "trigger-authentication.yaml").read_text())[0]
    assert server["stringData"]["tokens"] == f"{TOKEN}\n"
    assert keda["stringData"]["token"] == TOKEN

    (settings,) = parse((edited / "settings.yaml").read_text())
    (tmp_path / "preroll.yaml").write_text(settings["data"]["preroll.yaml"])
    (tmp_path / "tokens").write_text(server["stringData"]["tokens"])
    assert load_settings(tmp_path / "preroll.yaml", variables(tmp_path)).server.tokens == (TOKEN,)


def test_every_address_is_served() -> None:
    addresses = set(re.findall(r"http://127\.0\.0\.1:8080(/[^\s\"`]*)", TEXT))
    assert len(addresses) >= 5
    player = state("streaming/player-api")
    player = dataclasses.replace(player, plan=plan("streaming/player-api"))
    with serving(snapshot(player), tokens=(TOKEN,)) as service:
        for address in addresses:
            answer = service.client.get(address, headers={"Authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == 200, address


def test_every_metric_that_is_named_is_exposed() -> None:
    named = set(re.findall(r"\bpreroll_[a-z_]+", TEXT))
    assert len(named) >= 3
    with serving(snapshot(state("streaming/player-api"))) as service:
        page = service.client.get("/metrics").text
    assert [one for one in named if f"# TYPE {one} " not in page] == []


@pytest.mark.parametrize("word", ["unauthorized", "unknown_workload", "no_usable_plan"])
def test_the_words_of_errors_are_those_that_are_answered(word: str) -> None:
    paths = {
        "unauthorized": ("/v1/workloads", {}),
        "unknown_workload": ("/v1/targets/no/such", {"Authorization": f"Bearer {TOKEN}"}),
        "no_usable_plan": ("/v1/targets/a/b", {"Authorization": f"Bearer {TOKEN}"}),
    }
    untrained = dataclasses.replace(state("a/b"), plan=None)
    with serving(snapshot(untrained), tokens=(TOKEN,)) as service:
        path, headers = paths[word]
        answer = service.client.get(path, headers=headers)
    status = re.search(rf"^\| (\d+) `{word}`", TEXT, re.MULTILINE)
    assert status is not None
    assert (answer.status_code, answer.json()["error"]) == (int(status[1]), word)


def test_the_metric_is_the_one_that_keda_names_after_the_trigger() -> None:
    (scaled,) = parse(SCALED_OBJECT.read_text())
    (index,) = (
        at for at, one in enumerate(scaled["spec"]["triggers"]) if one["type"] == "metrics-api"
    )
    location = scaled["spec"]["triggers"][index]["metadata"]["valueLocation"]
    name = scaled["metadata"]["name"]
    wanted = f"s{index}-metric-api-{location}?labelSelector=scaledobject.keda.sh%2Fname%3D{name}"
    assert wanted in TEXT
