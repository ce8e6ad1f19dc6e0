"""docs/kubernetes.md: its commands name what is there, and its addresses are served."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from api.cluster_metrics import ClusterCollector
from deploy.render import CHART
from forecaster.cluster.annotations import ENABLED, KEYS
from forecaster.cluster.rights import NEEDED_RULES
from forecaster.keda.options import DEFAULT_OPTIONS
from forecaster.settings import load_settings
from forecaster.settings.versions import OLDEST_KEDA, show_version
from forecaster.worker.cluster_view import ClusterView
from tests.api.plans import plan, snapshot, state
from tests.api.service import serving
from tests.deploy.chart import Chart
from tests.deploy.documents import (
    GUIDE,
    MANIFESTS,
    ROOT,
    SCALED_OBJECT,
    TOKEN,
    Document,
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
    lines = [re.sub(r'"\$\([^)]*\)"', "made-by-a-command", line) for line in COMMANDS]
    found = [re.search(r"kubectl [^|)>]*", line) for line in lines]
    return [shlex.split(one[0])[1:] for one in found if one]


def option(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_there_are_commands_of_every_step() -> None:
    verbs = {words[0] for words in kubectl()}
    assert {"apply", "create", "rollout", "logs", "get", "describe", "exec", "annotate"} <= verbs
    assert sum(line.startswith("helm upgrade") for line in COMMANDS) == 2


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"\b(?:deploy|docs)/[\w./-]*\w", TEXT))
    assert len(named) >= 6
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]*)(#[^)]*)?\)", TEXT)
    assert len(links) >= 6
    headings = {f"#{one.lower()}" for one in re.findall(r"^#+ (\w+)$", TEXT, re.MULTILINE)}
    for page, anchor in links:
        assert (GUIDE.parent / page).exists(), page
        assert anchor in {"", *headings}, anchor


def test_every_object_that_a_command_names_is_in_the_manifests() -> None:
    there = {
        (one["kind"].lower(), one["metadata"]["name"], one["metadata"].get("namespace"))
        for one in documents()
    } | OF_KEDA_ITSELF
    kinds = {kind for kind, _, _ in there}
    named = []
    for words in kubectl():
        namespace = option(words, "--namespace")
        words = [word for word in words if word != "generic"]  # create secret generic NAME
        words = words[: words.index("--")] if "--" in words else words  # exec's own follow
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


def blocks(first: str) -> list[Document]:
    """The YAML blocks that begin with a key."""
    texts = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    return [yaml.safe_load(text) for text in texts if text.startswith(first)]


def test_the_values_of_the_guide_make_an_installation_that_starts(tmp_path: Path) -> None:
    (chosen,) = blocks("image:")
    chart = Chart(chosen)
    (tmp_path / "preroll.yaml").write_text(chart.the("ConfigMap")["data"]["preroll.yaml"])
    (tmp_path / "tokens").write_text(TOKEN)
    environ = {
        name: text.replace("/etc/preroll", str(tmp_path)) for name, text in chart.variables.items()
    }
    settings = load_settings(tmp_path / "preroll.yaml", environ)
    assert [(one.workload, one.rule.mode.value) for one in settings.fleet.workloads] == [
        ("streaming/player-api", "shadow")
    ]
    image = chosen["image"]["repository"]
    assert any(line.startswith(f"docker push {image}:") for line in COMMANDS)


def test_the_chart_and_its_release_are_named_as_they_are() -> None:
    for line in COMMANDS:
        if line.startswith("helm "):
            words = shlex.split(line)
            assert words[words.index("preroll") :][:2] == ["preroll", "deploy/helm/preroll"]
            assert option(words, "--namespace") == "preroll"


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first heading that is."""
    block = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert block is not None, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in block[1].splitlines()]


def test_the_rights_are_those_that_reading_the_cluster_needs() -> None:
    told = {
        (feature.strip("`"), group.strip("`").replace("core", ""), kinds, verbs)
        for group, kinds, verbs, feature, _ in table("API group")
    }
    assert told == {
        (
            f"kubernetes.{rule.feature}",
            rule.api_group,
            ", ".join(rule.resources),
            ", ".join(rule.verbs),
        )
        for rule in NEEDED_RULES
    }


def test_the_annotations_are_those_that_are_read() -> None:
    (block,) = blocks("metadata:")
    annotations = block["metadata"]["annotations"]
    assert annotations.keys() - KEYS.keys() == {ENABLED}
    assert all(isinstance(value, str) for value in annotations.values())


def minors(cells: list[str], major: int) -> list[int]:
    """The minor versions that a table's first column tells, several in a row included."""
    return [int(one) for cell in cells for one in re.findall(rf"\b{major}\.(\d+)", cell)]


def test_versions_are_told_without_a_gap() -> None:
    kubernetes = minors([row[0] for row in table("Kubernetes")], 1)
    assert kubernetes == list(range(27, 37))
    keda = minors([row[0] for row in table("KEDA")], 2)
    assert keda == list(range(14, 21))
    oldest = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    assert oldest == f">=1.{kubernetes[0]}.0-0"
    (row,) = (row for row in table("KEDA") if "the oldest that `preroll scaledobject`" in row[2])
    assert row[0] == show_version(OLDEST_KEDA)


@pytest.mark.parametrize(
    ("heading", "version", "word"),
    [
        ("Kubernetes", "1.35", "`tolerance"),
        ("KEDA", "2.17", "`fallback.behavior`"),
        ("KEDA", "2.18", "`tolerance`"),
        ("KEDA", "2.20", "`fallback.behavior: scalingModifiers`"),
    ],
)
def test_a_version_brings_what_is_written_from_it_on(heading: str, version: str, word: str) -> None:
    (row,) = (row for row in table(heading) if row[0] == version)
    assert word in row[-1]
    options = DEFAULT_OPTIONS
    field = {"Kubernetes": "kubernetes", "KEDA": "keda"}[heading]
    major, minor = map(int, version.split("."))
    has = {
        "`tolerance": "has_tolerance",
        "`tolerance`": "has_tolerance",
        "`fallback.behavior`": "has_fallback_behavior",
        "`fallback.behavior: scalingModifiers`": "has_formula_fallback",
    }[word]
    assert getattr(dataclasses.replace(options, **{field: (major, minor)}), has)
    assert not getattr(dataclasses.replace(options, **{field: (major, minor - 1)}), has)


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
    watched = ClusterCollector(ClusterView(watched=True), datetime.now(UTC))
    where_it_watches = {family.name for family in watched.collect()}
    missing = [one for one in named - where_it_watches if f"# TYPE {one} " not in page]
    assert missing == []


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
