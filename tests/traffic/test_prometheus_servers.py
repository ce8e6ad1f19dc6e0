"""The source against a real Prometheus and a real VictoriaMetrics that hold the bundled trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from forecaster.errors import SourceAnswerError, SourceRefused
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource

MINUTE = timedelta(minutes=1)
START = datetime(1998, 4, 30, 21, 30, tzinfo=UTC)
END = datetime(1998, 6, 21, 22, 0, tzinfo=UTC)
GAUGE = "sum by (namespace, deployment) (last_over_time(requests_per_minute[30s]))"
RATE = "sum by (namespace, deployment) (rate(http_requests_total[1m]))"


@pytest.fixture(
    params=[
        pytest.param("prometheus_server", marks=pytest.mark.prometheus, id="prometheus"),
        pytest.param(
            "victoriametrics_server", marks=pytest.mark.victoriametrics, id="victoriametrics"
        ),
    ]
)
def server(request):
    return request.getfixturevalue(request.param)


def fetch(url, promql, start=START, end=END, step=MINUTE, progress=None, **options):
    with PrometheusSource(PrometheusConnection(url, **options), FleetQuery(promql)) as source:
        return source.fetch(start, end, step, progress=progress)


def test_one_query_brings_the_whole_trace_of_every_workload_back_to_the_minute(server, fleet):
    fetched = fetch(server.url, GAUGE)

    counts = fleet.trace.to_numpy()
    assert len(counts) == 74_910
    assert fetched.warnings == ()
    assert fetched.history.ids == ("cup/api", "cup/web", "news/web")
    assert {one.start for one in fetched.history} == {START}
    assert np.array_equal(fetched.history["cup/web"].rate_rps, counts)
    assert np.array_equal(fetched.history["news/web"].rate_rps, counts // 3)


def test_a_young_then_failing_then_removed_workload_has_gaps_exactly_there(server, fleet):
    fetched = fetch(server.url, GAUGE)

    expected = np.where(fleet.api_minutes, fleet.trace.to_numpy(), np.nan)
    assert 0.4 < np.isnan(expected).mean() < 0.5
    assert np.array_equal(fetched.history["cup/api"].rate_rps, expected, equal_nan=True)


def test_the_rate_of_a_counter_is_stored_at_the_start_of_the_minute_it_covers(server, fleet):
    first, last = np.flatnonzero(fleet.counter_minutes)[[0, -1]]
    start = START + int(first) * MINUTE
    fetched = fetch(server.url, RATE, start, start + timedelta(days=3))

    rates = fetched.history["cup/web"].rate_rps
    expected = fleet.trace.to_numpy()[first : last + 1] / 60.0
    lost = fleet.counter_outage[first : last + 1]
    sure = (
        ~lost
    )  # servers may extrapolate over a part of the outage's edges; inside there is nothing
    sure[[np.flatnonzero(lost)[0] - 1, np.flatnonzero(lost)[-1] + 1]] = False
    assert np.isnan(rates[lost][1:-1]).all()
    np.testing.assert_allclose(rates[sure], expected[sure], rtol=1e-9)
    # The assertion is sharp: one step off in either direction is a different series.
    for shift in (-1, 1):
        wrong = np.abs(np.roll(expected, shift)[sure] - rates[sure]) > 1e-9 * rates[sure]
        assert wrong.mean() > 0.95


def test_a_server_that_refuses_long_ranges_is_asked_for_shorter_ones(server, fleet):
    fetched = fetch(server.url, GAUGE, max_points_per_query=80_000)

    assert np.array_equal(fetched.history["cup/web"].rate_rps, fleet.trace.to_numpy())
    assert np.isnan(fetched.history["cup/api"].rate_rps).sum() == (~fleet.api_minutes).sum()
    assert "refused the range" in fetched.warnings[0]
    assert "steps at a time" in fetched.warnings[0]


def test_the_point_limits_are_those_that_the_settings_speak_of(server):
    def status(points):
        first = int(START.timestamp()) + 60
        form = {"query": GAUGE, "start": first, "end": first + 60 * (points - 1), "step": 60}
        return httpx.post(f"{server.url}/api/v1/query_range", data=form).status_code

    assert status(server.points_limit) == 200
    # Prometheus counts steps between points, VictoriaMetrics the points.
    assert status(server.points_limit + 2) in {400, 422}
    assert PrometheusConnection(server.url).max_points_per_query <= server.points_limit


@pytest.mark.parametrize("points", [1, 7, 49, 50, 51, 333])
def test_chunks_of_any_size_neither_lose_nor_repeat_a_step(server, fleet, points):
    start = START + timedelta(days=30)
    at = 30 * 1440
    steps = 60 if points < 7 else 500
    fetched = fetch(server.url, GAUGE, start, start + steps * MINUTE, max_points_per_query=points)

    expected = fleet.trace.to_numpy()[at : at + steps]
    assert np.array_equal(fetched.history["cup/web"].rate_rps, expected)


@pytest.mark.parametrize("seconds", [1, 29, 59])
def test_ranges_between_the_minutes_shrink_to_whole_minutes(server, fleet, seconds):
    off = timedelta(seconds=seconds)
    start = START + timedelta(days=30) + off
    fetched = fetch(server.url, GAUGE, start, start + 100 * MINUTE)

    at = 30 * 1440 + 1
    series = fetched.history["cup/web"]
    assert series.start == start - off + MINUTE
    assert np.array_equal(series.rate_rps, fleet.trace.to_numpy()[at : at + 99])


def test_a_coarser_step_asks_for_the_sum_over_its_own_interval(server, fleet):
    promql = "sum by (namespace, deployment) (sum_over_time(requests_per_minute[299s]))"
    start = datetime(1998, 6, 10, tzinfo=UTC)
    fetched = fetch(server.url, promql, start, start + timedelta(days=1), timedelta(minutes=5))

    trace = fleet.trace[start : start + timedelta(days=1) - MINUTE]
    expected = trace.resample("5min").sum().to_numpy()
    assert np.array_equal(fetched.history["cup/web"].rate_rps, expected)


@pytest.mark.prometheus
def test_prometheus_fills_an_outage_of_a_bare_gauge_for_five_minutes(prometheus_server, fleet):
    bare = "sum by (namespace, deployment) (requests_per_minute)"
    fetched = fetch(prometheus_server.url, bare)

    outage = np.flatnonzero(~fleet.api_minutes[25_000:40_000]) + 25_000
    filled = fetched.history["cup/api"].rate_rps[outage]
    assert len(outage) == 180
    assert np.isfinite(filled).sum() == 5
    assert set(filled[:5]) == {fleet.trace.iloc[outage[0] - 1]}


@pytest.mark.parametrize(
    ("promql", "error", "words"),
    [
        pytest.param(
            "sum by (namespace (requests_per_minute)",
            SourceRefused,
            "the query was sum by (namespace (requests_per_minute)",
            id="syntax error",
        ),
        pytest.param(
            "requests_per_minute * on (namespace) requests_per_minute",
            SourceRefused,
            "could not execute the query (HTTP 422)",
            id="execution error",
        ),
        pytest.param(
            "sum by (namespace, deployment) (requests_per_minute) / 0",
            SourceAnswerError,
            "the query gives inf",
            id="division by zero",
        ),
        pytest.param(
            "sum by (namespace, deployment) (delta(requests_per_minute[5m]))",
            SourceAnswerError,
            "traffic cannot be negative",
            id="difference",
        ),
        pytest.param("42", SourceAnswerError, "it has no label at all", id="number"),
        pytest.param(
            "sum by (namespace) (requests_per_minute)",
            SourceAnswerError,
            'it has only the labels {namespace="cup"}',
            id="label summed away",
        ),
        pytest.param(
            "sum by (namespace, deployment, pod) (requests_per_minute)",
            SourceAnswerError,
            "two results of the query are the workload cup/web",
            id="label too many",
        ),
    ],
)
def test_a_query_that_cannot_be_used_is_explained(server, promql, error, words):
    with pytest.raises(error) as caught:
        fetch(server.url, promql, START, START + timedelta(hours=1))
    assert words in str(caught.value)


def test_a_wrong_path_is_answered_with_a_hint_at_the_prefix(server):
    with pytest.raises(SourceRefused, match="path prefix"):
        fetch(server.url + "/nowhere", GAUGE, START, START + timedelta(hours=1))


def test_a_query_that_matches_nothing_gives_no_history_and_says_so(server):
    fetched = fetch(server.url, "sum by (namespace, deployment) (no_such_metric)")

    assert fetched.history is None
    assert fetched.warnings == (
        "the query matched nothing: asked for 1998-04-30T21:30:00Z to 1998-06-21T22:00:00Z",
    )


def test_a_range_that_reaches_beyond_the_data_is_told_from_when_to_when_there_is_some(server):
    week = timedelta(days=7)
    fetched = fetch(server.url, GAUGE, START - week, END + week)

    assert [text.split(":")[0] for text in fetched.warnings] == [
        "no data before 1998-04-30T21",
        "no data after 1998-06-21T22",
    ]
    series = fetched.history["cup/web"]
    assert series.start == START - week
    assert series.observed_bounds() == (7 * 1440, 7 * 1440 + 74_910)


def test_a_query_longer_than_a_url_may_be_is_posted(server, fleet):
    many = " or ".join(f'requests_per_minute{{deployment="none-{i:03d}"}}' for i in range(230))
    promql = f"sum by (namespace, deployment) (last_over_time(requests_per_minute[30s]) or {many})"
    assert 10_000 < len(promql) < 16_000
    fetched = fetch(server.url, promql, START, START + timedelta(minutes=30))

    expected = fleet.trace.to_numpy()[:30]
    assert np.array_equal(fetched.history["cup/web"].rate_rps, expected)


@pytest.mark.victoriametrics
def test_samples_older_than_the_retention_are_gone_without_a_word_from_victoriametrics(
    forgetful_victoriametrics,
):
    """Its import answers 204 for samples that it drops: only our notice tells."""
    account = {"username": "tv", "password": "s3cr3t-kick-off"}
    fetched = fetch(forgetful_victoriametrics, GAUGE, **account)
    assert fetched.history is None
    assert "the query matched nothing" in fetched.warnings[0]

    with pytest.raises(SourceRefused, match="refused the credentials") as caught:
        fetch(forgetful_victoriametrics, GAUGE, username="tv", password="0ffside-trap")
    assert "0ffside-trap" not in str(caught.value)


@pytest.mark.prometheus
def test_a_closed_prometheus_opens_to_the_ca_and_a_client_certificate(
    closed_prometheus, certificates
):
    named = 'label_replace(vector(7), "namespace", "a", "", "")'
    constant = f'label_replace({named}, "deployment", "b", "", "")'
    start = datetime(2024, 3, 1, tzinfo=UTC)
    client = {"cert_file": certificates.client, "key_file": certificates.client_key}

    fetched = fetch(
        closed_prometheus, constant, start, start + 2 * MINUTE, ca_file=certificates.ca, **client
    )
    assert fetched.history["a/b"].rate_rps.tolist() == [7.0, 7.0]

    with pytest.raises(SourceRefused, match="Set ca_file"):
        fetch(closed_prometheus, constant, start, start + 2 * MINUTE, **client)
    with pytest.raises(SourceRefused, match="set cert_file and key_file to a pair"):
        fetch(closed_prometheus, constant, start, start + 2 * MINUTE, ca_file=certificates.ca)
