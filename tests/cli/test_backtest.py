import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecaster.cli.app import run
from forecaster.errors import HistoryTooShort

UNIT = ("--unit", "requests")
QUICK = ("--test", "2d", "--jobs", "1", "--baselines", "seasonal_naive")


def table(rows):
    return "timestamp,value\n" + "".join(f"{stamp},{value}\n" for stamp, value in rows)


def living(group):
    """Processes of a group that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own_group = stat.read_text().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own_group) == group and state != "Z":
            found.append(stat.parent.name)
    return found


def without_seconds(path):
    document = json.loads(path.read_text())
    assert document.pop("seconds") > 0
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory, traffic_csv):
    """What one backtest of two days writes, with all baselines."""
    folder = tmp_path_factory.mktemp("backtest")
    code = run(
        [
            *("backtest", str(traffic_csv), *UNIT, "--test", "2d", "--jobs", "1"),
            *("--baselines", "all", "--json", str(folder / "out.json")),
            *("--forecasts", str(folder / "forecasts.csv")),
            *("--html", str(folder / "report.html")),
        ]
    )
    assert code == 0
    return folder


@pytest.fixture(scope="module")
def forecasts(folder):
    with (folder / "forecasts.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def document(folder):
    return json.loads((folder / "out.json").read_text())


def test_the_forecasts_are_a_day_from_each_cutoff_in_every_quantile(forecasts, hours):
    assert list(forecasts[0]) == ["cutoff", "timestamp", "quantile", "value"]
    end = datetime.fromisoformat(hours[-1][0]) + timedelta(hours=1)
    cutoffs = sorted({row["cutoff"] for row in forecasts})
    assert [end - datetime.fromisoformat(one) for one in cutoffs] == [
        timedelta(days=2),
        timedelta(days=1),
    ]
    for cutoff in cutoffs:
        for quantile in ("0.02", "0.5", "0.99"):
            rows = [
                row for row in forecasts if row["cutoff"] == cutoff and row["quantile"] == quantile
            ]
            stamps = [datetime.fromisoformat(row["timestamp"]) for row in rows]
            assert stamps[0] == datetime.fromisoformat(cutoff)
            assert set(np.diff(stamps)) == {timedelta(hours=1)}
            assert len(rows) == 24
            assert all(row["timestamp"].endswith("Z") for row in rows)


def test_the_scores_follow_from_the_forecasts_and_the_file(forecasts, document, hours):
    """An independent reading of what was written, in plain loops."""
    observed = dict(hours)
    error = traffic = 0.0
    losses, covered = [], {}
    for row in forecasts:
        y, f, q = observed[row["timestamp"]], float(row["value"]), float(row["quantile"])
        losses.append(q * (y - f) if y >= f else (1 - q) * (f - y))
        covered.setdefault(row["quantile"], []).append(y <= f)
        if row["quantile"] == "0.5":
            error += abs(y - f)
            traffic += y
    outlook = document["outlook"]
    assert outlook["wape"] == pytest.approx(error / traffic, rel=1e-6)
    assert outlook["pinball"] == pytest.approx(np.mean(losses), rel=1e-6)
    for quantile, hits in covered.items():
        assert outlook["coverage"][quantile] == pytest.approx(np.mean(hits), abs=1e-9)
    training = np.array([value for _, value in hours[:-48]], dtype=float)
    scale = np.mean(np.abs(training[168:] - training[:-168]))
    assert outlook["mase"] == pytest.approx(error / 48 / scale, rel=1e-6)


def test_the_seasonal_naive_is_the_value_one_week_earlier(document, hours):
    values = np.array([value for _, value in hours], dtype=float)
    error = np.abs(values[-48:] - values[-48 - 168 : -168]).sum()
    naive = document["outlook"]["baselines"]["seasonal_naive"]
    assert naive["wape"] == pytest.approx(error / values[-48:].sum(), rel=1e-9)


def test_every_model_of_the_zoo_is_a_baseline(document):
    names = set(document["outlook"]["baselines"])
    assert {"seasonal_naive", "MSTL", "AutoETS", "AutoTheta"} <= names
    assert all(
        one["wape"] is None or one["wape"] > 0 for one in document["outlook"]["baselines"].values()
    )


def test_the_page_has_tables_and_figures_and_asks_the_network_for_nothing(folder):
    html = (folder / "report.html").read_text()
    assert "Plotly.newPlot" in html
    assert "Coverage" in html
    assert "<script src" not in html
    head = html.split("<style>")[0]
    assert all("data:" in link for link in re.findall("<link[^>]*>", head))


def test_the_terminal_shows_the_verdict_and_the_tables(preroll, traffic_csv):
    said = preroll("backtest", traffic_csv, *UNIT, *QUICK)
    assert said.code == 0
    assert said.err == ""
    assert "2 origins, 48 observed steps of 1h" in said.out
    assert "Day-ahead WAPE" in said.out
    assert "seasonal_naive" in said.out
    assert "12–24h" in said.out
    told = " ".join(said.out.split())
    assert told.count("WAPE: sum of absolute errors") == told.count("MASE: error relative") == 1


def test_two_seasonal_naives_have_two_names(preroll, traffic_csv, tmp_path):
    both = ("--baselines", "seasonal_naive,SeasonalNaive", "--json", tmp_path / "out.json")
    said = preroll("backtest", traffic_csv, *UNIT, "--test", "1d", "--jobs", "1", *both)
    assert "SeasonalNaive (zoo, 1h)" in said.out
    baselines = json.loads((tmp_path / "out.json").read_text())["outlook"]["baselines"]
    assert set(baselines) == {"seasonal_naive", "SeasonalNaive"}


def test_where_results_went_is_said(preroll, traffic_csv, tmp_path):
    files = [tmp_path / name for name in ("f.csv", "r.html", "o.json")]
    said = preroll(
        *("backtest", traffic_csv, *UNIT, *QUICK, "--forecasts", files[0]),
        *("--html", files[1], "--json", files[2]),
    )
    assert said.err.splitlines() == [f"wrote {one}" for one in files]


def test_json_on_stdout_is_alone_there(preroll, traffic_csv):
    said = preroll("backtest", traffic_csv, *UNIT, *QUICK, "--json", "-")
    assert json.loads(said.out)["outlook"]["origins"] == 2


@pytest.mark.slow
def test_processes_change_nothing_but_the_seconds(preroll, traffic_csv, tmp_path):
    for jobs in (1, 2):
        said = preroll(
            *("backtest", traffic_csv, *UNIT, *QUICK, "--jobs", jobs),
            *("--json", tmp_path / f"{jobs}.json", "--forecasts", tmp_path / f"{jobs}.csv"),
        )
        assert said.code == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert without_seconds(tmp_path / "1.json") == without_seconds(tmp_path / "2.json")


def test_two_files_that_differ_after_a_cutoff_have_the_same_forecasts_until_then(
    preroll, traffic_csv, tmp_path, hours
):
    turn = len(hours) - 24
    other = tmp_path / "web.csv"
    other.write_text(table(hours[:turn] + [(stamp, value * 9) for stamp, value in hours[turn:]]))
    for name, path in (("ours", traffic_csv), ("theirs", other)):
        asked = ("backtest", path, *UNIT, *QUICK, "--forecasts", tmp_path / name)
        assert preroll(*asked).code == 0
    ours, theirs = (tmp_path / "ours").read_bytes(), (tmp_path / "theirs").read_bytes()
    assert len(ours.splitlines()) == 1 + 2 * 10 * 24
    assert ours == theirs  # both cutoffs, the change included: a cutoff knows nothing of its day


def test_a_change_before_the_cutoff_does_change_the_forecasts(
    preroll, traffic_csv, tmp_path, hours
):
    turn = len(hours) - 25
    other = tmp_path / "web.csv"
    other.write_text(table(hours[:turn] + [(stamp, value * 9) for stamp, value in hours[turn:]]))
    for name, path in (("ours", traffic_csv), ("theirs", other)):
        preroll("backtest", path, *UNIT, *QUICK, "--forecasts", tmp_path / name)
    ours, theirs = ((tmp_path / name).read_text().splitlines() for name in ("ours", "theirs"))
    assert ours[: 1 + 240] == theirs[: 1 + 240]
    assert ours[1 + 240 :] != theirs[1 + 240 :]


def test_only_the_quantiles_asked_for_are_written(preroll, traffic_csv, tmp_path):
    path = tmp_path / "forecasts.csv"
    preroll(
        *("backtest", traffic_csv, *UNIT, *QUICK, "--quantiles", "0.9,0.6", "--forecasts", path),
        *("--json", tmp_path / "out.json"),
    )
    with path.open() as file:
        assert {row["quantile"] for row in csv.DictReader(file)} == {"0.6", "0.9"}
    outlook = json.loads((tmp_path / "out.json").read_text())["outlook"]
    assert list(outlook["coverage"]) == ["0.6", "0.9"]
    assert outlook["wape"] > 0


def test_gaps_get_forecasts_and_are_not_scored(preroll, tmp_path, hours):
    path = tmp_path / "web.csv"
    path.write_text(table(hours[:-30] + hours[-20:]))
    preroll(
        *("backtest", path, *UNIT, *QUICK, "--json", tmp_path / "out.json"),
        *("--forecasts", tmp_path / "forecasts.csv"),
    )
    assert json.loads((tmp_path / "out.json").read_text())["outlook"]["observed_steps"] == 38
    assert len((tmp_path / "forecasts.csv").read_text().splitlines()) == 1 + 2 * 10 * 24


def test_several_series_are_pooled_and_listed(preroll, tmp_path, hours):
    path = tmp_path / "fleet.csv"
    rows = [
        f"{name},{stamp},{value * factor}\n"
        for name, factor in (("api", 1), ("web", 3))
        for stamp, value in hours[-144:]
    ]
    path.write_text("series,timestamp,value\n" + "".join(rows))
    said = preroll("backtest", path, *UNIT, *QUICK, "--json", tmp_path / "out.json")
    assert said.code == 0
    assert "2 series" in said.out
    document = json.loads((tmp_path / "out.json").read_text())
    assert list(document["series"]) == ["api", "web"]
    assert document["outlook"]["origins"] == 4
    one = preroll("backtest", path, *UNIT, *QUICK, "--series", "web", "--json", "-")
    assert list(json.loads(one.out)["series"]) == ["web"]


def test_a_short_file_is_tested_on_its_second_half_and_says_so(preroll, short_csv):
    said = preroll("backtest", short_csv, *UNIT, "--jobs", "1", "--baselines", "none")
    assert said.code == 0
    assert "3d of traffic; the last 1d are forecast, not 14d" in said.err
    assert "\n1 origin, " in said.out


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--test", "20d"], "a test of at most 19d is possible"),
        (["--test", "0d"], "not above 0"),
        (["--baselines", "prophet"], "'prophet' is not a baseline; there are seasonal_naive"),
        (["--quantiles", "0.5,1.5"], "'1.5' is not a quantile"),
        (["--quantiles", "half"], "'half' is not a quantile"),
        (["--quantile", "1"], "'1' is not a quantile"),
        (["--jobs", "0"], "0 is not above 0"),
        (["--capacity", "0"], "'0' is not a number above 0; write for example 120, or auto"),
        (["--capacity", "much"], "'much' is not a number above 0"),
        (["--lead-time", "0s"], "not above 0"),
        (["--lead-time", "49h"], "must be at most 12h, not 2d1h; write for example 5m"),
        (["--utilisation", "70"], "'70' is not a ratio from 0.01 to 10; write for example 0.7"),
        (["--utilisation", "most"], "'most' is not a ratio"),
        (["--json", "-", "--decisions", "-"], "two results cannot share stdout"),
        (["--policies", "cron"], "'cron' is not a policy; there are oracle, hpa, schedule"),
        (["--policies", "oracle", "--frontier"], "no policy whose settings could be tried"),
        (["--tolerance", "1"], "must be 0 or more and below 1, for example 0.1, not 1"),
        (["--min-replicas", "0"], "must be at least 1 in a replay, not 0"),
        (["--min-replicas", "9", "--max-replicas", "5"], "must not be above max_replicas"),
        (["--price", "-1"], "must be 0 or more, for example 0.05, not -1"),
        (["--startup", "30s,soon"], "'soon' is not a duration"),
        (["--series", "db"], "no series 'db'"),
        (["--forecasts", "/nowhere/f.csv"], "does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_option_is_exit_code_2_and_a_sentence(preroll, traffic_csv, options, named):
    said = preroll("backtest", traffic_csv, *UNIT, *options)
    assert said.code == 2
    assert said.out == ""
    assert named in " ".join(line.strip("│ ") for line in said.err.splitlines())
    assert "Traceback" not in said.err


def test_a_file_of_less_than_two_days_has_decisions_and_no_day_ahead_scores(
    preroll, tmp_path, hours
):
    path = tmp_path / "web.csv"
    path.write_text(table(hours[:47]))
    said = preroll("backtest", path, *UNIT, "--json", tmp_path / "out.json")
    assert said.code == 0
    assert "1d23h of traffic; the last 23h are the test, not 14d" in said.err
    assert "the outlook is not scored day by day" in said.err
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["outlook"] is None
    assert document["lead_peak"]["windows"] == 22


def test_forecasts_that_cannot_be_made_are_refused_before_any_work(
    preroll, tmp_path, hours, monkeypatch
):
    monkeypatch.setattr("forecaster.backtest.proof_run.find", lambda *_: pytest.fail("it worked"))
    path = tmp_path / "web.csv"
    path.write_text(table(hours[:47]))
    refused = preroll("backtest", path, *UNIT, "--forecasts", tmp_path / "f.csv")
    assert refused.code == 2
    assert "no day-ahead forecasts to write: web: " in refused.err
    assert "a backtest needs 2d" in refused.err


def test_forecasts_that_failed_leave_the_header_and_all_other_results(
    preroll, short_csv, tmp_path, monkeypatch
):
    def fail(*_):
        raise HistoryTooShort("no outlook could be made")

    monkeypatch.setattr("forecaster.backtest.proof_assembly.build_report", fail)
    files = [tmp_path / name for name in ("f.csv", "d.csv", "o.json")]
    said = preroll(
        *("backtest", short_csv, *UNIT, "--jobs", "1", "--policies", "none"),
        *("--forecasts", files[0], "--decisions", files[1], "--json", files[2]),
    )
    assert said.code == 0
    assert "is not scored day by day: no outlook could be made" in said.err
    assert files[0].read_text() == "cutoff,timestamp,quantile,value\n"
    assert json.loads(files[2].read_text())["outlook"] is None


def test_a_step_that_no_outlook_can_have_is_refused(preroll, tmp_path, hours):
    path = tmp_path / "web.csv"
    for every, words in ((8, "a step of 8h is too coarse"), (48, "a step of 2d is too coarse")):
        path.write_text(table(hours[::every]))
        said = preroll("backtest", path, *UNIT, "--jobs", "1")
        assert said.code == 2
        assert words in said.err
        assert "preroll export --step 5m" in said.err


def test_decisions_on_stdout_are_alone_there(preroll, traffic_csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = preroll("backtest", traffic_csv, *UNIT, *QUICK, "--decisions", "-")
    assert said.code == 0
    rows = list(csv.DictReader(said.out.splitlines()))
    assert list(rows[0]) == ["timestamp", "quantile", "lead_peak", "replicas"]
    assert len(rows) % 48 == 0
    assert list(tmp_path.iterdir()) == []


def test_the_rivals_hpa_aims_where_it_is_told_to(preroll, traffic_csv, tmp_path):
    asked = ("--policies", "hpa,schedule,outlook,preroll", "--utilisation", "0.5")
    said = preroll(
        *("backtest", traffic_csv, *UNIT, *QUICK, *asked, "--json", tmp_path / "out.json"),
    )
    assert "target utilisation 50 %" in said.out
    document = json.loads((tmp_path / "out.json").read_text())
    settings = {name: one["setting"] for name, one in document["policies"].items()}
    aims = {name: one["utilisation"] for name, one in settings.items()}
    assert aims == {"hpa": 0.5, "schedule": 0.5, "outlook": 0.5, "preroll": 1.0}
    assert document["settings"]["utilisation"] == 0.5
    assert document["policies"]["hpa"]["slack_ratio"] > 0.7, "twice what is needed, or near"


def test_a_file_of_three_values_is_exit_code_2(preroll, tmp_path, hours):
    path = tmp_path / "web.csv"
    path.write_text(table(hours[:3]))
    said = preroll("backtest", path, *UNIT)
    assert said.code == 2
    assert "3h of traffic; 4h are needed at the least" in said.err


def read_decisions(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_decisions_are_a_row_for_every_step_and_quantile(preroll, traffic_csv, tmp_path, hours):
    path = tmp_path / "decisions.csv"
    asked = ("--decisions", path, "--quantiles", "0.9,0.0005,0.9995", "--capacity", "25")
    said = preroll("backtest", traffic_csv, *UNIT, "--test", "2d", "--jobs", "1", *asked)
    assert said.code == 0
    assert path.read_text().splitlines()[0] == "timestamp,quantile,lead_peak,replicas"
    rows = read_decisions(path)
    assert sorted((row["timestamp"], row["quantile"]) for row in rows) == sorted(
        (stamp, quantile) for stamp, _ in hours[-48:] for quantile in ("0.0005", "0.9", "0.9995")
    )
    for row in rows:  # lead_peak counts requests an hour, capacity those a second
        needed = float(row["lead_peak"]) / 3600 / 25
        assert int(row["replicas"]) == max(1, int(np.ceil(needed - 1e-6)))
    assert "the outlook is not forecast at 0.0005, 0.9995" in said.err


def test_decisions_alone_run_no_rival(preroll, traffic_csv, tmp_path):
    asked = ("backtest", traffic_csv, *UNIT, "--test", "1d", "--jobs", "1")
    alone = preroll(*asked, "--decisions", tmp_path / "d.csv")
    assert "Coverage of the lead peak" in alone.out
    assert "What each autoscaler had run" not in alone.out
    assert "seasonal_naive" not in alone.out
    both = preroll(*asked, "--decisions", tmp_path / "d.csv", "--json", tmp_path / "o.json")
    assert "What each autoscaler had run" in both.out
    assert "seasonal_naive" in both.out


def test_decisions_of_several_series_have_a_last_column(preroll, tmp_path, hours):
    path, out = tmp_path / "fleet.csv", tmp_path / "d.csv"
    rows = [f"{name},{stamp},{value}\n" for name in ("api", "web") for stamp, value in hours[-72:]]
    path.write_text("series,timestamp,value\n" + "".join(rows))
    preroll("backtest", path, *UNIT, "--jobs", "1", "--quantiles", "0.9", "--decisions", out)
    assert out.read_text().splitlines()[0] == "timestamp,quantile,lead_peak,replicas,series"
    names = [row["series"] for row in read_decisions(out)]
    assert sorted(names) == ["api"] * 24 + ["web"] * 24


def test_decisions_before_a_change_are_the_same_to_the_byte(preroll, traffic_csv, tmp_path, hours):
    turn = len(hours) - 10
    other = tmp_path / "web.csv"
    other.write_text(table(hours[:turn] + [(stamp, value * 9) for stamp, value in hours[turn:]]))
    for name, path in (("ours", traffic_csv), ("theirs", other)):
        preroll(
            *("backtest", path, *UNIT, "--test", "2d", "--jobs", "1", "--quantiles", "0.5,0.98"),
            *("--capacity", "25", "--decisions", tmp_path / name),
        )
    changed = hours[turn][0]
    lines = [
        [line for line in (tmp_path / name).read_text().splitlines() if line[:20] <= changed]
        for name in ("ours", "theirs")
    ]
    assert len(lines[0]) == 2 * 39  # the decision at the change knows nothing of it
    assert lines[0] == lines[1]
    assert (tmp_path / "ours").read_bytes() != (tmp_path / "theirs").read_bytes()


def test_the_json_has_policies_frontier_and_what_was_used(preroll, traffic_csv, tmp_path):
    path = tmp_path / "out.json"
    preroll(
        *("backtest", traffic_csv, *UNIT, "--test", "2d", "--jobs", "1", "--json", path),
        *("--policies", "preroll,hpa,oracle", "--frontier", "--lead-time", "90m"),
        *("--quantile", "0.9", "--price", "0.5", "--tolerance", "0", "--startup", "30m,1h"),
    )
    document = json.loads(path.read_text())
    assert list(document["policies"]) == ["oracle", "hpa", "preroll"]
    assert document["policies"]["preroll"]["setting"]["quantile"] == 0.9
    for policy in document["policies"].values():
        assert policy["cost"] == pytest.approx(0.5 * policy["paid_replica_hours"])
    oracle = document["policies"]["oracle"]
    assert oracle["slack_ratio"] == oracle["unserved_ratio"] == 0
    assert [row["unserved_ratio"] for row in document["frontier"]] == [0.01, 0.005, 0.002, 0.001]
    for row in document["frontier"]:
        if row["hpa"] is not None:
            ratio = row["preroll"] / max(row["hpa"], 0.005)
            assert row["ratio_to_hpa"] == pytest.approx(ratio, rel=1e-6)
    settings = document["settings"]
    assert (settings["lead_time_seconds"], settings["lead_steps"]) == (5400, 2)
    assert settings["startup_seconds"] == [1800, 3600]
    assert settings["tolerance_ratio"] == 0
    assert set(document["lead_peak"]) >= {"coverage", "pinball", "live_ratio", "taught"}
    assert document["series"]["web"]["lead_peak"]["windows"] == 48 - 2


def test_the_frontier_is_a_table_and_what_is_not_reached_a_dash(preroll, traffic_csv):
    said = preroll(
        *("backtest", traffic_csv, *UNIT, "--test", "2d", "--jobs", "1", "--frontier"),
        *("--policies", "hpa,preroll", "--max-replicas", "60"),
    )
    assert "Idle replica-hours at equal unserved traffic" in said.out
    lines = said.out.splitlines()
    (row,) = (line for line in lines if line.startswith("0.1 %"))
    assert row.split()[2:] == ["–", "–", "–"]  # 60 replicas never serve what 100 are needed for


def test_a_near_name_is_offered_for_a_mistyped_policy(preroll, traffic_csv):
    said = preroll("backtest", traffic_csv, *UNIT, "--policies", "hpa,prerol")
    assert said.code == 2
    told = " ".join(line.strip("│ ") for line in said.err.splitlines())
    assert "'prerol' is not a policy" in told
    assert "did you mean 'preroll'?" in told


@pytest.mark.slow
def test_ctrl_c_ends_it_quietly_and_leaves_no_file_and_no_process(tmp_path, hours):
    path, out = tmp_path / "fleet.csv", tmp_path / "out.json"
    out.write_text("older")
    names = [f"s{number}" for number in range(40)]
    rows = [f"{name},{stamp},{value}\n" for name in names for stamp, value in hours]
    path.write_text("series,timestamp,value\n" + "".join(rows))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "forecaster.cli", "backtest", path, *UNIT),
            *("--json", out, "--decisions", tmp_path / "decisions.csv"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    time.sleep(6.0)
    assert process.poll() is None, process.stderr.read()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everybody in the foreground
    said, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == ""
    assert errors.endswith("stopped\n")
    assert re.search(r"^\d+ of 400 origins were done; no file was written$", errors, re.M)
    assert "Traceback" not in errors
    assert out.read_text() == "older"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["fleet.csv", "out.json"]
    deadline = time.monotonic() + 10
    while living(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert living(process.pid) == []
