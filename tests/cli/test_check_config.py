"""``preroll check-config`` and ``preroll schema``."""

import json
from pathlib import Path

import pytest
import yaml

from forecaster.settings import settings_schema

EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "preroll.yaml"

BROKEN = """\
source: {file: {path: traffic.csv}}
step: 60
workloads:
  - {namespace: tv, name: api, capacity: 0}
"""


def test_valid_settings_are_shown_as_they_are_understood(preroll):
    said = preroll("check-config", "--config", EXAMPLE)
    assert said.code == 0
    assert said.err == ""
    rows = {line.split()[0]: line.split()[1:] for line in said.out.splitlines() if line.strip()}
    assert rows["streaming/player-api"] == ["active", "120", "5m", "0.98", "4", "to", "200", "5m"]
    assert rows["streaming/drm-licence"] == ["shadow", "45", "8m", "0.99", "1", "to", "100", "5m"]
    assert rows["accounts/newsletter"][0] == "off"
    assert "http://prometheus.monitoring.svc:9090" in rows["source"]
    assert "every 6h on 28d of traffic" in said.out
    assert "open, no tokens" in said.out


def test_all_problems_are_listed_and_the_exit_code_is_2(preroll, tmp_path):
    path = tmp_path / "preroll.yaml"
    path.write_text(BROKEN)
    said = preroll("check-config", "-c", path)
    assert said.code == 2
    assert said.out == ""
    assert f"{path}: 2 problems" in said.err
    assert "step (line 2): 60 has no unit" in said.err
    assert "workloads[0].capacity (line 4): 0 is too small" in said.err
    assert "for example: 120" in said.err


def test_the_file_can_be_named_by_the_environment(preroll, monkeypatch):
    monkeypatch.setenv("PREROLL_CONFIG", str(EXAMPLE))
    assert preroll("check-config").code == 0


def test_variables_count(preroll, monkeypatch):
    monkeypatch.setenv("PREROLL_SERVER__PORT", "http")
    said = preroll("check-config", "-c", EXAMPLE)
    assert said.code == 2
    assert "PREROLL_SERVER__PORT: 'http' is not a whole number; for example: 8080" in said.err


def test_without_a_file_the_message_says_what_is_missing(preroll, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = preroll("check-config")
    assert said.code == 2
    assert "preroll.yaml: 1 problem" in said.err
    assert "there is no such file" in said.err


def test_secrets_are_counted_not_shown(preroll, tmp_path):
    settings = yaml.safe_load(EXAMPLE.read_text())
    settings["source"]["prometheus"]["bearer_token"] = "5ecret"
    settings["server"]["tokens"] = ["5ecret-1", "5ecret-2"]
    path = tmp_path / "preroll.yaml"
    path.write_text(yaml.safe_dump(settings))
    said = preroll("check-config", "-c", path)
    assert said.code == 0
    assert "2 tokens" in said.out
    assert "5ecret" not in said.out + said.err


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_a_traffic_file_that_is_not_there_yet_is_no_error(preroll, tmp_path, there):
    if there:
        (tmp_path / "traffic.csv").touch()
    path = tmp_path / "preroll.yaml"
    path.write_text(BROKEN.replace("60", "1m").replace("capacity: 0", "capacity: 1"))
    said = preroll("check-config", "-c", path)
    assert said.code == 0
    assert ("not there yet" in said.out) is not there


def test_the_schema_is_printed_as_json(preroll):
    said = preroll("schema")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == settings_schema()


@pytest.mark.parametrize("command", ["check-config", "schema", "serve"])
def test_every_command_has_help_with_an_example(preroll, command):
    said = preroll(command, "--help")
    assert said.code == 0
    assert f"Example: preroll {command}" in said.out
