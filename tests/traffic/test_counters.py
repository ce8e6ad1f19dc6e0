from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import TrafficFileError
from forecaster.traffic.counters import looks_like_counter, rate_query
from forecaster.traffic.files import read_traffic
from forecaster.traffic.sample import sample_history
from tests.traffic.file_rows import rows, table


@cache
def all_counts() -> np.ndarray:
    values = sample_history().series[0].rate_rps * 60
    return values[~np.isnan(values)]


def real_counts(count: int, first: int = 60_000) -> np.ndarray:
    return all_counts()[first : first + count].copy()


def with_restarts(counts: np.ndarray, every: int) -> np.ndarray:
    return np.concatenate(
        [np.cumsum(counts[at : at + every]) for at in range(0, len(counts), every)]
    )


def sum_of_pods(counts: np.ndarray, pods: int) -> np.ndarray:
    """Counters of several pods added up, of which one restarts now and then."""
    share = np.cumsum(counts / pods)
    one = with_restarts(counts / pods, 150)
    return share * (pods - 1) + one


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.cumsum(real_counts(1440)), id="a day of minutes"),
        pytest.param(5e9 + np.cumsum(real_counts(30)), id="half an hour from far above"),
        pytest.param(np.cumsum(real_counts(30)), id="half an hour from zero"),
        pytest.param(np.cumsum(real_counts(600, 100)), id="few requests, many minutes of none"),
        pytest.param(with_restarts(real_counts(600), 120), id="restarts"),
        pytest.param(sum_of_pods(real_counts(1440), 8), id="a sum of pods"),
        pytest.param(np.arange(100.0) * 37 + 1000, id="a straight line"),
    ],
)
def test_counters_are_recognised(values: np.ndarray):
    assert looks_like_counter(values)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.cumsum(real_counts(19)), id="19 values"),
        pytest.param(np.full(500, 20.0), id="constant"),
        pytest.param(np.zeros(500), id="zero"),
        pytest.param(np.repeat([5.0, 9.0, 30.0], 100), id="plateaus"),
        pytest.param(np.linspace(10, 40, 40), id="a ramp of 40 minutes"),
        pytest.param(np.concatenate([np.full(99, 8.0), np.linspace(8, 90, 30)]), id="launch"),
        pytest.param(np.sort(real_counts(300))[::-1], id="falling"),
        pytest.param(10 + np.sin(np.arange(400) / 40), id="a smooth wave"),
    ],
)
def test_traffic_is_not_taken_for_a_counter(values: np.ndarray):
    assert not looks_like_counter(values)


def test_no_stretch_of_the_real_trace_is_taken_for_a_counter():
    values = real_counts(74_910, 0)
    for length in (20, 60, 240, 1440, 74_910):
        for first in range(0, len(values) - length + 1, max(length // 2, 200)):
            assert not looks_like_counter(values[first : first + length])


def test_a_name_decides_where_the_values_alone_do_not():
    ramp = np.linspace(10, 40, 40)
    assert looks_like_counter(ramp, "http_requests_total")
    assert not looks_like_counter(ramp, "http_requests:rate5m")


def test_the_query_names_the_metric_and_covers_at_least_a_step():
    assert rate_query(None, timedelta(minutes=1)) == "sum(rate(http_requests_total[5m]))"
    assert rate_query("hits_total", timedelta(minutes=1)) == "rate(hits_total[5m])"
    assert rate_query("hits_total", timedelta(hours=1)) == "rate(hits_total[1h])"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param(
            "timestamp,value",
            "'value' only ever grows: it is a counter exported raw, not traffic. "
            "Export its rate instead: sum(rate(http_requests_total[5m]))",
            id="a column without a name",
        ),
        pytest.param(
            "timestamp,nginx_http_requests_total",
            "'nginx_http_requests_total' only ever grows: it is a counter exported raw, not "
            "traffic. Export its rate instead: rate(nginx_http_requests_total[5m])",
            id="a column called like a counter",
        ),
    ],
)
def test_a_file_of_a_counter_is_refused_with_the_query_to_export(
    tmp_path: Path, header: str, message: str
):
    path = tmp_path / "traffic.csv"
    total = np.cumsum(real_counts(200))
    path.write_text(table(*rows(200, value=lambda index: int(total[index])), header=header))
    with pytest.raises(TrafficFileError) as caught:
        read_traffic(path)
    assert message in str(caught.value)
    assert caught.value.line == 2


def test_a_ramp_that_starts_anew_by_the_clock_is_traffic() -> None:
    assert not looks_like_counter(np.tile(np.arange(1.0, 97.0), 14))
