"""``preroll capacity``: from three files, and by the settings' queries from a metrics server."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import yaml

from tests.cli.metrics_server import evaluating
from tests.planning.load_simulation import Load, cached
from tests.traffic.stand_in import serving

API = Load(days=5, fixed_replicas=40)
IDLE = Load(days=5, fixed_replicas=120, seed=2)
LOADS = {"tv/api": API, "tv/idle": IDLE}
UNTIL = "2026-03-07T00:00:00Z"


def write(folder, loads, **names):
    """The three files of these workloads, and their paths as the command line wants them."""
    paths = []
    for place, what in enumerate(("traffic", "replicas", "saturation")):
        path = folder / names.get(what, f"{what}.csv")
        rows = ["series,timestamp,value"]
        for name, load in loads.items():
            one = cached(load).each()[place]
            stamps = one.times.strftime("%Y-%m-%dT%H:%M:%SZ")
            rows += [
                f"{name},{at},{value:.6g}"
                for at, value in zip(stamps, one.rate_rps.tolist(), strict=True)
            ]
        path.write_text("\n".join(rows) + "\n")
        paths.append(path)
    return [paths[0], "--replicas", paths[1], "--saturation", paths[2], "--unit", "rps"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("both"), LOADS)


@pytest.fixture(scope="module")
def api_files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("api"), {"tv/api": API})


def words(text):
    return re.sub(r"\s*│?\s+│?\s*", " ", text)


def test_a_table_reasons_and_lines_to_paste(preroll, files):
    said = preroll("capacity", *files)
    assert said.code == 0, said.err
    pasted = yaml.safe_load(said.out.partition("To paste into preroll.yaml:")[2])
    (one,) = pasted["workloads"]
    assert (one["namespace"], one["name"]) == ("tv", "api")
    assert one["capacity"] == pytest.approx(API.capacity(0.7), rel=0.05)
    assert re.search(r"tv/idle +– +unloaded", said.out)
    assert "tv/idle: replicas were never loaded enough" in said.err
    assert "at least" in said.err


def test_it_fits_a_terminal_of_80_columns(preroll, files, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = preroll("capacity", *files)
    assert max(len(line) for line in said.out.splitlines()) <= 80


def test_json_has_all_of_it(preroll, files):
    said = preroll("capacity", *files, "--json", "-")
    assert said.code == 0
    measured, refused = json.loads(said.out)["workloads"]
    assert measured["workload"] == "tv/api"
    assert measured["capacity_rps"] == measured["low_rps"] < measured["middle_rps"]
    assert measured["middle_rps"] == pytest.approx(API.capacity(0.7), rel=0.03)
    assert measured["target_utilisation"] == 0.7
    assert measured["from"] == "2026-03-02T00:00:00Z"
    assert measured["to"] == "2026-03-07T00:00:00Z"
    assert measured["refused"] is None
    assert refused["refused"] == "unloaded"
    assert refused["capacity_rps"] is None
    assert refused["at_least_rps"] > 20


def test_a_lower_target_is_a_lower_capacity(preroll, api_files):
    said = preroll("capacity", *api_files, "--target", "0.5", "--json", "-")
    (one,) = json.loads(said.out)["workloads"]
    assert one["middle_rps"] == pytest.approx(API.capacity(0.5), rel=0.03)


def test_where_nothing_can_be_told_the_exit_code_says_so(preroll, files):
    said = preroll("capacity", *files, "--workload", "tv/idle")
    assert said.code == 2
    assert "unloaded" in said.out
    assert "To paste" not in said.out
    assert "error: no capacity can be told from this history" in said.err


def test_only_the_workloads_that_are_asked_for(preroll, files):
    said = preroll("capacity", *files, "--workload", "tv/api")
    assert said.code == 0
    assert "tv/idle" not in said.out
    refused = preroll("capacity", *files, "--workload", "tv/ape")
    assert refused.code == 2
    assert "no workload 'tv/ape'; it has tv/api, tv/idle" in words(refused.err)


def test_a_page_holds_a_plot_for_each(preroll, files, tmp_path):
    said = preroll("capacity", *files, "--plot", tmp_path / "page.html")
    assert said.code == 0
    assert f"wrote {tmp_path / 'page.html'}" in said.err
    page = (tmp_path / "page.html").read_text()
    assert 'id="figure-1"' in page
    assert 'id="figure-2"' in page
    assert "no capacity can be told (unloaded)" in page
    assert "http" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_single_series_belong_together_whatever_their_names(preroll, tmp_path):
    write(tmp_path, {"traffic": API}, replicas="x.csv", saturation="y.csv")
    ours = write(tmp_path, {"player": API}, replicas="other.csv", saturation="another.csv")
    said = preroll(
        *("capacity", ours[0], "--replicas", tmp_path / "x.csv"),
        *("--saturation", tmp_path / "y.csv", "--unit", "rps"),
    )
    assert said.code == 0, said.err
    assert "{namespace: default, name: player" in said.out


def test_files_of_other_workloads_are_refused_with_the_names_of_both(preroll, files, tmp_path):
    strange = write(tmp_path, {"radio/a": API, "radio/b": API})
    said = preroll("capacity", *files[:2], strange[2], *files[3:])
    assert said.code == 2
    assert "called like a workload of the traffic" in said.err
    assert "radio/a, radio/b" in said.err
    assert "tv/api, tv/idle" in said.err


def test_a_workload_that_one_file_lacks_is_told(preroll, files, api_files):
    said = preroll("capacity", *files[:4], api_files[4], *files[5:])
    assert said.code == 0
    assert "tv/idle: there is no saturation of it" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["traffic.csv"], "--replicas"),
        (["--replicas", "a.csv", "--saturation", "b.csv"], "TRAFFIC"),
        (["traffic.csv", "--replicas", "a.csv"], "--saturation"),
        (["traffic.csv", "--config", "preroll.yaml"], "TRAFFIC and --config exclude each other"),
        (["--config", "preroll.yaml", "--unit", "rps"], "goes with files"),
        (["traffic.csv", "--days", "3"], "goes without files"),
        (["traffic.csv", "--target", "70"], "70 % is 0.7"),
        ([], "where is the history?"),
    ],
    ids=str,
)
def test_a_misuse_is_told_with_the_option(preroll, monkeypatch, tmp_path, arguments, told):
    monkeypatch.chdir(tmp_path)
    said = preroll("capacity", *arguments)
    assert said.code == 2
    assert told in words(said.err)


def test_per_cent_are_a_refusal_with_the_way_out(preroll, api_files, tmp_path):
    text = api_files[4].read_text().splitlines()
    rows = [text[0]]
    for line in text[1:]:
        series, at, value = line.split(",")
        rows.append(f"{series},{at},{float(value) * 100:.6g}")
    (tmp_path / "cpu.csv").write_text("\n".join(rows) + "\n")
    said = preroll("capacity", *api_files[:4], tmp_path / "cpu.csv", *api_files[5:])
    assert said.code == 2
    assert "it looks like per cent" in said.err
    assert "Divide it by 100" in said.err


def settings(folder, url, more=""):
    path = folder / "preroll.yaml"
    path.write_text(
        f"source: {{prometheus: {{url: '{url}', query: traffic}}}}\n"
        "step: 5m\nhistory: 5d\n"
        "workloads:\n"
        "  - {namespace: tv, name: api, capacity: auto}\n"
        "  - {namespace: tv, name: idle, capacity: 3, target_utilisation: 0.4}\n"
        f"{more}"
    )
    return path


QUERIES = "capacity: {target_utilisation: 0.6, replicas_query: ready, saturation_query: busy}\n"


def of_minutes(place):
    """Every query's answer by the simulation: means of five minutes, at their end."""

    def value(name):
        one = cached(LOADS[name]).each()[place]
        first = int(one.start.timestamp())

        def at(second):
            end = (second - first) // 60
            part = one.rate_rps[max(end - 5, 0) : end]
            return float(np.mean(part)) if 0 < end <= len(one) else None

        return at

    return evaluating(
        *(({"namespace": "tv", "deployment": name.split("/")[1]}, value(name)) for name in LOADS)
    )


def simulated(asked):
    place = ("traffic", "ready", "busy").index(asked.form["query"])
    return of_minutes(place)(asked)


def test_by_the_settings_it_asks_three_questions_for_all_workloads(preroll, tmp_path):
    with serving() as server:
        server.answer = simulated
        config = settings(tmp_path, server.url, QUERIES)
        said = preroll("capacity", "--config", config, "--until", UNTIL, "--json", "-")
        asked = {one.form["query"] for one in server.asked}
    assert said.code == 0, said.err
    assert asked == {"traffic", "ready", "busy"}
    api, idle = json.loads(said.out)["workloads"]
    assert api["target_utilisation"] == 0.6
    assert api["middle_rps"] == pytest.approx(API.capacity(0.6), rel=0.03)
    assert idle["target_utilisation"] == 0.4  # its own; loaded enough for that
    assert idle["refused"] is None


def test_a_series_that_cannot_be_used_costs_its_workload_alone(preroll, tmp_path):
    def answer(asked):
        if asked.form["query"] != "busy":
            return simulated(asked)
        good = {"namespace": "tv", "deployment": "api"}
        bad = {"namespace": "tv", "deployment": "idle"}
        return evaluating((good, lambda at: 0.5 + at % 7200 / 72_000), (bad, lambda _: -1.0))(asked)

    with serving() as server:
        server.answer = answer
        config = settings(tmp_path, server.url, QUERIES)
        said = preroll("capacity", "-c", config, "--until", UNTIL)
    assert "tv/idle: saturation: tv/idle at" in said.err
    assert re.search(r"tv/idle +– +missing", said.out)


def test_settings_without_the_queries_are_told_what_to_add(preroll, tmp_path):
    said = preroll("capacity", "-c", settings(tmp_path, "http://127.0.0.1:9"))
    assert said.code == 2
    assert "capacity.replicas_query and capacity.saturation_query" in said.err
    assert "kube_deployment_status_replicas_ready" in said.err


def test_settings_with_a_file_are_told_of_the_other_files(preroll, tmp_path):
    path = tmp_path / "preroll.yaml"
    path.write_text(
        "source: {file: {path: traffic.csv}}\n"
        "workloads: [{namespace: tv, name: api, capacity: 1}]\n"
    )
    said = preroll("capacity", "-c", path)
    assert said.code == 2
    assert "--replicas replicas.csv --saturation cpu.csv" in said.err


def test_help_has_an_example(preroll):
    said = preroll("capacity", "--help")
    assert said.code == 0
    assert "Example: preroll capacity" in said.out


def test_check_config_warns_where_auto_has_nothing_to_measure_from(preroll, tmp_path):
    config = settings(tmp_path, "http://127.0.0.1:9")
    said = preroll("check-config", "-c", config)
    assert said.code == 0
    assert "capacity: auto of tv/api is measured from ready replicas" in said.err
    complete = preroll("check-config", "-c", settings(tmp_path, "http://127.0.0.1:9", QUERIES))
    assert "capacity: auto" not in complete.err
