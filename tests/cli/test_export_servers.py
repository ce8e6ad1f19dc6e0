"""``preroll export`` from a real Prometheus and a real VictoriaMetrics that hold the trace."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files

import numpy as np
import pandas as pd
import pytest

from forecaster.traffic.files import read_traffic
from tests.traffic.real_servers import (
    binary,
    fleet_of,
    import_samples,
    running_prometheus,
    running_victoriametrics,
    write_openmetrics,
)

START = datetime(1998, 4, 30, 21, 30, tzinfo=UTC)
SPAN = ("--until", "1998-06-21T22:00:00Z", "--days", "53")
FLEET = "sum by (namespace, deployment) (last_over_time(requests_per_minute[30s])) / 60"


@pytest.fixture(scope="module")
def fleet():
    bundled = files("forecaster.traffic") / "data" / "worldcup98-groupstage-1min.csv.gz"
    with as_file(bundled) as path:
        frame = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    return fleet_of(frame["value"])


@contextmanager
def prometheus(folder, samples):
    write_openmetrics(folder / "samples.om", samples)
    blocks = [binary("promtool"), "tsdb", "create-blocks-from", "--max-block-duration=1458h"]
    command = [*blocks, "openmetrics", "samples.om", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with running_prometheus(folder) as url:
        yield url


@contextmanager
def victoriametrics(folder, samples):
    with running_victoriametrics(folder, "-retentionPeriod=100y") as url:
        import_samples(url, samples)
        yield url


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(prometheus, marks=pytest.mark.prometheus, id="prometheus"),
        pytest.param(victoriametrics, marks=pytest.mark.victoriametrics, id="victoriametrics"),
    ],
)
def url(request, fleet, tmp_path_factory):
    gauges = [one for one in fleet.samples if one.metric == "requests_per_minute"]
    with request.param(tmp_path_factory.mktemp("server"), gauges) as address:
        yield address


@pytest.mark.parametrize("name", ["fleet.csv", "fleet.csv.gz", "fleet.parquet"])
def test_the_trace_comes_out_as_it_was_put_in_value_by_value(preroll, url, fleet, tmp_path, name):
    said = preroll(
        *("export", "--prometheus", url, "--query", FLEET, *SPAN, "--out", tmp_path / name)
    )
    assert said.code == 0, said.err
    file = read_traffic(tmp_path / name)
    assert file.notices == ()
    assert file.history.ids == ("cup/api", "cup/web", "news/web")
    counts = fleet.trace.to_numpy()
    web = file.history["cup/web"]
    assert (web.start, web.step, len(web)) == (START, timedelta(minutes=1), 74_910)
    assert np.array_equal(web.rate_rps, counts / 60)
    assert np.array_equal(file.history["news/web"].rate_rps, counts // 3 / 60)
    api, first = file.history["cup/api"], int(np.flatnonzero(fleet.api_minutes)[0])
    assert api.start == START + first * timedelta(minutes=1)
    there = np.where(fleet.api_minutes, counts / 60, np.nan)[first : first + len(api)]
    assert np.array_equal(api.rate_rps, there, equal_nan=True)
    assert np.isnan(api.rate_rps).sum() == 180


def test_the_sum_of_all_is_a_series_called_like_its_file(preroll, url, fleet, tmp_path):
    total = "sum(last_over_time(requests_per_minute[30s])) / 60"
    said = preroll(
        *("export", "--prometheus", url, "--query", total, *SPAN, "--out", tmp_path / "all.csv")
    )
    assert said.code == 0, said.err
    assert (tmp_path / "all.csv").read_text().startswith("timestamp,value\n1998-04-30T21:30:00Z,")
    counts = fleet.trace.to_numpy()
    expected = counts + counts // 3 + np.where(fleet.api_minutes, counts, 0)
    assert np.array_equal(read_traffic(tmp_path / "all.csv").history["all"].rate_rps, expected / 60)


def test_a_backtest_of_the_exported_file_is_that_of_the_server(preroll, url, tmp_path):
    cup = FLEET.replace("[", '{namespace="cup"}[')
    span = ("--until", "1998-06-21T22:00:00Z", "--days", "10", "--step", "15m")
    part = ("--prometheus", url, "--query", cup, *span)
    assert preroll("export", *part, "--out", tmp_path / "cup.csv").code == 0
    quick = ("--test", "1d", "--jobs", "1", "--baselines", "seasonal_naive")
    assert preroll("backtest", *part, *quick, "--json", tmp_path / "server.json").code == 0
    said = preroll("backtest", tmp_path / "cup.csv", *quick, "--json", tmp_path / "file.json")
    assert said.code == 0, said.err
    of_server, of_file = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("server", "file")
    )
    assert of_server.pop("seconds") > 0
    assert of_file.pop("seconds") > 0
    assert of_server == of_file
    assert list(of_file["series"]) == ["cup/api", "cup/web"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sum by (namespace (requests_per_minute)", "the query was sum by (namespace"),
        ("no_such_metric", "the query matched nothing: asked for 1998-"),
        ("requests_per_minute", "two results of the query are the workload cup/web"),
    ],
    ids=["syntax", "nothing", "two of a name"],
)
def test_a_query_that_cannot_be_used_is_a_sentence_and_no_file(
    preroll, url, tmp_path, query, words
):
    said = preroll(
        *("export", "--prometheus", url, "--query", query, *SPAN, "--out", tmp_path / "out.csv")
    )
    assert said.code == 2
    assert words in said.err
    assert list(tmp_path.iterdir()) == []
