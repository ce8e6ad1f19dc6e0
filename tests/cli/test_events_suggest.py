"""``preroll events suggest``: from traffic to a calendar that the other commands read."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
import yaml

from forecaster.events import DailyWindow
from forecaster.programme.reading import read_calendar
from forecaster.traffic.sample import sample_matches, sample_matches_path, sample_traffic_path

TRAFFIC = [sample_traffic_path(), "--unit", "requests"]


@pytest.fixture(scope="module")
def quiet_csv(tmp_path_factory, hours):
    """A level that never changes: there is nothing to find."""
    path = tmp_path_factory.mktemp("quiet") / "level.csv"
    path.write_text("timestamp,value\n" + "".join(f"{stamp},3600\n" for stamp, _ in hours))
    return path


def test_what_it_writes_is_read_back_as_it_is_by_check_and_plan(preroll, tmp_path):
    file = tmp_path / "suggested.yaml"
    said = preroll("events", "suggest", *TRAFFIC, "--timezone", "Europe/Paris", "--output", file)
    assert said.code == 0, said.err
    assert preroll("events", "check", file, "--strict").code == 0
    read = read_calendar(file)
    assert not read.problems
    rule = read.calendar.recurring[0]
    assert isinstance(rule, DailyWindow)
    assert 4 in rule.days
    starts = {one.start for one in sample_matches()}
    near = [
        one
        for one in read.calendar.events
        if any(abs(one.start - start) <= timedelta(minutes=40) for start in starts)
    ]
    assert len(near) >= 0.7 * len(read.calendar.events)
    assert all(one.uplift >= 1.4 for one in read.calendar.events)
    plan = ["plan", *TRAFFIC, "--capacity", 50, "--max-replicas", 900, "--json", "-"]
    at = ["--now", "1998-06-19T00:00:00Z"]  # a Friday, with the rule's window in it
    lifted = preroll(*plan, *at, "--events", file)
    plain = preroll(*plan, *at)
    assert lifted.code == plain.code == 0
    assert lifted.out != plain.out
    assert any(rule.pattern.kind in one for one in json.loads(lifted.out)["model_reasons"])


def test_the_table_fits_80_columns_and_the_largest_excess_comes_first(
    preroll, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    files = {name: tmp_path / f"s.{name}" for name in ("yaml", "json", "html")}
    said = preroll(
        "events", "suggest", *TRAFFIC, "--output", files["yaml"], "--json", files["json"],
        "--html", files["html"], "--most", 3,
    )  # fmt: skip
    assert said.code == 0, said.err
    found = json.loads(files["json"].read_text())["suggestions"]
    excess = [one["excess_requests"] for one in found]
    assert excess == sorted(excess, reverse=True)
    assert len(found) > 3
    assert f"{len(found)} suggestions; the 3 largest are shown, --most {len(found)}" in said.err
    rows = [line.split() for line in said.out.splitlines() if "×" in line]
    assert [row[0] for row in rows] == [one["kind"] for one in found[:3]]
    assert max(map(len, said.out.splitlines())) <= 80
    page = files["html"].read_text()
    assert page.count("Plotly.newPlot(") == 1 + 3
    entries = yaml.safe_load(files["yaml"].read_text())
    assert len(entries["events"]) + len(entries.get("daily", [])) == 3


def test_with_the_matches_known_little_is_left_on_stdout(preroll):
    said = preroll("events", "suggest", *TRAFFIC, "--events", sample_matches_path())
    assert said.code == 0, said.err
    left = yaml.safe_load(said.out)["events"]
    assert 0 < len(left) <= 5
    for one in left:
        start, end = (datetime.fromisoformat(str(one[key])) for key in ("start", "end"))
        assert not any(start < match.end and end > match.start for match in sample_matches())
    assert re.search(r"# Seen once, Tue 06:31, ×[\d.]+: [\d,]+ requests more\.", said.out)


def test_a_history_with_nothing_to_suggest_says_so_and_its_calendar_can_be_read(
    preroll, quiet_csv, tmp_path
):
    file = tmp_path / "none.yaml"
    said = preroll(
        "events", "suggest", quiet_csv, "--unit", "requests", "--output", file, "--html",
        tmp_path / "none.html",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "nothing to suggest" in said.err
    assert said.out == ""
    assert preroll("events", "check", file, "--strict").code == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--least-uplift", "0.9"], "0.9 is not a factor above 1; write for example 1.5"),
        (["--most", "0"], "--most"),
        (["--timezone", "Mars"], "'Mars' is not a time zone"),
        (["--output", "gone/s.yaml"], "does not exist"),
        (["--output", "matches.yaml", "--events", "matches.yaml"], "holds the known events"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_misuse_is_told_before_any_work(preroll, options, told, short_csv):
    said = preroll("events", "suggest", short_csv, *options)
    assert said.code == 2
    assert said.out == ""
    assert told in re.sub(r"\s+│?\s*│?\s*", " ", said.err)
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("kept", "told"),
    [(slice(6), "an outlook needs at least 24 h"), (slice(None, None, 24), "1d is too coarse")],
    ids=["hours", "days"],
)
def test_too_short_and_too_coarse_a_history_is_refused_in_one_line(
    preroll, tmp_path, hours, kept, told
):
    path = tmp_path / "web.csv"
    path.write_text("timestamp,value\n" + "".join(f"{at},{value}\n" for at, value in hours[kept]))
    said = preroll("events", "suggest", path, "--unit", "requests")
    assert said.code == 2
    assert said.err.splitlines()[-1].startswith("error: ")
    assert told in said.err


def test_help_ends_with_an_example(preroll):
    said = preroll("events", "suggest", "--help")
    assert "Example: preroll events suggest traffic.csv" in said.out
