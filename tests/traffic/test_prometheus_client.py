"""One query over real HTTP: methods, credentials, retries, limits, and no secret shown."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from forecaster.errors import SourceAnswerError, SourceError, SourceRefused, SourceUnavailable
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource
from forecaster.traffic.prometheus.client import RangeQueryClient
from forecaster.traffic.prometheus.refusal import Reply, refusal
from tests.traffic.stand_in import serving

START = datetime(1998, 4, 30, 21, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUERY = "sum by (namespace, deployment) (rate(requests[1m]))"
OK = (
    200,
    {"content-type": "application/json"},
    json.dumps(
        {
            "status": "success",
            "data": {
                "resultType": "matrix",
                "result": [
                    {
                        "metric": {"namespace": "cup", "deployment": "api"},
                        "values": [[893971860, "2"], [893971920, "11"]],
                    }
                ],
            },
        }
    ),
)
BUSY = (503, {}, "overloaded")


def fetch(url, waits=None, transport=None, **options):
    slept = [] if waits is None else waits
    with PrometheusSource(
        PrometheusConnection(url, **options),
        FleetQuery(QUERY),
        transport=transport,
        sleep=slept.append,
        jitter=lambda: 0.0,
    ) as source:
        return source.fetch(START, START + 2 * MINUTE, MINUTE)


def test_a_query_is_a_posted_form_evaluated_at_the_ends_of_the_steps(stand_in):
    stand_in.answers(OK)
    fetched = fetch(stand_in.url + "/select/0/prometheus")

    (asked,) = stand_in.asked
    assert (asked.method, asked.path) == ("POST", "/select/0/prometheus/api/v1/query_range")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form == {
        "query": QUERY,
        "start": "893971860",
        "end": "893971920",
        "step": "60",
        "nocache": "1",
        "partial_response": "false",
        "deny_partial_response": "1",
    }
    assert fetched.history["cup/api"].rate_rps.tolist() == [2.0, 11.0]


def test_steps_below_a_second_are_asked_for_in_fractions(stand_in):
    with PrometheusSource(PrometheusConnection(stand_in.url), FleetQuery(QUERY)) as source:
        source.fetch(START, START + timedelta(seconds=1), timedelta(milliseconds=250))

    form = stand_in.asked[0].form
    assert (form["start"], form["end"], form["step"]) == ("893971800.25", "893971801", "0.25")


def test_a_server_that_takes_no_post_is_asked_by_get_from_then_on(stand_in):
    stand_in.answers((405, {}, "Method Not Allowed"), OK)
    with PrometheusSource(
        PrometheusConnection(stand_in.url + "?tenant=tv"), FleetQuery(QUERY)
    ) as source:
        for _ in range(2):
            fetched = source.fetch(START, START + 2 * MINUTE, MINUTE)

    assert [asked.method for asked in stand_in.asked] == ["POST", "GET", "GET"]
    assert stand_in.asked[2].form["query"] == QUERY
    assert stand_in.asked[2].form["tenant"] == "tv"
    assert fetched.history["cup/api"].rate_rps.tolist() == [2.0, 11.0]


def test_a_server_that_refuses_parameters_it_does_not_know_is_asked_without_them(stand_in):
    refused = {"error": {"code": 400, "message": 'Unknown name "nocache": Cannot bind'}}
    stand_in.answers((400, {}, json.dumps(refused)), OK)
    fetched = fetch(stand_in.url)

    assert fetched.history is not None
    assert set(stand_in.asked[1].form) == {"query", "start", "end", "step"}


@pytest.mark.parametrize(
    ("options", "header", "value"),
    [
        pytest.param(
            {"bearer_token": "t0ken\n"}, "authorization", "Bearer t0ken", id="token from a file"
        ),
        pytest.param(
            {"username": "tv", "password": "pw"}, "authorization", "Basic dHY6cHc=", id="basic"
        ),
        pytest.param({"headers": (("X-Scope-OrgID", "tv"),)}, "x-scope-orgid", "tv", id="tenant"),
    ],
)
def test_credentials_and_tenants_are_sent(stand_in, options, header, value):
    fetch(stand_in.url, **options)
    assert stand_in.asked[0].headers[header] == value


def test_credentials_in_the_url_are_sent_as_basic_auth(stand_in):
    fetch(stand_in.url.replace("//", "//tv:pw@"))
    assert stand_in.asked[0].headers["authorization"] == "Basic dHY6cHc="


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param((429, {}, "slow down"), id="429"),
        pytest.param((500, {}, "oops"), id="500"),
        pytest.param((502, {}, "<html><title>502</title></html>"), id="502"),
        pytest.param(BUSY, id="503"),
        pytest.param((504, {}, ""), id="504"),
        pytest.param(None, id="hangs up"),
        pytest.param((200, {"content-length": "999"}, OK[2]), id="connection lost half-way"),
    ],
)
def test_passing_failures_are_retried_with_growing_waits(stand_in, failure):
    stand_in.answers(failure, failure, OK)
    waits = []
    fetched = fetch(stand_in.url, waits)

    assert fetched.history["cup/api"].rate_rps.tolist() == [2.0, 11.0]
    assert waits == [0.5, 1.0]


def test_after_the_last_attempt_the_source_is_unavailable_and_says_why(stand_in):
    stand_in.answers(BUSY)
    waits = []
    with pytest.raises(SourceUnavailable) as caught:
        fetch(stand_in.url, waits, max_attempts=3)

    assert str(caught.value) == f"{stand_in.url} answered HTTP 503: overloaded (after 3 attempts)"
    assert len(stand_in.asked) == 3
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 302])
def test_what_no_retry_can_mend_is_not_retried(stand_in, status):
    stand_in.answers((status, {"location": "/login"}, "no"))
    with pytest.raises((SourceRefused, SourceAnswerError)):
        fetch(stand_in.url)
    assert len(stand_in.asked) == 1


def test_the_server_says_when_to_come_back(stand_in):
    late = {"retry-after": "Wed, 10 Jun 1998 12:00:42 GMT", "date": "Wed, 10 Jun 1998 12:00:00 GMT"}
    transport = httpx.MockTransport(lambda _request: replies.pop(0))
    replies = [
        httpx.Response(429, headers={"retry-after": "7"}),
        httpx.Response(503, headers=late),
        httpx.Response(200, text=OK[2]),
    ]
    waits = []
    fetch("http://prometheus:9090", waits, transport)
    assert waits == [7.0, 42.0]


def test_nobody_waits_longer_than_five_minutes_for_one_answer(stand_in):
    stand_in.answers((503, {"retry-after": "3600"}, "maintenance"))
    waits = []
    with pytest.raises(SourceUnavailable, match="it asks to come back in 3600 s"):
        fetch(stand_in.url, waits)
    assert waits == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("http://127.0.0.1:1", "Connection refused", id="refused"),
        pytest.param("http://no-such-host.invalid:9090", "no-such-host.invalid", id="dns"),
    ],
)
def test_a_server_that_cannot_be_reached_is_unavailable(url, words):
    with pytest.raises(SourceUnavailable, match="cannot reach") as caught:
        fetch(url)
    assert words in str(caught.value)
    assert "after 4 attempts" in str(caught.value)
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_a_server_that_does_not_answer_in_time_is_unavailable(stand_in):
    def slow(_asked):
        time.sleep(0.4)

    stand_in.answer = slow
    with pytest.raises(SourceUnavailable, match=r"did not answer within 0\.1 s"):
        fetch(stand_in.url, timeout_seconds=0.1, max_attempts=2)
    assert len(stand_in.asked) == 2


def test_an_answer_that_trickles_in_is_as_good_as_none(stand_in):
    def drops():
        for _ in range(40):
            yield b" "
            time.sleep(0.02)

    stand_in.answer = lambda _asked: (200, {}, drops())
    with pytest.raises(SourceUnavailable, match=r"did not answer within 0\.2 s"):
        fetch(stand_in.url, timeout_seconds=0.2, max_attempts=1)


def test_an_answer_without_end_is_cut_off(stand_in):
    block = b" " * 2**20
    stand_in.answer = lambda _asked: (200, {}, (block for _ in range(400)))
    with pytest.raises(SourceAnswerError, match="more than 256 MiB: does the query lack"):
        fetch(stand_in.url)


def test_an_answer_that_cannot_be_decompressed_is_no_answer(stand_in):
    stand_in.answers((200, {"content-encoding": "gzip"}, "this is not gzip"))
    with pytest.raises(SourceAnswerError, match="cannot be decompressed"):
        fetch(stand_in.url)


def test_redirects_are_reported_and_never_followed(stand_in):
    with serving() as elsewhere:
        location = f"{elsewhere.url}/login?state=s3cr3t"
        stand_in.answers((307, {"location": location}, ""))
        with pytest.raises(SourceAnswerError, match="redirects to") as caught:
            fetch(stand_in.url, bearer_token="t0ken-of-the-source")
        assert elsewhere.asked == []
    assert f"{elsewhere.url}/login:" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 418, 422, 500])
def test_what_a_server_echoes_does_not_bring_secrets_into_a_message(stand_in, status):
    secrets = ["t0ken-of-the-source", "tenant-key-1234", "query-key-5678"]
    echo = {"status": "error", "error": f"rejected: {secrets} in {'x' * 600}"}
    stand_in.answers((status, {"location": f"/login?back={secrets[2]}"}, json.dumps(echo)))
    with pytest.raises(SourceError) as caught:
        fetch(
            stand_in.url + f"?key={secrets[2]}",
            bearer_token=secrets[0],
            headers=(("X-Key", secrets[1]),),
        )
    assert not [secret for secret in secrets if secret in str(caught.value)]


def test_a_message_that_is_cut_does_not_leave_half_a_secret():
    connection = PrometheusConnection("http://p:9090", bearer_token="t0ken-of-the-source")
    for padding in range(220, 280):
        body = f"{'y' * padding}t0ken-of-the-source{'z' * 600}"
        message = str(refusal(Reply(400, httpx.Headers(), body.encode()), connection, QUERY))
        assert "t0" not in message
        assert " … " in message


def test_nothing_is_opened_or_read_before_the_first_query():
    connection = PrometheusConnection("https://127.0.0.1:1", ca_file="/no/such/ca.pem")
    source = PrometheusSource(connection, FleetQuery(QUERY))
    with pytest.raises(SourceRefused, match=r"/no/such/ca\.pem"):
        source.fetch(START, START + MINUTE, MINUTE)
    source.close()


def test_a_closed_client_opens_again(stand_in):
    client = RangeQueryClient(PrometheusConnection(stand_in.url))
    for _ in range(2):
        assert client.query_range(QUERY, 0, 60_000, 60_000).status == 200
        client.close()
    client.close()


def test_each_failure_is_told_before_the_request_is_tried_again(stand_in):
    told = []
    stand_in.answers(BUSY, BUSY, OK)
    connection = PrometheusConnection(stand_in.url)
    with PrometheusSource(
        connection, FleetQuery(QUERY), retrying=told.append, sleep=lambda _seconds: None
    ) as source:
        source.fetch(START, START + 2 * MINUTE, MINUTE)
    assert [type(failure) for failure in told] == [SourceUnavailable] * 2
    assert "HTTP 503" in str(told[0])


@pytest.mark.parametrize(("timeout", "shown"), [(30.0, "5 s"), (1.5, "1.5 s")])
def test_a_connection_is_waited_for_no_longer_than_five_seconds(timeout, shown):
    """An address that swallows packets; the network's part is played by the transport."""
    asked = []

    def swallow(request):
        asked.append(request.extensions["timeout"])
        raise httpx.ConnectTimeout("timed out", request=request)

    connection = PrometheusConnection(
        "http://192.0.2.1:9090", timeout_seconds=timeout, max_attempts=1
    )
    transport = httpx.MockTransport(swallow)
    with (
        PrometheusSource(connection, FleetQuery(QUERY), transport=transport) as source,
        pytest.raises(
            SourceUnavailable,
            match=f"cannot reach http://192.0.2.1:9090: no connection within {shown}",
        ),
    ):
        source.fetch(START, START + 2 * MINUTE, MINUTE)
    assert asked[0]["read"] == timeout
    assert asked[0]["connect"] == min(timeout, 5.0)
