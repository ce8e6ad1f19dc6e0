import csv
import json
import re
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from forecaster.models.selection import OutlookConfig, train_outlook
from forecaster.planning import ScalingRule, build_plan
from forecaster.traffic.files import ReadOptions, Unit, read_traffic

UNIT = ("--unit", "requests")


def instant(text):
    return datetime.fromisoformat(text)


def test_a_plan_says_the_target_now_its_reason_a_chart_and_a_table(preroll, short_csv):
    said = preroll("plan", short_csv, *UNIT, "--capacity", 12, "--lead-time", "5m")
    assert said.code == 0
    assert said.err == ""
    first = said.out.splitlines()
    assert first[0].startswith("web: ")
    assert " replicas at 1998-06-21 22:00 UTC" in first[0]
    assert "outlook 0.98 quantile" in first[1]
    assert "÷ 12 rps" in first[1]
    assert "Next 48 h: " in said.out
    assert "█" in said.out
    assert "from (UTC)" in said.out


def test_the_numbers_are_those_of_the_planner(preroll, short_csv, tmp_path):
    preroll(
        *("plan", short_csv, *UNIT, "--capacity", 12, "--lead-time", "90m", "--quantile", "0.9"),
        *("--hold-down", "2h", "--min-replicas", 3, "--max-replicas", 40),
        *("--json", tmp_path / "plan.json", "--csv", tmp_path / "plan.csv"),
    )
    history = read_traffic(short_csv, ReadOptions(Unit.REQUESTS)).history.series[0]
    rule = ScalingRule(12, timedelta(minutes=90), 0.9, 3, 40, timedelta(hours=2))
    config = OutlookConfig(horizon=timedelta(hours=50))  # 48 h and a lead window of two steps
    plan = build_plan(train_outlook(history, history.end, config).outlook, rule)

    with (tmp_path / "plan.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["replicas"]) for row in rows] == plan.replicas.tolist()
    assert [int(row["needed"]) for row in rows] == plan.needed.tolist()
    assert np.allclose([float(row["peak_rps"]) for row in rows], plan.peak_rps)
    assert instant(rows[0]["timestamp"]) == history.end

    document = json.loads((tmp_path / "plan.json").read_text())
    assert document["target"]["replicas"] == plan.replicas[0]
    assert document["target"]["reasons"] == list(plan.target(history.end).reasons)
    assert document["lead_time_seconds"] == 5400
    assert document["max_replicas"] == 40


def test_the_targets_of_the_json_cover_48_hours_without_a_hole(preroll, short_csv):
    said = preroll("plan", short_csv, *UNIT, "--capacity", 12, "--json", "-")
    document = json.loads(said.out)  # nothing else is on stdout
    targets = document["targets"]
    assert instant(targets[0]["from"]) == instant(document["cutoff"])
    assert instant(targets[-1]["to"]) - instant(targets[0]["from"]) == timedelta(hours=48)
    for one, after in pairwise(targets):
        assert one["to"] == after["from"]
        assert one["replicas"] != after["replicas"]


def test_a_plan_is_the_same_every_time(preroll, short_csv):
    asked = ("plan", short_csv, *UNIT, "--capacity", 12, "--json", "-")
    assert preroll(*asked) == preroll(*asked)


def test_a_plan_may_be_made_as_of_an_earlier_instant(preroll, traffic_csv):
    said = preroll(
        *("plan", traffic_csv, *UNIT, "--capacity", 12, "--json", "-"),
        *("--now", "1998-06-05T02:00:00+02:00"),
    )
    document = json.loads(said.out)
    assert document["now"] == document["cutoff"] == "1998-06-05T00:00:00Z"


def test_a_plan_for_later_than_the_file_says_so(preroll, short_csv):
    said = preroll("plan", short_csv, *UNIT, "--capacity", 12, "--now", "1998-06-22T04:00Z")
    assert said.code == 0
    assert "ends at 1998-06-21 22:00 UTC, 6h before" in said.err
    assert " at 1998-06-22 04:00 UTC" in said.out


def test_clocks_of_the_table_are_those_of_the_zone(preroll, short_csv):
    said = preroll("plan", short_csv, *UNIT, "--capacity", 12, "--timezone", "Europe/Paris")
    assert "from (Europe/Paris)" in said.out
    assert "Mon 22 Jun 00:00" in said.out  # 22:00 UTC


def test_a_maximum_that_is_too_low_is_said(preroll, short_csv):
    said = preroll("plan", short_csv, *UNIT, "--capacity", 1, "--max-replicas", 10)
    told = " ".join(said.out.split())
    assert "The maximum of 10 replicas is too low for 2d of the next 48 h;" in told
    assert "raise --max-replicas, or check --capacity and --unit." in told
    assert "limited to the maximum" in said.out


def test_what_a_longer_file_would_tell_is_said(preroll, short_csv, traffic_csv):
    told = "a weekly one cannot be told from 3 days, 15 are needed"
    short = preroll("plan", short_csv, *UNIT, "--capacity", 12)
    assert told in " ".join(short.out.split())
    long = preroll("plan", traffic_csv, *UNIT, "--capacity", 12)
    assert "cannot be told" not in long.out


def test_a_row_that_is_held_says_until_when_so_many_were_needed(preroll, short_csv, tmp_path):
    said = preroll(
        *("plan", short_csv, *UNIT, "--capacity", 120, "--hold-down", "2h"),
        *("--csv", tmp_path / "plan.csv"),
    )
    with (tmp_path / "plan.csv").open() as file:
        rows = {row["timestamp"][:16]: row for row in csv.DictReader(file)}
    held = re.findall(
        r"(\d\d) (\w{3}) (\d\d:\d\d) .*?; (\d+) were needed until (\S+), held", said.out
    )
    assert held
    for day, _, first, replicas, until in held:
        begin, end = (instant(f"1998-06-{day}T{clock}:00Z") for clock in (first, until))
        end -= timedelta(days=end > begin)
        assert begin - end < timedelta(hours=2)
        before = end - timedelta(hours=1)
        assert int(rows[f"{before:%Y-%m-%dT%H:%M}"]["needed"]) >= int(replicas)


def test_where_results_went_is_said(preroll, short_csv, tmp_path):
    out = tmp_path / "plan.json"
    said = preroll("plan", short_csv, *UNIT, "--capacity", 12, "--json", out)
    assert said.err == f"wrote {out}\n"


def test_without_a_unit_the_guess_is_said(preroll, short_csv):
    said = preroll("plan", short_csv, "--capacity", 12)
    assert "taken as requests per second" in said.err


def test_the_page_holds_its_figure_and_asks_the_network_for_nothing(preroll, short_csv, tmp_path):
    page = tmp_path / "plan.html"
    assert preroll("plan", short_csv, *UNIT, "--capacity", 12, "--html", page).code == 0
    html = page.read_text()
    assert "Plotly.newPlot" in html
    assert "<script src" not in html
    assert "<link" not in html


def test_of_several_series_one_must_be_chosen(preroll, tmp_path, hours):
    path = tmp_path / "two.csv"
    rows = [f"{name},{stamp},{value}\n" for name in ("api", "web") for stamp, value in hours[-72:]]
    path.write_text("series,timestamp,value\n" + "".join(rows))
    said = preroll("plan", path, *UNIT, "--capacity", 12)
    assert (said.code, said.out) == (2, "")
    assert "2 series, and a plan is for one: api, web" in said.err
    chosen = preroll("plan", path, *UNIT, "--capacity", 12, "--series", "web")
    assert chosen.out.startswith("web: ")
    unknown = preroll("plan", path, *UNIT, "--capacity", 12, "--series", "db")
    assert (unknown.code, unknown.out) == (2, "")
    assert "no series 'db'; it has api, web" in unknown.err


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--capacity", "0"], "--capacity must be above 0, not 0; for example --capacity 120"),
        (["--capacity", "nan"], "--capacity must be above 0, not nan"),
        (["--lead-time", "0s"], "not above 0"),
        (["--lead-time", "3d"], "--lead-time must be at most 12h, not 3d"),
        (["--hold-down", "3650d"], "--hold-down must be at most 1d, not 3650d"),
        (["--max-replicas", "1000001"], "--max-replicas must lie between 1 and 1,000,000"),
        (["--min-replicas", "-1"], "--min-replicas must be 0 or more, not -1"),
        (["--quantile", "0.99999999999"], "errors of at most 42 days cannot show rarer ones"),
        (["--quantile", "0.0001"], "0.001 and 0.999"),
        (["--quantile", "98"], "not a quantile"),
        (
            ["--min-replicas", "5", "--max-replicas", "4"],
            "--min-replicas must not be above --max-replicas",
        ),
        (["--timezone", "Mars/Olympus"], "'Mars/Olympus' is not a time zone"),
        (["--now", "yesterday"], "'yesterday' is not an instant"),
        (["--now", "1998-06-22T04:00"], "no offset from UTC"),
        (["--now", "1990-01-01T00:00Z"], "24 h"),
        (["--unit", "pigeons"], "'pigeons' is not a unit"),
        (["--json", "/nowhere/plan.json"], "does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_option_is_exit_code_2_and_a_sentence(preroll, short_csv, options, named):
    said = preroll("plan", short_csv, "--capacity", 12, *UNIT, *options)
    assert said.code == 2
    assert said.out == ""
    assert named in unboxed(said.err)
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "empty"),
        ("timestamp,value\n", "web.csv"),
        ("timestamp,value\n2026-03-02T00:00:00Z,lots\n", "lots"),
        ("timestamp,value\n" + "".join(f"2026-03-02T{n:02}:00:00Z,5\n" for n in range(9)), "24 h"),
    ],
    ids=["empty", "only a header", "not a number", "nine hours"],
)
def test_a_bad_file_is_exit_code_2_and_a_sentence(preroll, tmp_path, content, named):
    path = tmp_path / "web.csv"
    path.write_text(content)
    said = preroll("plan", path, *UNIT, "--capacity", 12)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert named in said.err
    assert "Traceback" not in said.err


def unboxed(text):
    """A usage error without the frame that is drawn around it, on one line."""
    return " ".join(line.strip("│ ") for line in text.splitlines())


def test_a_hold_down_of_nothing_is_taken(preroll, short_csv):
    said = preroll("plan", short_csv, "--capacity", 12, "--hold-down", "0s")
    assert said.code == 0
    assert "held" not in said.out


def test_a_floor_of_an_event_is_in_the_plan_and_its_row_names_the_event(
    preroll, short_csv, tmp_path
):
    calendar = tmp_path / "shows.yaml"
    calendar.write_text("""
events:
  - {start: 1998-06-22T19:00:00Z, end: 1998-06-22T21:30:00Z, kind: live-show, name: Final night,
     floor: {replicas: 77}}
""")
    said = preroll(
        *("plan", short_csv, *UNIT, "--capacity", 120, "--hold-down", "0s", "--events", calendar),
        *("--csv", tmp_path / "plan.csv"),
    )
    assert said.code == 0, said.err
    with (tmp_path / "plan.csv").open() as file:
        rows = {row["timestamp"]: int(row["replicas"]) for row in csv.DictReader(file)}
    at_floor = sorted(stamp[11:16] for stamp, replicas in rows.items() if replicas == 77)
    assert at_floor == ["18:00", "19:00", "20:00", "21:00"]  # the steps are hours
    assert max(rows.values()) == 77
    (row,) = [line for line in said.out.splitlines() if " 77 " in line and "rps at" in line]
    assert row.startswith("Mon 22 Jun 18:00")
    assert 'the floor of live-show "Final night"' in " ".join(said.out.split())
