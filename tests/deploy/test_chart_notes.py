"""The notes after an installation: commands that name what is there, and warnings."""

from __future__ import annotations

import re
import shlex

import pytest

from forecaster.cluster.annotations import ENABLED, KEYS
from tests.deploy.chart import NAMES, Chart, rendered, values


def commands(chart: Chart) -> list[list[str]]:
    """Every command as words, lines that a backslash joins put together."""
    joined = chart.notes.replace(" \\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.startswith("  ")]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("release", ["preroll", "floors-of-the-evening"])
@pytest.mark.parametrize("name", NAMES)
def test_every_object_that_a_command_names_is_rendered(name: str, release: str) -> None:
    chart = rendered(name, release)
    there = {(one["kind"].lower(), one["metadata"]["name"]) for one in chart.documents}
    named = {
        tuple(word.split("/"))
        for words in commands(chart)
        for word in words
        if re.fullmatch(r"(deployment|service)/[a-z0-9-]+", word)
    }
    assert len(named) == 2 and named <= there
    assert all(chart.namespace in words for words in commands(chart) if "port-forward" in words)


@pytest.mark.parametrize("name", NAMES)
def test_the_secret_that_is_asked_for_is_the_one_that_is_mounted(name: str) -> None:
    chart = rendered(name)
    (volume,) = (one for one in chart.pod["spec"]["volumes"] if one["name"] == "settings")
    secret = volume["projected"]["sources"][1]["secret"]
    made = [words for words in commands(chart) if words[:3] == ["kubectl", "create", "secret"]]
    if chart.all("Secret"):
        there = {one["metadata"]["name"] for one in chart.all("Secret")}
        assert not there & {words[4] for words in made}
        return
    own = next(words for words in made if words[4] == secret["name"])
    keys = [word.split("=")[1] for word in own if word.startswith("--from-literal=")]
    assert keys == [item["key"] for item in secret["items"]]


def test_the_token_for_keda_has_the_name_that_its_trigger_authentication_reads() -> None:
    chart = rendered("existing")
    (reference,) = chart.the("TriggerAuthentication")["spec"]["secretTargetRef"]
    assert f"secret generic {reference['name']} --namespace streaming" in chart.notes
    assert f'--from-literal={reference["key"]}="$token"' in chart.notes


def test_the_first_workload_is_asked_for() -> None:
    chart = rendered("minimal")
    assert "http://127.0.0.1:8080/v1/targets/streaming/player-api" in chart.notes
    words = next(words for words in commands(chart) if "scaledobject" in words)
    config = chart.container["args"][2]
    assert words[words.index("--") :][:5] == ["--", "preroll", "scaledobject", "--config", config]


def test_where_workloads_declare_themselves_it_says_how() -> None:
    chart = rendered("namespaced")
    assert "http://127.0.0.1:8080/v1/workloads\n" in chart.notes
    words = next(words for words in commands(chart) if "annotate" in words)
    namespace = words[words.index("--namespace") + 1]
    assert namespace == values("namespaced")["settings"]["kubernetes"]["namespaces"][0]
    told = {word.partition("=")[0] for word in words if "=" in word}
    assert ENABLED in told and told - KEYS.keys() == {ENABLED}
    (port,) = chart.the("Service")["spec"]["ports"]
    assert f"http://preroll.preroll.svc:{port['port']}/v1/targets/{namespace}/NAME" in chart.notes


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("open", "WARNING: persistence.enabled is false."),
        ("everything", "WARNING: tokens.create keeps the token in the release."),
        ("settings-file", "Narrow networkPolicy.apiServer.to"),
        ("minimal", "Preroll does not look into the cluster."),
    ],
)
def test_what_should_be_known_is_said_there_and_nowhere_else(name: str, told: str) -> None:
    assert told in rendered(name).notes
    other = "namespaced"
    assert told not in rendered(other).notes


def test_a_calendar_behind_a_url_without_a_way_to_it_is_warned_of() -> None:
    warning = "WARNING: the calendar guide is behind a URL"
    assert warning not in rendered("everything").notes, "there is a way"
    assert warning in rendered("everything", networkPolicy={"extraEgress": []}).notes
    shut_off = {"enabled": False, "extraEgress": []}
    assert warning not in rendered("everything", networkPolicy=shut_off).notes


@pytest.mark.parametrize("name", NAMES)
def test_the_notes_fit_a_terminal_and_have_no_empty_gaps(name: str) -> None:
    notes = rendered(name).notes
    assert "\n\n\n" not in notes
    assert "<no value>" not in notes and "%!" not in notes


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_line_stands_between_the_steps(name: str) -> None:
    lines = rendered(name).notes.splitlines()
    steps = [at for at, line in enumerate(lines) if re.match(r"\d\. ", line)]
    assert len(steps) == 4 and not any(lines[at - 1] for at in steps)
