import contextlib
import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecaster.cli.app import run
from forecaster.cli.terminal import err
from forecaster.traffic.sample import sample_traffic_path
from tests.cli.metrics_server import evaluating
from tests.traffic.stand_in import serving

START = datetime(2026, 3, 20, tzinfo=UTC)
STEP = timedelta(minutes=5)
EVENING = "2026-03-28 20:00"
NAMES = ("oracle", "hpa", "preroll")


def rates(seed=4):
    """Ten days by five minutes, with a steep peak every evening; requests per second."""
    rng = np.random.default_rng(seed)
    hours = np.arange(10 * 288) / 12 % 24
    shape = 80 + 420 * np.exp(-(((hours - 20.6) / 0.5) ** 2))
    return shape * np.exp(rng.normal(0, 0.05, len(hours)))


def write_traffic(path, *columns):
    """Series one below the other, each a name and its values."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("series", "timestamp", "value"))
        for name, values in columns:
            for step, value in enumerate(values):
                if not np.isnan(value):
                    rows.writerow((name, f"{START + step * STEP:%Y-%m-%dT%H:%M:%SZ}", value))
    return path


def write_settings(path, traffic, names=("web",), **more):
    """Settings whose source is a file; JSON is YAML."""
    document = {
        "source": {"file": {"path": str(traffic), **more.pop("file", {})}},
        "timezone": "Europe/Paris",
        "step": "5m",
        "history": "20d",
        "workloads": [
            {"namespace": "tv", "name": name, "capacity": 10, "lead_time": "10m"} for name in names
        ],
    }
    path.write_text(json.dumps({**document, **more}))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Traffic of two workloads, and settings for them."""
    made = tmp_path_factory.mktemp("replay")
    traffic = write_traffic(made / "fleet.csv", ("tv/api", rates(9)), ("tv/web", rates()))
    write_settings(made / "preroll.yaml", traffic, ("web", "api"))
    write_traffic(made / "web.csv", ("tv/web", rates()))
    return made


@pytest.fixture
def replay(preroll, folder, tmp_path, monkeypatch):
    """``preroll replay`` in a folder without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREROLL_CONFIG", raising=False)
    return lambda *more: preroll("replay", *more)


def plain(boxed):
    """What an error says, without the lines of its box."""
    return " ".join(" ".join(line.strip("│ ") for line in boxed.splitlines()).split())


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def match(tmp_path_factory):
    """The evening of a match of the bundled trace, from settings: text, JSON, CSV and page."""
    made = tmp_path_factory.mktemp("match")
    settings = write_settings(
        made / "preroll.yaml",
        sample_traffic_path(),
        file={"unit": "requests"},
        step="1m",
        history="60d",
        workloads=[
            {"namespace": "tv", "name": "web", "capacity": 20, "max_replicas": 400},
        ],
    )
    asked = ["replay", "--config", settings, "--at", "1998-06-13 20:30", "--price", "0.05"]
    asked += ["--policies", "oracle,hpa,preroll"]
    files = {"--json": made / "r.json", "--csv": made / "r.csv", "--html": made / "r.html"}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = run(
            [str(one) for one in (*asked, *(part for pair in files.items() for part in pair))]
        )
    assert code == 0
    document = json.loads(files["--json"].read_text())
    return {
        "text": said.getvalue(),
        "json": document["workloads"]["tv/web"],
        "rows": rows_of(files["--csv"]),
        "html": files["--html"].read_text(),
    }


def test_a_match_evening_is_told_minute_by_minute_by_the_audiences_clock(match):
    assert len(match["rows"]) == 180
    assert match["rows"][0]["timestamp"] == "1998-06-13T18:30:00Z"
    assert match["rows"][-1]["timestamp"] == "1998-06-13T21:29:00Z"
    assert match["json"]["local_at"] == "1998-06-13T20:30:00+02:00"
    assert match["json"]["timezone"] == "Europe/Paris"
    assert match["json"]["trained"] == ["1998-06-13T17:30:00Z"]
    assert "tv/web, Sat 13 Jun 1998 20:30 to 23:30 (Europe/Paris)" in match["text"]
    assert "time (Europe/Paris)" in match["text"]
    assert "Trained Sat 19:30 on what had ended by then" in match["text"]


def test_the_summary_is_what_the_rows_come_to(match):
    """A slow loop over the CSV, one replica serving 20 requests per second."""
    total = needed_hours = 0.0
    unserved = dict.fromkeys(NAMES, 0.0)
    hours = dict.fromkeys(NAMES, 0.0)
    asked = dict.fromkeys(NAMES, 0.0)
    for row in match["rows"]:
        rate = float(row["traffic"])
        total += rate
        needed_hours += max(1, math.ceil(rate / 20)) / 60
        for name in NAMES:
            unserved[name] += float(row[f"{name}_short"]) * 20
            hours[name] += float(row[f"{name}_ready"]) / 60
            asked[name] += float(row[f"{name}_asked"]) / 60
            ready = float(row[f"{name}_ready"])
            assert float(row[f"{name}_short"]) >= rate / 20 - ready - 1e-6
    assert match["json"]["needed_replica_hours"] == pytest.approx(needed_hours)
    for name in NAMES:
        told = match["json"]["policies"][name]
        assert told["unserved_ratio"] == pytest.approx(unserved[name] / total, abs=1e-9)
        assert told["replica_hours"] == pytest.approx(hours[name], rel=1e-8)
        assert told["slack_ratio"] == pytest.approx(hours[name] / needed_hours - 1, rel=1e-7)
        assert told["cost"] == pytest.approx(asked[name] * 0.05, rel=1e-8)
    assert unserved["preroll"] < total / 100


def test_a_minute_is_short_where_a_shortage_lies_in_it_and_only_there(match):
    for name in ("hpa", "preroll"):
        spans = [
            (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
            for one in match["json"]["shortages"][name]
        ]
        total = sum((end - start).total_seconds() for start, end in spans)
        assert match["json"]["policies"][name]["underprovisioned_seconds"] == pytest.approx(total)
        for row in match["rows"]:
            minute = datetime.fromisoformat(row["timestamp"])
            within = any(
                start < minute + timedelta(minutes=1) and minute < end for start, end in spans
            )
            assert (float(row[f"{name}_short"]) > 0) == within


def test_json_and_csv_tell_the_same_steps(match):
    for step, row in zip(match["json"]["steps"], match["rows"], strict=True):
        assert step["timestamp"] == row["timestamp"]
        assert step["traffic_rps"] == pytest.approx(float(row["traffic"]))
        assert step["needed"] == float(row["oracle_ready"])
        assert step["source"] == "lead_peak"
        for name in NAMES:
            for what in ("asked", "ready", "short"):
                assert step["policies"][name][what] == float(row[f"{name}_{what}"])


CALENDAR = """
events:
  - {start: 2026-03-28T20:30, end: 2026-03-28T21:00, kind: final, floor: {replicas: 77}%s}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("selector", "raised"),
    [
        ("", {"tv/web", "tv/api"}),
        (", selector: {workloads: [tv/web]}", {"tv/web"}),
        (", selector: {labels: {tier: edge}}", {"tv/api"}),
    ],
    ids=["all", "by name", "by label"],
)
def test_the_floors_of_a_calendar_are_served_to_the_workloads_it_selects(
    replay, folder, tmp_path, selector, raised
):
    """By the audience's clock, and a lead time before the start."""
    calendar, file = tmp_path / "calendar.yaml", tmp_path / "r.json"
    calendar.write_text(CALENDAR % selector)
    settings = json.loads((folder / "preroll.yaml").read_text())
    for one in settings["workloads"]:
        one["labels"] = {"tier": "edge" if one["name"] == "api" else "core"}
    labelled = tmp_path / "labelled.yaml"
    labelled.write_text(json.dumps(settings))
    asked = ("--config", labelled, "--at", EVENING, "--window", "1h", "--events", calendar)
    assert replay(*asked, "--policies", "preroll", "--json", file).code == 0
    for name, found in json.loads(file.read_text())["workloads"].items():
        by_clock = {
            one["timestamp"][11:16]: one["policies"]["preroll"]["asked"] for one in found["steps"]
        }
        told = [one for one in found["notes"] if one.startswith("Events declare floors")]
        assert (by_clock["19:20"] > 70) is (name in raised)  # 20:20 in Paris, 15 s after
        assert by_clock["19:15"] < 70
        assert bool(told) is (name in raised)


def test_a_file_takes_a_calendar_as_well(replay, folder, tmp_path):
    calendar, file = tmp_path / "calendar.yaml", tmp_path / "r.json"
    calendar.write_text(CALENDAR % ", selector: {workloads: [tv/web]}")
    asked = (folder / "web.csv", "--capacity", 10, "--lead-time", "10m", "--at", EVENING)
    asked += ("--timezone", "Europe/Paris", "--window", "1h", "--events", calendar)
    assert replay(*asked, "--policies", "preroll", "--json", file).code == 0
    (found,) = json.loads(file.read_text())["workloads"].values()
    assert max(one["policies"]["preroll"]["asked"] for one in found["steps"]) == 77
    missing = replay(*asked[:-1], tmp_path / "none.yaml")
    assert missing.code != 0 and "none.yaml" in plain(missing.err)


def highest(replay, settings, file, *more):
    """What Preroll asked for at the most on the evening, and what was said beside."""
    asked = ("--config", settings, "--at", EVENING, "--window", "1h", "--policies", "preroll")
    said = replay(*asked, *more, "--json", file)
    assert said.code == 0, said.err
    (found,) = json.loads(file.read_text())["workloads"].values()
    return max(one["policies"]["preroll"]["asked"] for one in found["steps"]), plain(said.err)


@pytest.mark.slow
def test_the_settings_own_events_are_known_unless_a_calendar_takes_their_place(
    replay, folder, tmp_path
):
    """A floor of the section itself, a higher one of a calendar in a file, one that is missing."""
    file, calendar, other = tmp_path / "r.json", tmp_path / "c.yaml", tmp_path / "other.yaml"
    calendar.write_text(CALENDAR % "")
    other.write_text((CALENDAR % "").replace("77", "91"))
    final = {"start": "2026-03-28T20:10", "end": "2026-03-28T20:20", "kind": "final"}
    final |= {"floor": {"replicas": 66}}
    sources = [{"name": "cup", "file": str(calendar)}, {"name": "gone", "file": "gone.csv"}]
    traffic, both = folder / "web.csv", {"events": [final], "sources": sources}
    own = write_settings(tmp_path / "own.yaml", traffic, events={"events": [final]})
    both = write_settings(tmp_path / "both.yaml", traffic, events=both)
    most, said = highest(replay, own, file)
    assert most == 66 and "warning" not in said
    most, said = highest(replay, both, file)
    assert most == 77
    assert "events.sources gone: " in said and "none of its events is known here" in said
    most, said = highest(replay, both, file, "--events", other)
    assert most == 91 and "gone" not in said


def test_preroll_says_who_spoke_and_from_what(match):
    steps = match["json"]["steps"]
    top = max(steps, key=lambda one: one["lead_peak_rps"])
    floor = math.ceil(top["lead_peak_rps"] / 20)
    clock = datetime.fromisoformat(top["timestamp"]) + timedelta(hours=2)
    assert "The lead peak spoke in all 180 steps, from live traffic" in match["json"]["notes"]
    assert f"highest floor, at {clock:%H:%M}: lead peak 0.98 quantile" in match["json"]["notes"][-1]
    assert f"within the next 5m ÷ 20 rps = {floor}; traffic was" in match["json"]["notes"][-1]


def test_the_page_has_the_verdict_the_table_and_the_figure_and_needs_no_network(match):
    assert "tv/web, Sat 13 Jun 1998 20:30 to 23:30 (Europe/Paris)" in match["html"]
    assert match["json"]["verdict"].split("(")[0] in match["html"]
    assert '<div id="figure-1"' in match["html"]
    assert "<td>preroll</td>" in match["html"]
    assert 'src="http' not in match["html"]


def test_a_file_says_the_same_as_settings_with_the_same_rule(match, replay, tmp_path):
    said = replay(
        *(sample_traffic_path(), "--unit", "requests", "--capacity", 20, "--price", 0.05),
        *("--timezone", "Europe/Paris", "--at", "1998-06-13T18:30:00Z"),
        *("--policies", "preroll,hpa,oracle", "--json", "again.json"),
    )
    assert said.code == 0, said.err
    (told,) = json.loads((tmp_path / "again.json").read_text())["workloads"].values()
    assert told["policies"] == match["json"]["policies"]
    assert told["steps"] == match["json"]["steps"]


def test_the_table_has_a_row_so_often_and_marks_where_replicas_were_short(replay, folder):
    asked = (folder / "web.csv", "--at", EVENING, "--capacity", 10, "--lead-time", "10m")
    said = replay(*asked, "--every", "30m", "--json", "r.json")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("time (UTC)"))
    table = lines[first + 1 : first + 7]
    assert [line[:5] for line in table] == ["20:00", "20:30", "21:00", "21:30", "22:00", "22:30"]
    (told,) = json.loads(Path("r.json").read_text())["workloads"].values()
    opened = datetime(2026, 3, 28, 20, tzinfo=UTC)
    for number, line in enumerate(table):
        low, high = (opened + (number + n) * timedelta(minutes=30) for n in (0, 1))
        seconds = sum(
            max(
                (
                    min(datetime.fromisoformat(one["end"]), high)
                    - max(datetime.fromisoformat(one["start"]), low)
                ).total_seconds(),
                0,
            )
            for name in ("hpa", "preroll")
            for one in told["shortages"][name]
        )
        assert ("%" in line) == (seconds > 0), line
    assert any("%" in line for line in table), "the HPA alone is late in such an evening"


def test_a_table_of_its_own_pace_has_forty_rows_at_most(replay, folder):
    said = replay(folder / "web.csv", "--at", EVENING, "--window", "8h", "--policies", "hpa")
    rows = [line for line in said.out.splitlines() if line[2:3] == ":" and " / " in line]
    assert len(rows) == 32
    assert "Sun 29 Mar" in said.out, "the window goes on after midnight"


def test_without_a_capacity_the_windows_highest_traffic_needs_a_hundred_replicas(replay, folder):
    said = replay(folder / "web.csv", "--at", EVENING, "--json", "-", "--policies", "oracle")
    (told,) = json.loads(said.out)["workloads"].values()
    window = rates()[8 * 288 + 20 * 12 : 8 * 288 + 23 * 12]
    assert told["capacity_rps"] == pytest.approx(window.max() / 100)
    assert max(one["needed"] for one in told["steps"]) == 100
    assert "one replica is taken to serve" in said.err


def test_rows_on_stdout_are_alone_there_and_the_rivals_aim_where_they_are_told(
    replay, folder, tmp_path
):
    asked = (folder / "web.csv", "--at", EVENING, "--window", "1h", "--policies", "hpa,outlook")
    more = ("--utilisation", "0.5", "--json", tmp_path / "r.json", "--capacity", "10")
    said = replay(*asked, *more, "--csv", "-")
    assert said.code == 0
    rows = list(csv.DictReader(said.out.splitlines()))
    assert len(rows) == 12
    assert not (tmp_path / "-").exists()
    web = json.loads((tmp_path / "r.json").read_text())["workloads"]["tv/web"]
    assert web["utilisation"] == 0.5
    assert [one["setting"]["utilisation"] for one in web["policies"].values()] == [0.5, 0.5]
    assert "hpa: target utilisation 50 %" in web["notes"][0]


def test_changing_the_future_changes_nothing_before(replay, folder, tmp_path):
    asked = ("--at", EVENING, "--capacity", 10, "--policies", "hpa,schedule,outlook,preroll")
    assert replay(folder / "web.csv", *asked, "--csv", "before.csv").code == 0
    other = rates()
    moment = 8 * 288 + 21 * 12
    other[moment:] *= 3
    write_traffic(tmp_path / "web.csv", ("tv/web", other))
    assert replay(tmp_path / "web.csv", *asked, "--csv", "after.csv").code == 0
    before, after = rows_of("before.csv"), rows_of("after.csv")
    assert before[:12] == after[:12]
    assert float(after[15]["preroll_asked"]) > float(before[15]["preroll_asked"])


def test_the_settings_are_found_and_all_their_workloads_replayed(
    replay, folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("PREROLL_CONFIG", str(folder / "preroll.yaml"))
    said = replay("--at", EVENING, "--csv", "r.csv", "--html", "r.html")
    assert said.code == 0, said.err
    rows = rows_of("r.csv")
    assert list(rows[0])[-1] == "series"
    assert [one["series"] for one in rows] == ["tv/web"] * 36 + ["tv/api"] * 36
    assert rows[0]["timestamp"] == "2026-03-28T19:00:00Z", "20:00 in Paris"
    page = (tmp_path / "r.html").read_text()
    assert '<div id="figure-2"' in page
    assert page.count("<td>preroll</td>") == 2


def test_one_workload_may_be_chosen_and_options_stand_above_its_rule(replay, folder, monkeypatch):
    monkeypatch.chdir(folder)
    said = replay(
        *("--at", EVENING, "--workload", "tv/api", "--json", "-", "--lead-time", "20m"),
        *("--quantile", "0.9", "--capacity", "25", "--policies", "preroll"),
    )
    told = json.loads(said.out)["workloads"]
    assert list(told) == ["tv/api"]
    assert told["tv/api"]["capacity_rps"] == 25
    assert told["tv/api"]["lead_time_seconds"] == 1200
    assert told["tv/api"]["policies"]["preroll"]["setting"]["quantile"] == 0.9


def test_a_workload_without_that_night_is_left_out_with_the_reason(replay, tmp_path):
    short = rates()
    short[: 9 * 288] = np.nan
    traffic = write_traffic(tmp_path / "t.csv", ("tv/web", rates()), ("tv/new", short))
    settings = write_settings(tmp_path / "s.yaml", traffic, ("web", "new"))
    said = replay("--config", settings, "--at", EVENING, "--policies", "hpa", "--json", "-")
    assert list(json.loads(said.out)["workloads"]) == ["tv/web"]
    assert "tv/new is left out: tv/new has traffic from 2026-03-29 01:00 to" in said.err
    assert "too short for a day to learn from" in said.err


def test_where_live_traffic_was_missing_the_outlook_speaks_and_gaps_count_nowhere(replay, tmp_path):
    silent = rates()
    silent[8 * 288 + 20 * 12 + 6 : 8 * 288 + 20 * 12 + 18] = np.nan
    traffic = write_traffic(tmp_path / "t.csv", ("tv/web", silent))
    said = replay(traffic, "--at", EVENING, "--capacity", 10, "--csv", "r.csv", "--json", "r.json")
    assert said.code == 0, said.err
    rows = rows_of("r.csv")
    assert [n for n, row in enumerate(rows) if row["traffic"] == ""] == list(range(6, 18))
    assert rows[6]["hpa_short"] == ""
    (told,) = json.loads(Path("r.json").read_text())["workloads"].values()
    outlook = sum(one["source"] == "outlook" for one in told["steps"])
    assert 0 < outlook < 12
    assert f"The lead peak spoke in {36 - outlook} of 36 steps" in said.out
    assert "1h of the window have no traffic on record" in said.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "which night? Write for example --at '2026-06-14 20:00'"),
        (("--at", "last night"), "'last night' is not an instant"),
        (("--at", "2026-03-29 02:30", "--timezone", "Europe/Paris"), "does not exist in Europe"),
        (("--at", "2025-10-26 02:30", "--timezone", "Europe/Paris"), "happens twice in Europe"),
        (("--at", EVENING, "--timezone", "Paris"), "'Paris' is not a time zone"),
        (("--at", EVENING, "--window", "0m"), "'0m' is not above 0"),
        (("--at", EVENING, "--policies", "keda"), "'keda' is not a policy; there are oracle, hpa"),
        (("--at", EVENING, "--capacity", "lots"), "'lots' is not a capacity; write for example"),
        (("--at", EVENING, "--capacity", "0"), "must be above 0, not 0; write for example 120"),
        (("--at", EVENING, "--capacity", "nan"), "must be above 0, not nan"),
        (("--at", EVENING, "--lead-time", "13h"), "must be at most 12h, not 13h"),
        (("--at", EVENING, "--quantile", "2"), "'2' is not a quantile"),
        (("--at", EVENING, "--price", "-1"), "must be 0 or more"),
        (("--at", EVENING, "--workload", "tv/web"), "of a file or a server choose with --series"),
        (("--at", EVENING, "--series", "tv/x"), "'tv/x' is not among them; there are tv/web"),
        (("--at", EVENING, "--config", "c.yaml"), "exclude each other"),
        (("--at", EVENING, "--csv", "no/r.csv"), "does not exist"),
        (("--at", EVENING, "--utilisation", "0"), "'0' is not a ratio from 0.01 to 10"),
        (("--at", EVENING, "--csv", "-", "--html", "-"), "two results cannot share stdout"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_bad_option_is_exit_code_2_with_its_value_and_an_example(replay, folder, options, words):
    said = replay(folder / "web.csv", *options)
    assert said.code == 2
    assert words in plain(said.err)
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("at", "window"),
    [("2026-03-20 20:00", "3h"), ("2026-03-29 23:30", "3h"), ("2027-01-01", "3h")],
    ids=["no day before it", "beyond the end", "long after"],
)
def test_what_cannot_be_replayed_is_refused_with_the_range_that_can(replay, folder, at, window):
    zone = ("--timezone", "Europe/Paris")
    said = replay(folder / "web.csv", "--at", at, "--window", window, *zone)
    assert said.code == 2
    told = plain(said.err)
    assert "has traffic from 2026-03-20 01:00 to 2026-03-30 02:00 (Europe/Paris)" in told
    assert "--at may lie from 2026-03-21 02:00 to 2026-03-29 23:00" in told
    for edge in ("2026-03-21 02:00", "2026-03-29 23:00"):
        again = replay(folder / "web.csv", "--at", edge, *zone, "--policies", "hpa")
        assert again.code == 0, again.err


def test_a_window_longer_than_the_traffic_is_refused_in_words(replay, folder):
    said = replay(folder / "web.csv", "--at", EVENING, "--window", "20d")
    told = plain(said.err)
    assert said.code == 2
    assert "that is too short for a day to learn from, 1h to run in and a --window of 20d" in told


def test_many_workloads_are_asked_about(replay, folder, tmp_path):
    settings = write_settings(
        tmp_path / "s.yaml", folder / "fleet.csv", ("web", "api", "a", "b", "c")
    )
    told = plain(replay("--config", settings, "--at", EVENING).err)
    assert "there are 5, tv/web, tv/api, tv/a, tv/b, tv/c, and at most 4" in told
    assert "--workload 'tv/web'" in told


def test_without_any_traffic_the_way_to_it_is_shown(replay):
    said = replay("--at", EVENING)
    assert said.code == 2
    assert "where is the traffic? Write for example --config preroll.yaml" in plain(said.err)


def test_options_that_the_settings_have_are_refused_beside_them(replay, folder):
    for option in (("--unit", "rps"), ("--series", "tv/web")):
        said = replay("--config", folder / "preroll.yaml", "--at", EVENING, *option)
        assert said.code == 2
        assert "this by itself" in plain(said.err)


def test_a_server_is_asked_for_the_window_and_what_is_learnt_from(replay):
    values = dict(enumerate(rates().tolist()))
    first = int(START.timestamp())
    labels = {"namespace": "tv", "deployment": "web"}
    with serving() as server:
        server.answer = evaluating((labels, lambda t: values.get((t - first) // 300 - 1)))
        asked = ("--prometheus", server.url, "--query", "x", "--step", "5m", "--days", "4")
        said = replay(*asked, "--at", EVENING, "--json", "-", "--policies", "preroll")
        assert said.code == 0, said.err
        ends = max(int(one.form["end"]) for one in server.asked)
    (told,) = json.loads(said.out)["workloads"].values()
    assert ends == datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()
    window = rates()[8 * 288 + 20 * 12 : 8 * 288 + 23 * 12]
    assert [one["traffic_rps"] for one in told["steps"]] == pytest.approx(window.tolist())


def test_a_window_that_has_not_come_yet_is_no_question_for_a_server(replay):
    asked = ("--prometheus", "http://127.0.0.1:9", "--query", "x")
    said = replay(*asked, "--at", "2999-01-01 20:00", "--timezone", "Europe/Paris")
    assert said.code == 2
    told = plain(said.err)
    assert "has not all come yet; the latest --at is now 20" in told
    assert "(Europe/Paris)" in told


def test_interrupted_it_leaves_no_file(replay, folder, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("forecaster.backtest.night.replay_night", stopped)
    said = replay(folder / "web.csv", "--at", EVENING, "--csv", "r.csv", "--html", "r.html")
    assert said.code == 130
    assert said.err.endswith("stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_shows_how_far_it_is(replay, folder, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert err().is_terminal
    said = replay(folder / "web.csv", "--at", EVENING)
    assert said.code == 0
    assert "replaying" in said.err
    assert "left" in said.err


def test_help_has_an_example(preroll):
    said = preroll("replay", "--help")
    assert said.code == 0
    told = " ".join(said.out.split())
    assert 'preroll replay --config preroll.yaml --at "2026-06-14 20:00" --window 3h' in told
