"""Where plan and backtest take their traffic from: a file, or a server."""

import csv
import json
from datetime import datetime

import pytest

from tests.cli.metrics_server import evaluating
from tests.traffic.stand_in import serving

QUICK = ("--test", "2d", "--jobs", "1", "--baselines", "seasonal_naive")
QUERY = "sum by (namespace, deployment) (rate(http_requests_total[1h]))"


@pytest.fixture
def options(hours):
    """A server that has the hours of the bundled trace, and the options to ask it for them."""
    seconds = {_epoch(stamp): value / 3600 for stamp, value in hours}
    labels = {"namespace": "tv", "deployment": "web"}
    with serving() as stand_in:
        stand_in.answer = evaluating((labels, lambda t: seconds.get(t - 3600)))
        yield (
            *("--prometheus", stand_in.url, "--query", QUERY, "--step", "1h", "--days", "20"),
            *("--until", "1998-06-21T22:30:00Z"),
        )


def _epoch(stamp):
    return int(datetime.fromisoformat(stamp).timestamp())


def _without_seconds(path):
    document = json.loads(path.read_text())
    del document["seconds"]
    return document


def test_a_backtest_of_a_server_is_that_of_the_exported_file(preroll, options, tmp_path):
    said = preroll("export", *options, "--out", tmp_path / "fleet.csv")
    assert said.code == 0, said.err
    of_server = preroll("backtest", *options, *QUICK, "--json", tmp_path / "server.json")
    of_file = preroll(
        *("backtest", tmp_path / "fleet.csv", "--unit", "rps", *QUICK),
        *("--json", tmp_path / "file.json"),
    )
    assert of_server.code == of_file.code == 0
    assert of_server.out == of_file.out
    assert list(_without_seconds(tmp_path / "server.json")["series"]) == ["tv/web"]
    assert _without_seconds(tmp_path / "server.json") == _without_seconds(tmp_path / "file.json")


def test_a_plan_from_a_server_is_that_from_the_exported_file(preroll, options, tmp_path):
    preroll("export", *options, "--out", tmp_path / "fleet.csv")
    ask = ("--capacity", "12", "--json", "-")
    of_server = preroll("plan", *options, *ask)
    of_file = preroll("plan", tmp_path / "fleet.csv", "--unit", "rps", *ask)
    assert of_server.code == 0, of_server.err
    assert of_server.out == of_file.out


def test_a_server_that_counts_requests_per_step_says_so_by_the_unit(preroll, options, tmp_path):
    ask = ("--capacity", "12", "--csv")
    assert preroll("plan", *options, *ask, tmp_path / "rates.csv").code == 0
    assert preroll("plan", *options, "--unit", "requests", *ask, tmp_path / "counts.csv").code == 0
    rates, counts = (
        [
            float(row["peak_rps"])
            for row in csv.DictReader((tmp_path / name).read_text().splitlines())
        ]
        for name in ("rates.csv", "counts.csv")
    )
    assert max(rates) / max(counts) == pytest.approx(3600, rel=0.1)


def test_a_series_that_the_server_lacks_is_answered_with_those_it_has(preroll, options):
    said = preroll("backtest", *options, *QUICK, "--series", "tv/db")
    assert said.code == 2
    assert "no series 'tv/db'; it has tv/web" in said.err


@pytest.mark.parametrize("command", [["backtest"], ["plan", "--capacity", "12"]], ids=str)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "where is the traffic? Name a file, for example traffic.csv, or write --prometheus"),
        (["web.csv", "--prometheus", "http://p"], "the file web.csv exclude each other"),
        (["web.csv", "--days", "3"], "--days and the file web.csv exclude each other"),
        (["--query", "x"], "goes with a server; write for example --prometheus"),
        (["--prometheus", "http://p"], "--prometheus needs a query; write for example"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exactly_one_of_file_and_server_is_given(preroll, command, arguments, words):
    said = preroll(*command, *arguments)
    assert said.code == 2
    assert words in " ".join(line.strip("│ ") for line in said.err.splitlines())
