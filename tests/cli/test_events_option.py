import csv
import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.traffic.sample import sample_matches_path, sample_traffic_path

runner = CliRunner()


def run(*arguments):
    return runner.invoke(app, [str(one) for one in arguments])


def planned(tmp_path, *more):
    file = tmp_path / "plan.json"
    result = run(
        "plan", sample_traffic_path(), "--unit", "requests", "--capacity", 12,
        "--max-replicas", 1000, "--now", "1998-06-21T12:00:00Z", "--json", file, *more,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return json.loads(file.read_text()), result.output


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """With the matches and without: the plan as JSON, and its page."""
    found = {}
    for name, more in (("plain", ()), ("lifted", ("--events", sample_matches_path()))):
        folder = tmp_path_factory.mktemp(name)
        page = folder / "plan.html"
        document, _ = planned(folder, *more, "--html", page)
        found[name] = document, page.read_text()
    return found


def test_a_plan_with_the_calendar_is_another_plan(plans):
    (plain, _), (lifted, _) = plans["plain"], plans["lifted"]
    assert lifted != plain
    assert any("events: football" in one for one in lifted["model_reasons"])
    assert not any("events:" in one for one in plain["model_reasons"])


def test_a_plans_page_marks_the_matches_of_its_time(plans):
    assert "Germany v Yugoslavia, 12:30\\u201314:25" in plans["lifted"][1]
    assert "Yugoslavia" not in plans["plain"][1]


def test_a_calendar_of_another_time_is_told(tmp_path):
    calendar = tmp_path / "later.csv"
    calendar.write_text("start,end,category\n2026-06-11T19:00Z,2026-06-11T21:00Z,football\n")
    _, output = planned(tmp_path, "--events", calendar)
    assert "no event in it concerns this traffic's time" in output


def test_a_bad_entry_is_told_with_its_place_and_left_out(tmp_path):
    calendar = tmp_path / "matches.csv"
    calendar.write_text(
        "start,end,name,category,importance\n"
        "1998-06-22T15:30:00Z,1998-06-22T17:25:00Z,A v B,football,2\n"
        "1998-06-22T19:00:00Z,tomorrow,C v D,football,2\n"
    )
    _, output = planned(tmp_path, "--events", calendar)
    assert "3" in output
    assert "tomorrow" in output


def test_what_is_no_calendar_ends_the_command(tmp_path):
    page = tmp_path / "calendar.csv"
    page.write_text("<html><body>sign in</body></html>")
    result = run("plan", sample_traffic_path(), "--capacity", 12, "--events", page)
    assert result.exit_code != 0
    assert "calendar.csv" in result.output


@pytest.mark.slow
def test_a_backtest_decides_otherwise_with_the_calendar(tmp_path):
    rows = {}
    for name, more in (("plain", ()), ("known", ("--events", sample_matches_path()))):
        file = tmp_path / f"{name}.csv"
        result = run(
            "backtest", sample_traffic_path(), "--unit", "requests", "--test", "3d",
            "--jobs", 2, "--decisions", file, *more,
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        rows[name] = list(csv.DictReader(file.read_text().splitlines()))
    assert len(rows["plain"]) == len(rows["known"])
    assert len(rows["plain"]) % (timedelta(days=3) / timedelta(minutes=1)) == 0
    assert rows["plain"] != rows["known"]


def test_what_past_matches_brought_is_printed_plotted_and_written(tmp_path):
    page, file = tmp_path / "uplift.html", tmp_path / "uplift.json"
    result = run(
        "events", "uplift", sample_traffic_path(), "--unit", "requests",
        "--events", sample_matches_path(), "--html", page, "--json", file,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    learned = json.loads(file.read_text())["uplifts"]
    assert {one["kind"] for one in learned} == {"football"}
    usual = next(one for one in learned if one["importance"] == 2)
    assert len(usual["examples"]) > 20
    middle = [
        factor
        for at, factor in zip(usual["seconds_from_start"], usual["factor"], strict=True)
        if 1800 < at < 6000
    ]
    assert all(1.2 < one < 6 for one in middle)
    assert usual["error_on_the_last"] < 1
    header = next(one for one in result.output.splitlines() if one.startswith("kind"))
    assert header.split("  ")[0] == "kind"
    assert header.rstrip().endswith("end  after  at 0.98  off by")
    table = [one for one in result.output.splitlines() if not one.startswith("wrote ")]
    assert max(map(len, table[:6])) <= 80
    words = " ".join(result.output.split())
    assert "worldcup98-groupstage-1min, 1998-04-30 to 1998-06-21, hours and days of UTC; ×" in words
    assert "…" not in result.output
    assert page.read_text().count('id="figure-') == len(learned)
