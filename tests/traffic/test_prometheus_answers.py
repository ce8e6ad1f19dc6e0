"""Recorded and composed answers, served over HTTP: what comes of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecaster.errors import SourceAnswerError, SourceRefused, SourceUnavailable
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource

FOLDER = Path(__file__).parent / "data_prometheus"
ANSWERS = {
    name: answer
    for file in ("recorded.json", "composed.json")
    for name, answer in json.loads((FOLDER / file).read_text()).items()
}
START = datetime(1998, 4, 30, 21, 30, tzinfo=UTC)
QUERY = "sum by (namespace, deployment) (rate(requests[1m]))"

USABLE = {
    "prometheus-matrix": "",
    "victoriametrics-matrix": "",
    "victoriametrics-cluster-whole": "",
    "prometheus-nothing": "the query matched nothing",
    "victoriametrics-nothing": "the query matched nothing",
    "victoriametrics-string": "the query matched nothing",
    "thanos-no-store": "No StoreAPIs matched",
    "thanos-no-store-strict": "has nothing stored for the range",
    "prometheus-3-remarks": "encountered a mix of histograms and floats",
}
ERRORS = {
    "prometheus-parse-error": (SourceRefused, '(HTTP 400): 1:19: parse error: unexpected "("'),
    "victoriametrics-parse-error": (SourceRefused, 'unparsed data: "(requests)"'),
    "prometheus-execution-error": (SourceRefused, "many-to-many matching not allowed"),
    "victoriametrics-execution-error": (SourceRefused, "duplicate time series"),
    "prometheus-too-many-points": (SourceRefused, "exceeded maximum resolution of 11,000 points"),
    "victoriametrics-too-many-points": (SourceRefused, "-search.maxPointsPerTimeseries=30000"),
    "mimir-range-limit": (SourceRefused, "(query length: 1344h0m0s, limit: 768h0m0s)"),
    "prometheus-too-many-samples": (SourceRefused, "too many samples into memory"),
    "prometheus-string": (SourceRefused, 'invalid expression type "string"'),
    "prometheus-wrong-path": (SourceRefused, "does the url lack a path prefix"),
    "victoriametrics-wrong-path": (SourceRefused, "does the url lack a path prefix"),
    "mimir-no-tenant": (SourceRefused, "refused the credentials (HTTP 401): no org id"),
    "forbidden-page": (SourceRefused, "a web page titled '403 Forbidden'. Check bearer_token"),
    "bad-gateway-page": (SourceUnavailable, "HTTP 502: a web page titled '502 Bad Gateway'"),
    "victoriametrics-outside-retention": (SourceUnavailable, "outside the allowed retention"),
    "login-page": (SourceAnswerError, "a web page titled 'Sign In' instead of JSON"),
    "login-redirect": (
        SourceAnswerError,
        "redirects to https://login.example.com/realms/tv/auth: a login page",
    ),
    "cut-short": (SourceAnswerError, "JSON that is cut short or broken at byte"),
    "empty-body": (SourceAnswerError, "an empty body"),
    "no-content": (SourceAnswerError, "answered HTTP 204, no data"),
    "not-the-api": (SourceAnswerError, "HTTP 200 and no result: welcome"),
    "json-array": (SourceAnswerError, "HTTP 200 and no result: [1, 2, 3]"),
    "error-with-200": (SourceAnswerError, "upstream broke"),
    "vector": (SourceAnswerError, "answered a vector, and a range query gives a matrix"),
    "native-histograms": (SourceAnswerError, "histogram_count("),
    "not-a-number": (SourceAnswerError, "could not convert string to float: 'twelve'"),
    "points-not-pairs": (SourceAnswerError, "no JSON of the query API"),
    "no-labels-key": (SourceAnswerError, "a result without labels or values"),
    "prometheus-scalar": (SourceAnswerError, "it has no label at all"),
    "victoriametrics-scalar": (SourceAnswerError, "it has no label at all"),
    "prometheus-infinite": (SourceAnswerError, "does it divide by something that was zero"),
    "victoriametrics-infinite": (
        SourceAnswerError,
        "cup/api at 1998-04-30T21:31:00Z: the query giv",
    ),
    "negative": (SourceAnswerError, "cup/api at 1998-04-30T21:32:00Z: the query gives -0.5"),
    "two-versions": (
        SourceAnswerError,
        'cup/api: {deployment="api", namespace="cup", version="v1"} and '
        '{deployment="api", namespace="cup", version="v2"}. Sum the rest away',
    ),
    "other-labels": (SourceAnswerError, 'only the labels {app="api", namespace="cup"}'),
    "off-the-grid": (SourceAnswerError, "evaluated 0:00:07 after the multiples of 0:01:00"),
    "thanos-store-failed": (SourceAnswerError, "may be incomplete"),
    "thanos-no-store-but-data": (SourceAnswerError, "may be incomplete"),
    "prometheus-remote-read-failed": (SourceAnswerError, "http://cold:9201/read returned"),
    "victoriametrics-cluster-partial": (SourceAnswerError, "a storage node did not answer"),
    "google-unknown-name": (SourceRefused, 'Unknown name "nocache"'),
}


def fetch(stand_in, name, steps=4, **options):
    recorded = ANSWERS[name]
    stand_in.answers((recorded["status"], recorded["headers"], recorded["body"]))
    connection = PrometheusConnection(stand_in.url, **options)
    with PrometheusSource(connection, FleetQuery(QUERY), sleep=lambda _seconds: None) as source:
        return source.fetch(START, START + timedelta(minutes=steps), timedelta(minutes=1))


def test_every_answer_on_file_is_tried():
    assert set(ANSWERS) == set(USABLE) | set(ERRORS)


@pytest.mark.parametrize("name", USABLE)
def test_an_answer_that_can_be_used_is(stand_in, name):
    fetched = fetch(stand_in, name)

    if fetched.history is None:
        assert "nothing" in name or "no-store" in name or "string" in name
    else:
        assert fetched.history["cup/api"].rate_rps.tolist() == [2.0, 11.0, 16.0, 7.0]
        assert fetched.history["cup/api"].start == START
    if USABLE[name]:
        assert any(USABLE[name] in text for text in fetched.warnings)
    else:
        assert fetched.warnings == ()


@pytest.mark.parametrize("name", ERRORS)
def test_an_answer_that_cannot_be_used_is_a_typed_error_for_a_person(stand_in, name):
    error, words = ERRORS[name]
    # One step: a server that refuses even that range is not asked for less.
    steps = 1 if "too-many" in name or "range-limit" in name else 4
    with pytest.raises(error) as caught:
        fetch(stand_in, name, steps)

    message = str(caught.value)
    assert words in message
    assert type(caught.value) is error or steps == 1
    assert "s3cr3tstate" not in message
    tries = {SourceUnavailable: 4}.get(error, 2 if name == "google-unknown-name" else 1)
    assert len(stand_in.asked) == tries
    assert len(message) < 1200


@pytest.mark.parametrize(
    "name", [name for name in ERRORS if name.endswith(("-parse-error", "-execution-error"))]
)
def test_a_refused_query_is_shown_with_the_servers_reason(stand_in, name):
    with pytest.raises(SourceRefused) as caught:
        fetch(stand_in, name)
    assert str(caught.value).endswith(f"the query was {QUERY}")


@pytest.mark.parametrize(
    "name", ["thanos-store-failed", "thanos-no-store-but-data", "victoriametrics-cluster-partial"]
)
def test_incomplete_answers_are_taken_where_that_was_asked_for_and_noticed(stand_in, name):
    fetched = fetch(stand_in, name, allow_partial=True)

    assert fetched.history["cup/api"].rate_rps.tolist() == [2.0, 11.0, 16.0, 7.0]
    assert "may be incomplete" in fetched.warnings[0]
    assert "partial_response" not in stand_in.asked[0].form


def test_remarks_of_the_query_engine_come_through_once_each(stand_in):
    fetched = fetch(stand_in, "prometheus-3-remarks")

    assert [text.split(":")[0] for text in fetched.warnings] == [
        "the server warns",
        "the server remarks",
    ]
    assert "metric might not be a counter" in fetched.warnings[1]


def test_nan_and_absent_points_are_gaps(stand_in):
    values = [[893971860, "2"], [893971920, "NaN"], [893972040, "7.5"]]
    body = {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [{"metric": {"namespace": "a", "deployment": "b"}, "values": values}],
        },
    }
    stand_in.answers((200, {}, json.dumps(body)))
    with PrometheusSource(PrometheusConnection(stand_in.url), FleetQuery(QUERY)) as source:
        fetched = source.fetch(START, START + timedelta(minutes=5), timedelta(minutes=1))

    rates = [str(rate) for rate in fetched.history["a/b"].rate_rps]
    assert rates == ["2.0", "nan", "nan", "7.5", "nan"]
