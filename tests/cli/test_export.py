import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.cli.terminal import err
from forecaster.traffic.files import ReadOptions, read_traffic
from tests.cli.metrics_server import evaluating, refusing
from tests.traffic.certificates import make_certificates
from tests.traffic.stand_in import serving

END = datetime(2026, 5, 30, 18, 0, tzinfo=UTC)
UNTIL = ("--until", "2026-05-30T18:00:00Z")
QUERY = ("--query", "sum by (namespace, deployment) (rate(http_requests_total[1m]))")
WEB = {"namespace": "tv", "deployment": "web"}
API = {"namespace": "tv", "deployment": "api"}


def rate(second):
    """Traffic with digits to lose, and an hour's gap."""
    hour = second // 3600
    return None if hour % 20 == 7 else 100 + 100 / 3 * np.sin(second / 13_751) + second % 7


@pytest.fixture
def server():
    with serving() as stand_in:
        stand_in.answer = evaluating((WEB, lambda t: float(rate(t)) if rate(t) else None))
        yield stand_in


@pytest.fixture
def ask(preroll, server, monkeypatch, tmp_path):
    """``preroll export`` from the stand-in, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREROLL_CONFIG", raising=False)
    return lambda *more: preroll("export", "--prometheus", server.url, *QUERY, *more)


def expected(days, step=60, end=END):
    stop = int(end.timestamp())
    values = [rate(t + step) for t in range(stop - days * 86_400, stop, step)]
    return np.array([np.nan if one is None else one for one in values], dtype=float)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_what_is_exported_is_read_back_to_the_last_digit_gaps_included(ask, tmp_path, name):
    said = ask("--days", 3, *UNTIL, "--out", name)
    assert said.code == 0, said.err
    assert said.out == ""
    file = read_traffic(tmp_path / name)
    assert file.notices == ()
    assert file.history.ids == ("tv/web",)
    series = file.history["tv/web"]
    assert series.start == END - timedelta(days=3)
    assert series.step == timedelta(minutes=1)
    assert np.array_equal(series.rate_rps, expected(3), equal_nan=True)
    assert 0 < np.isnan(series.rate_rps).sum() < 300


def test_a_gap_is_an_absent_row_and_a_stamp_is_the_start_of_its_step(ask):
    said = ask("--days", 1, *UNTIL)
    header, *rows = said.out.splitlines()
    assert header == "series,timestamp,value"
    seconds = [
        (int(datetime.fromisoformat(row.split(",")[1]).timestamp()), float(row.split(",")[2]))
        for row in rows
    ]
    assert len(rows) == np.isfinite(expected(1)).sum() < 1440
    assert all(value == float(rate(start + 60)) for start, value in seconds)


def test_several_series_stand_in_one_file_each_with_its_own_span(ask, server, tmp_path):
    late = int((END - timedelta(hours=5)).timestamp())
    server.answer = evaluating(
        (WEB, lambda t: 1.0 + t % 11), (API, lambda t: 2.0 + t % 13 if t > late else None)
    )
    said = ask("--days", 1, *UNTIL, "--out", "fleet.csv")
    history = read_traffic(tmp_path / "fleet.csv").history
    assert history.ids == ("tv/api", "tv/web")
    assert history["tv/api"].start == END - timedelta(hours=5)
    assert [len(one) for one in history] == [300, 1440]
    assert "2 series, 2026-05-29 18:00 to 2026-05-30 18:00 UTC, 1,740 values" in said.err
    assert said.err.endswith("wrote fleet.csv\n")


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"namespace": "tv", "deployment": "web"}, "tv/web"),
        ({"deployment": "web"}, "web"),
        ({"namespace": "tv", "statefulset": "db"}, "tv/db"),
        ({"__name__": "requests_per_second"}, "requests_per_second"),
        ({"app": "web", "zone": "eu"}, '{app="web",zone="eu"}'),
        ({}, "traffic"),
    ],
    ids=str,
)
def test_a_series_is_called_by_its_labels_and_keeps_its_name(ask, server, tmp_path, labels, name):
    server.answer = evaluating((labels, lambda t: 1.0 + t % 11))
    said = ask("--days", 1, *UNTIL)
    (tmp_path / "again.csv").write_text(said.out)
    assert read_traffic(tmp_path / "again.csv").history.ids == (name,)


def test_a_series_without_labels_is_called_like_its_file_which_needs_no_names(
    ask, server, tmp_path
):
    server.answer = evaluating(({}, lambda t: 1.0 + t % 11))
    ask("--days", 1, *UNTIL, "--out", "login.csv.gz")
    assert read_traffic(tmp_path / "login.csv.gz").history.ids == ("login",)


def test_other_labels_may_name_the_workload(ask, server):
    server.answer = evaluating(({"team": "tv", "app": "web"}, lambda t: 1.0 + t % 11))
    said = ask("--days", 1, *UNTIL, "--namespace-label", "team", "--workload-label", "app")
    assert said.out.splitlines()[1].startswith("tv/web,")


def test_a_coarser_step_is_asked_of_the_server(ask, server, tmp_path):
    ask("--days", 2, *UNTIL, "--step", "5m", "--out", "out.csv")
    series = read_traffic(tmp_path / "out.csv").history["tv/web"]
    assert series.step == timedelta(minutes=5)
    assert {asked.form["step"] for asked in server.asked} == {"300"}
    assert np.array_equal(series.rate_rps, expected(2, 300), equal_nan=True)


def test_without_an_end_it_is_now_as_far_as_scrapes_have_come(ask, server):
    ask("--days", 1)
    last = max(int(asked.form["end"]) for asked in server.asked)
    assert 0 < time.time() - last < 120


def test_a_ca_of_ones_own_is_trusted_where_it_is_named(preroll, tmp_path):
    certificates = make_certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    with serving(tls) as server:
        server.answer = evaluating((WEB, lambda t: 1.0 + t % 11))
        asked = ("export", "--prometheus", server.url, *QUERY, *UNTIL, "--days", 1)
        assert "Set ca_file to the PEM file" in preroll(*asked).err
        said = preroll(*asked, "--ca-file", certificates.ca)
    assert said.code == 0, said.err
    assert said.out.count("\n") == 1441


def test_the_token_of_a_file_is_sent_and_never_shown(ask, server, tmp_path):
    (tmp_path / "token").write_text("s3cr3t-kick-off\n")
    said = ask("--days", 1, *UNTIL, "--bearer-token-file", "token")
    assert said.code == 0
    assert server.asked[0].headers["authorization"] == "Bearer s3cr3t-kick-off"
    server.answer = refusing(401, "who is s3cr3t-kick-off?")
    said = ask("--days", 1, *UNTIL, "--bearer-token-file", "token")
    assert said.code == 2
    assert "refused the credentials" in said.err
    assert "s3cr3t" not in said.err + said.out


def test_rows_too_few_to_show_their_step_are_told_with_the_option_that_helps(
    ask, server, preroll, tmp_path
):
    server.answer = evaluating((WEB, lambda t: 1.0 + t // 3600 % 5 if t % 3600 == 0 else None))
    said = ask("--days", 2, *UNTIL, "--out", "out.csv")
    assert "most of its steps are gaps; to read it, add --step 1m" in said.err
    options = ReadOptions(step=timedelta(minutes=1))
    assert len(read_traffic(tmp_path / "out.csv", options).history["tv/web"]) == 47 * 60 + 1


def test_series_of_hardly_any_value_are_left_out_with_a_notice(ask, server):
    first = int(END.timestamp())
    server.answer = evaluating(
        (WEB, lambda t: 1.0 + t % 11), (API, lambda t: 1.0 if t == first else None)
    )
    said = ask("--days", 1, *UNTIL)
    assert "left out, for they have fewer than 3 values: tv/api" in said.err
    assert "tv/api" not in said.out


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (evaluating(), "the query matched nothing: asked for 2026-05-29T18:00:00Z"),
        (refusing(400, "parse error: unclosed left parenthesis"), "unclosed left parenthesis"),
        (
            evaluating((WEB | {"pod": "a"}, float), (WEB | {"pod": "b"}, float)),
            "Sum the rest away: sum by (namespace, deployment)",
        ),
        (evaluating((WEB, lambda t: t / 3)), "it is a counter, not traffic. Ask for its rate"),
        (evaluating((WEB, lambda t: -1.0)), "traffic cannot be negative"),
        (evaluating((WEB, lambda t: 1.0 if t % 43_200 == 0 else None)), "at most 2 of the steps"),
        (lambda _: (200, {}, "<html><title>Log in</title>"), "a web page titled 'Log in'"),
    ],
    ids=["no series", "syntax", "two of a name", "counter", "negative", "two values", "log-in"],
)
def test_an_answer_that_cannot_be_used_is_one_sentence_and_no_file(
    ask, server, tmp_path, answer, words
):
    server.answer = answer
    said = ask("--days", 1, *UNTIL, "--out", "out.csv")
    assert said.code == 2
    assert words in said.err
    assert said.err.splitlines()[-1].startswith("error: ")
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "where is the traffic? Write for example --prometheus http://prometheus:9090"),
        (("--query", "x"), "goes with a server"),
        (("--prometheus", "http://p:9090"), "--prometheus needs a query"),
        (("--prometheus", "p:9090", *QUERY), "url 'p:9090' needs http:// or https://"),
        (("--prometheus", "http://p:9090", "--query", " "), "promql is empty"),
        (("--prometheus", "http://p", *QUERY, "--days", "0"), "'0' is not a number of days"),
        (("--prometheus", "http://p", *QUERY, "--days", "nan"), "'nan' is not a number of days"),
        (("--prometheus", "http://p", *QUERY, "--days", "9e9"), "is not a number of days"),
        (("--prometheus", "http://p", *QUERY, "--step", "1ms"), "at most 20,000,000 are read"),
        (("--prometheus", "http://p", *QUERY, "--step", "0.1ms"), "at most 20,000,000"),
        (("--prometheus", "http://p", *QUERY, "--step", "90.0005s"), "whole number of millis"),
        (("--prometheus", "http://p", *QUERY, "--days", "800000", "--step", "1h"), "no calendar"),
        (("--prometheus", "http://p", *QUERY, "--until", "now"), "'now' is not an instant"),
        (("--prometheus", "http://p", *QUERY, "--out", "out.json"), "ends in none of .csv"),
        (("--prometheus", "http://p", *QUERY, "--out", "no/out.csv"), "does not exist"),
        (("--prometheus", "http://p", *QUERY, "--config", "c.yaml"), "exclude each other"),
        (("--prometheus", "http://p", *QUERY, "--bearer-token-file", "no"), "no cannot be read"),
        (("--prometheus", "http://p", *QUERY, "--workload-label", "a-b"), "'a-b' is not a label"),
        (("--config", "c.yaml", *QUERY), "c.yaml says this by itself"),
        (("--config", "c.yaml"), "c.yaml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_bad_option_is_exit_code_2_with_its_value_and_an_example(
    preroll, monkeypatch, tmp_path, options, words
):
    monkeypatch.chdir(tmp_path)
    said = preroll("export", *options)
    assert said.code == 2
    assert words in " ".join(line.strip("│ ") for line in said.err.splitlines())
    assert "Traceback" not in said.err


def settings(**source):
    return json.dumps(
        {
            "source": source,
            "step": "5m",
            "history": "2d",
            "workloads": [{"namespace": "tv", "name": "web", "capacity": 10}],
        }
    )


def test_the_settings_source_is_exported_at_their_step_for_their_workloads(
    ask, preroll, server, tmp_path
):
    server.answer = evaluating((WEB, lambda t: 1.0 + t % 700), (API, lambda t: 1.0))
    (tmp_path / "preroll.yaml").write_text(
        settings(prometheus={"url": server.url, "query": QUERY[1]})
    )
    said = preroll("export", "--config", "preroll.yaml", *UNTIL, "--out", "out.csv")
    assert said.code == 0, said.err
    assert "1 series of other workloads was left out" in said.err
    series = read_traffic(tmp_path / "out.csv").history["tv/web"]
    assert (series.step, len(series)) == (timedelta(minutes=5), 2 * 288)
    assert server.asked[0].form["query"] == QUERY[1]
    # The name that all commands look for needs no option.
    assert preroll("export", *UNTIL, "--days", "1").out.count("\n") == 1 + 288


def test_a_configured_file_is_exported_up_to_its_newest_value(
    preroll, monkeypatch, tmp_path, hours
):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"web,{stamp},{value}\n" for stamp, value in hours)
    (tmp_path / "traffic.csv").write_text("series,timestamp,value\n" + rows)
    (tmp_path / "mine.yaml").write_text(settings(file={"path": "traffic.csv", "unit": "requests"}))
    monkeypatch.setenv("PREROLL_CONFIG", "mine.yaml")
    said = preroll("export", "--out", "out.csv")
    assert said.code == 0, said.err
    history = read_traffic(tmp_path / "out.csv").history
    assert history.ids == ("tv/web",)
    values = np.array([value for _, value in hours[-48:]])
    np.testing.assert_allclose(history["tv/web"].rate_rps * 3600, values, rtol=1e-12)
    assert preroll("export", "--days", "1").out.count("\n") == 1 + 24
    early = preroll("export", "--until", "1990-01-01T00:00:00Z")
    assert early.code == 2
    assert "has no traffic from 1989-12-30" in early.err


def test_ctrl_c_while_the_server_is_slow_leaves_what_was_there(tmp_path, server):
    out = tmp_path / "out.csv"
    out.write_text("older")
    reached, answer = threading.Event(), server.answer

    def slow(asked):
        if len(server.asked) > 1:
            reached.set()
            time.sleep(5.0)
        return answer(asked)

    server.answer = slow
    asked = ("export", "--prometheus", server.url, *QUERY, *UNTIL, "--out", str(out))
    process = subprocess.Popen(
        [sys.executable, "-m", "forecaster.cli", *asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert reached.wait(60)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, said, errors) == (130, "", "stopped\n")
    assert out.read_text() == "older"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


def test_ctrl_c_while_it_writes_leaves_what_was_there(ask, tmp_path, monkeypatch):
    (tmp_path / "out.csv").write_text("older")

    def stopped(file, *_):
        file.write(b"series,timest")
        raise KeyboardInterrupt

    monkeypatch.setattr("forecaster.traffic.writers.write_traffic", stopped)
    said = ask("--days", 1, *UNTIL, "--out", "out.csv")
    assert said.code == 130
    assert said.err.endswith("stopped\n")
    assert (tmp_path / "out.csv").read_text() == "older"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


def test_on_a_terminal_it_shows_how_much_is_read_and_the_time_left(ask, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert err().is_terminal
    said = ask("--days", 28, *UNTIL, "--out", "out.csv")
    assert said.code == 0
    assert "reading" in said.err
    assert "left" in said.err


def test_a_reader_that_goes_away_is_no_error(server):
    asked = ("export", "--prometheus", server.url, *QUERY, *UNTIL)
    process = subprocess.Popen(
        [sys.executable, "-m", "forecaster.cli", *asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "series,timestamp,value\n"
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert "Exception" not in errors
    assert "Error" not in errors


def test_help_has_an_example(preroll):
    said = preroll("export", "--help")
    assert said.code == 0
    assert "Example: preroll export --prometheus http://prometheus:9090" in said.out
