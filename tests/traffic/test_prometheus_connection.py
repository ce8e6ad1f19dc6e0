"""Connections and queries as values: what they accept, what they show, what they hide."""

from __future__ import annotations

import pytest

from forecaster.errors import SourceAnswerError
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection

SECRETS = ("t0ken-of-the-source", "p4ssw0rd", "in-the-url", "tenant-key-1234", "query-key-5678")


def test_only_the_url_has_no_default():
    connection = PrometheusConnection("http://prometheus:9090")

    assert str(connection.endpoint) == "http://prometheus:9090/api/v1/query_range"
    assert connection.basic_auth is None
    assert connection.max_points_per_query == 10_000


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        pytest.param("http://p:9090/", "http://p:9090/api/v1/query_range", id="slash"),
        pytest.param(
            "https://vm:8481/select/0/prometheus",
            "https://vm:8481/select/0/prometheus/api/v1/query_range",
            id="prefix",
        ),
        pytest.param("http://[::1]:9090", "http://[::1]:9090/api/v1/query_range", id="ipv6"),
        pytest.param(
            "http://proxy/prom?namespace=tv",
            "http://proxy/prom/api/v1/query_range?namespace=tv",
            id="query string",
        ),
        pytest.param("http://u:p@p:9090", "http://p:9090/api/v1/query_range", id="credentials"),
    ],
)
def test_the_api_lies_beneath_the_url(url, endpoint):
    assert str(PrometheusConnection(url).endpoint) == endpoint


def test_credentials_of_the_url_are_taken_and_decoded():
    connection = PrometheusConnection("https://us%40er:p%2Fw@prometheus:9090")
    assert connection.basic_auth == ("us@er", "p/w")


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param(
            PrometheusConnection("http://p:9090", bearer_token="t0ken-of-the-source"),
            id="token",
        ),
        pytest.param(
            PrometheusConnection(
                "https://user:in-the-url@p:9090/x?key=query-key-5678",
                headers=(("X-Scope-OrgID", "tenant-key-1234"),),
            ),
            id="url and header",
        ),
        pytest.param(
            PrometheusConnection("http://p:9090", username="user", password="p4ssw0rd"),
            id="password",
        ),
    ],
)
def test_neither_repr_nor_scrubbed_text_shows_a_secret(connection):
    shown = repr(connection) + str(connection) + connection.shown + f"{connection!r}"
    assert not [secret for secret in SECRETS if secret in shown]
    assert "p:9090" in shown

    sent = {connection.bearer_token, connection.password, *(v for _, v in connection.headers)}
    sent |= set(connection.basic_auth or ()) - {"user"} | {*connection.endpoint.params.values()}
    echo = connection.scrub(f"you sent {sent}")
    assert "you sent" in echo
    assert not [secret for secret in SECRETS if secret in echo]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"url": "prometheus:9090"}, "needs http:// or https://", id="no scheme"),
        pytest.param({"url": "ftp://p"}, "needs http:// or https://", id="ftp"),
        pytest.param({"url": ""}, "needs http:// or https://", id="empty"),
        pytest.param({"url": "http://"}, "needs http:// or https://", id="no host"),
        pytest.param({"url": "http://p:port"}, "cannot be parsed", id="port"),
        pytest.param({"url": "http://u:p4ssw0rd/x@p"}, "percent-encode", id="slash in password"),
        pytest.param({"bearer_token": " "}, "bearer_token is empty", id="empty token"),
        pytest.param({"bearer_token": "p4ssw0rd\nx"}, "line break", id="token of two lines"),
        pytest.param({"headers": (("X-Key", "p4ssw0rdü"),)}, "the header X-Key", id="header"),
        pytest.param(
            {"bearer_token": "p4ssw0rd", "username": "u"}, "exclude each other", id="two ways in"
        ),
        pytest.param({"password": "p4ssw0rd"}, "username is not", id="password alone"),
        pytest.param({"key_file": "client.key"}, "needs a cert_file", id="key alone"),
        pytest.param({"timeout_seconds": 0.0}, "timeout_seconds 0.0", id="no time"),
        pytest.param({"timeout_seconds": float("nan")}, "timeout_seconds nan", id="nan"),
        pytest.param({"max_points_per_query": 0}, "max_points_per_query 0", id="no points"),
        pytest.param({"max_attempts": 0}, "max_attempts 0", id="no attempts"),
    ],
)
def test_fields_that_cannot_be_used_are_refused_without_showing_a_secret(fields, words):
    with pytest.raises(ValueError, match=words) as caught:
        PrometheusConnection(**{"url": "http://p:9090", **fields})
    assert "p4ssw0rd" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"promql": " "}, "promql is empty", id="empty"),
        pytest.param({"name_label": "my-app"}, "'my-app' is not a label name", id="dash"),
        pytest.param({"namespace_label": ""}, "namespace_label '' is not", id="no label"),
    ],
)
def test_a_query_that_cannot_work_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        FleetQuery(**{"promql": "up", **fields})


def test_labels_name_the_workload():
    query = FleetQuery("up", namespace_label="ns", name_label="app", default_namespace="tv")

    assert query.series_id({"ns": "live", "app": "player"}) == "live/player"
    assert query.series_id({"app": "player"}) == "tv/player"
    assert query.series_id({"app": "player", "ns": ""}) == "tv/player"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        pytest.param({"namespace": "tv"}, 'only the labels {namespace="tv"}', id="no name"),
        pytest.param({"deployment": "player"}, "set default_namespace", id="no namespace"),
        pytest.param({}, "no label at all", id="no labels"),
    ],
)
def test_labels_that_name_no_workload_are_shown_with_a_remedy(labels, words):
    with pytest.raises(SourceAnswerError) as caught:
        FleetQuery("up").series_id(labels)
    assert words in str(caught.value)
    assert "sum by (namespace, deployment)" in str(caught.value)
