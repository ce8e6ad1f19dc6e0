"""``preroll check-config`` and ``preroll schema``."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from forecaster.settings import settings_schema

STEP, DAY = timedelta(minutes=5), timedelta(days=1)
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
    assert said.err.startswith("warning: server.host is 0.0.0.0 and there are no tokens")
    rows = {line.split()[0]: line.split()[1:] for line in said.out.splitlines() if line.strip()}
    assert rows["streaming/player-api"] == ["active", "120", "5m", "0.98", "4", "to", "200", "0s"]
    assert rows["streaming/drm-licence"] == ["shadow", "45", "8m", "0.99", "1", "to", "100", "0s"]
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


EVENTS = """\
source: {prometheus: {url: "http://p:9090", query: up}}
workloads: [{namespace: tv, name: api, capacity: 5, labels: {tier: edge}}]
events:
  sources:
    - {name: matches, file: matches.csv}
    - {name: guide, url: "https://guide.example.com/s3cret/guide.xml"}
    - {name: gone, file: gone.ics}
  daily: [{kind: prime-time, start: "20:00", end: "23:00"}]
  events:
    - {kind: show, start: 2026-06-11T19:00:00Z, selector: {labels: {tier: edge}}}
    - {kind: film, start: 2026-06-12T19:00:00Z, id: f1, selector: {namespaces: [radio]}}
server: {events_tokens: [a, b]}
"""


def test_calendars_in_files_are_read_and_bad_entries_are_told_with_their_place(preroll, tmp_path):
    (tmp_path / "matches.csv").write_text(
        "start,end,name,category,importance\n"
        "2026-06-11T19:00:00Z,2026-06-11T20:55:00Z,A v B,football,4\n"
        "tomorrow,2026-06-11T20:55:00Z,A v B,football,4\n"
    )
    path = tmp_path / "preroll.yaml"
    path.write_text(EVENTS)
    said = preroll("check-config", "-c", path)
    assert said.code == 0
    assert "2 events, 1 rule, 3 calendars; add where they overlap; over REST: 2 tokens" in said.out
    assert "matches.csv, line 3, start: 'tomorrow' is not a time" in said.err
    assert "gone.ics: there is no such file" in said.err
    assert "film (f1) selects none of the workloads" in said.err
    assert "s3cret" not in said.out + said.err
    assert said.err.count("warning:") == 3


def test_a_floor_above_the_maximum_of_a_workload_is_a_warning(preroll, tmp_path):
    (tmp_path / "shows.yaml").write_text(
        "events:\n"
        "- {kind: show, id: s1, start: 2026-06-11T19:00:00Z, floor: {traffic: 501}}\n"
        "- {kind: show, id: s2, start: 2026-06-11T19:00:00Z, floor: {traffic: 500}}\n"
    )
    path = tmp_path / "preroll.yaml"
    path.write_text(
        'source: {prometheus: {url: "http://p:9090", query: up}}\n'
        "workloads:\n"
        "- {namespace: tv, name: api, capacity: 5}\n"
        "- {namespace: tv, name: web, capacity: 5, max_replicas: 300}\n"
        "events:\n"
        "  sources: [{name: shows, file: shows.yaml}]\n"
        '  daily: [{kind: prime, id: p1, start: "20:00", end: "23:00", floor: {replicas: 400}}]\n'
        "  events:\n"
        "  - {kind: film, start: 2026-06-12T19:00:00Z, id: f1, floor: {replicas: 300}}\n"
        "  - {kind: film, start: 2026-06-12T19:00:00Z, id: f2, floor: {replicas: 400},\n"
        "     selector: {workloads: [tv/nobody]}}\n"
    )
    said = preroll("check-config", "-c", path)
    assert said.code == 0
    declares = "declares a floor of"
    assert said.err.count(declares) == 3
    assert (
        f"events: film (f1) {declares} 300 replicas, and tv/api gets 100, its max_replicas\n"
        in said.err
    )
    assert "prime (p1@" in said.err
    assert "its max_replicas, and so for 1 more workload\n" in said.err
    assert f"events.sources shows: show (s1) {declares} 101 replicas, and tv/api" in said.err


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


def write_file_settings(folder, name="traffic.csv", more=""):
    path = folder / "preroll.yaml"
    path.write_text(
        f"source: {{file: {{path: {name}}}}}\nstep: 5m\n"
        "workloads:\n  - {namespace: tv, name: api, capacity: 5}\n" + more
    )
    return path


def write_series(path, *names, step=STEP, end=None):
    """A day of traffic for each name, up to the interval that ended last."""
    last = (end or datetime.now(UTC)).timestamp() // 300 * 300
    lines = ["series,timestamp,value"]
    for name in names:
        steps = int(DAY / step)
        lines += [f"{name},{last - n * step.total_seconds():.0f},5" for n in range(steps, 0, -1)]
    path.write_text("\n".join(lines) + "\n")


def test_a_file_that_fits_gives_no_warning(preroll, tmp_path):
    write_series(tmp_path / "traffic.csv", "tv/api", "other")
    said = preroll("check-config", "-c", write_file_settings(tmp_path))
    assert (said.code, said.err) == (0, "")


def test_a_file_that_is_not_there_yet_is_a_warning(preroll, tmp_path):
    said = preroll("check-config", "-c", write_file_settings(tmp_path))
    assert said.code == 0
    assert said.err.startswith(f"warning: {tmp_path / 'traffic.csv'} is not there yet")


def test_a_file_that_holds_no_traffic_is_a_warning(preroll, tmp_path):
    (tmp_path / "traffic.csv").touch()
    said = preroll("check-config", "-c", write_file_settings(tmp_path))
    assert said.code == 0
    assert "warning: " in said.err
    assert "the file is empty" in said.err


def test_series_that_are_no_workload_are_listed_with_how_they_are_named(preroll, tmp_path):
    write_series(tmp_path / "traffic.csv", "tv/web", "login")
    said = preroll("check-config", "-c", write_file_settings(tmp_path))
    assert said.code == 0
    assert "It has tv/web, login; a series is named by the column `series`" in said.err
    assert "by the file's name without its endings" in said.err


def test_two_columns_are_named_by_the_file_and_every_workload_without_one_is_said(
    preroll, tmp_path
):
    write_series(tmp_path / "long.csv", "x")
    rows = [line.partition(",")[2] for line in (tmp_path / "long.csv").read_text().splitlines()]
    (tmp_path / "api.csv").write_text("\n".join(rows) + "\n")
    more = "  - {namespace: tv, name: web, capacity: 5}\n"
    said = preroll("check-config", "-c", write_file_settings(tmp_path, "api.csv", more))
    assert said.code == 0
    assert "no series for tv/web. It has api;" in said.err


def test_a_step_that_differs_and_an_old_end_are_both_said(preroll, tmp_path):
    end = datetime.now(UTC) - 3 * DAY
    write_series(tmp_path / "traffic.csv", "tv/api", step=timedelta(minutes=1), end=end)
    said = preroll("check-config", "-c", write_file_settings(tmp_path))
    assert said.code == 0
    first, second = said.err.splitlines()
    assert first.endswith("its step is 1m and the settings say 5m; write step: 1m")
    assert "its newest traffic ended at " in second
    assert ", 3d" in second


def test_the_example_of_the_guide_fits(preroll, tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    script = guide.partition("```sh\n")[2].partition("preroll check-config")[0]
    subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, check=True, timeout=60)
    said = preroll("check-config", "-c", tmp_path / "preroll.yaml")
    assert (said.code, said.err) == (0, "")


def test_an_open_endpoint_is_a_warning_where_others_reach_it(preroll, tmp_path):
    write_series(tmp_path / "traffic.csv", "tv/api")
    path = write_file_settings(tmp_path, more="server: {host: 0.0.0.0}\n")
    said = preroll("check-config", "-c", path)
    assert said.code == 0
    assert said.err.startswith("warning: server.host is 0.0.0.0 and there are no tokens")


def test_the_schema_is_printed_as_json(preroll):
    said = preroll("schema")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == settings_schema()


@pytest.mark.parametrize("command", ["check-config", "schema", "serve"])
def test_every_command_has_help_with_an_example(preroll, command):
    said = preroll(command, "--help")
    assert said.code == 0
    assert f"Example: preroll {command}" in said.out
