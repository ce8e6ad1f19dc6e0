from __future__ import annotations

import json
import threading
import time

import pytest

from forecaster.cluster.client import ClusterClient
from forecaster.cluster.listing import list_seen
from forecaster.cluster.resources import DEPLOYMENTS, PODS, SCALED_OBJECTS
from forecaster.errors import (
    ClusterAnswerError,
    ClusterExpired,
    ClusterRefused,
    ClusterUnavailable,
)
from tests.cluster.objects import pod, scaled_object
from tests.cluster.standin import Fault, StandIn


def many(server: StandIn, count: int) -> None:
    server.put_all([pod(f"p-{at:04}") for at in range(count)])


def test_a_list_is_read_by_the_page(server: StandIn, client: ClusterClient) -> None:
    many(server, 1203)
    pages = list(client.pages(PODS))
    assert [len(one.items) for one in pages] == [500, 500, 203]
    assert [one.more for one in pages] == [True, True, False]
    assert pages[-1].version == str(server.store.version)
    asked = server.requests("pods", "list")
    assert [one.query["limit"] for one in asked] == ["500"] * 3
    assert "continue" not in asked[0].query
    assert asked[2].query["continue"].endswith(".1000")


def test_pages_are_all_of_one_moment(server: StandIn, client: ClusterClient) -> None:
    many(server, 600)
    pages = client.pages(PODS)
    first = next(pages)
    server.delete("Pod", "streaming", "p-0599")
    server.put(pod("p-new"))
    names = [item["metadata"]["name"] for page in (first, *pages) for item in page.items]
    assert "p-0599" in names
    assert "p-new" not in names


def test_a_page_whose_token_is_too_old_says_that_all_is_to_be_read_anew(
    server: StandIn, client: ClusterClient
) -> None:
    many(server, 600)
    pages = client.pages(PODS)
    next(pages)
    server.forget()
    with pytest.raises(ClusterExpired, match="continue parameter is too old"):
        next(pages)


def test_a_namespace_of_its_own_is_asked_for(server: StandIn, client: ClusterClient) -> None:
    server.put_all([pod("a"), pod("b", namespace="accounts")])
    assert [one.name for one in list_seen(client, PODS, "accounts").values] == ["b"]
    assert server.requests("pods", "list")[0].namespace == "accounts"


def test_what_is_broken_in_a_list_is_named_and_the_rest_is_read(
    server: StandIn, client: ClusterClient
) -> None:
    bad = scaled_object("bad")
    bad["spec"]["maxReplicaCount"] = "many"
    server.put_all([scaled_object("one"), bad, scaled_object("two")])
    listed = list_seen(client, SCALED_OBJECTS)
    assert [one.name for one in listed.values] == ["one", "two"]
    assert [one.message for one in listed.broken] == [
        "ScaledObject streaming/bad: maxReplicaCount is 'many', not a whole number"
    ]


def test_one_object_is_read_and_a_missing_one_is_refused(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(scaled_object())
    path = SCALED_OBJECTS.path("streaming", "player-api")
    assert client.get(path)["spec"]["maxReplicaCount"] == 100
    with pytest.raises(ClusterRefused, match="not found") as missing:
        client.get(SCALED_OBJECTS.path("streaming", "nobody"))
    assert missing.value.status == 404


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (400, ClusterRefused, "400: made up"),
        (403, ClusterRefused, "403: made up"),
        (404, ClusterRefused, "404: made up"),
        (409, ClusterRefused, "409: made up"),
        (422, ClusterRefused, "422: made up"),
        (410, ClusterExpired, "410: made up"),
        (429, ClusterUnavailable, "429: made up"),
        (500, ClusterUnavailable, "500: made up"),
        (503, ClusterUnavailable, "503: made up"),
        (302, ClusterAnswerError, "302: made up was not expected"),
    ],
)
def test_a_refusal_is_an_error_with_the_servers_words(
    server: StandIn, client: ClusterClient, status: int, error: type[Exception], said: str
) -> None:
    server.fail(Fault("pods", "list", status=status))
    with pytest.raises(error, match=said) as raised:
        list_seen(client, PODS)
    assert raised.value.status == status
    assert "GET /api/v1/pods" in str(raised.value)
    assert list_seen(client, PODS).values == ()


def test_how_long_an_overloaded_server_asks_to_wait_is_kept(
    server: StandIn, client: ClusterClient
) -> None:
    server.fail(Fault(status=429, headers={"Retry-After": "7"}))
    with pytest.raises(ClusterUnavailable) as raised:
        list_seen(client, PODS)
    assert raised.value.retry_after_seconds == 7.0


def test_a_version_beyond_a_restored_server_is_read_anew(
    server: StandIn, client: ClusterClient
) -> None:
    server.fail(Fault(status=504, message="Too large resource version: 9, current: 4"))
    with pytest.raises(ClusterExpired):
        client.watch(PODS, None, "9")


def test_a_slow_answer_is_given_up(server: StandIn, client: ClusterClient) -> None:
    server.fail(Fault("pods", slow_seconds=30.0))
    began = time.monotonic()
    with pytest.raises(ClusterUnavailable, match="no answer in time"):
        list_seen(client, PODS)
    assert time.monotonic() - began < 15.0


def test_half_an_answer_is_no_list(server: StandIn, client: ClusterClient) -> None:
    server.fail(Fault("pods", half_a_body=True))
    with pytest.raises(ClusterUnavailable, match="cut"):
        list_seen(client, PODS)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>portal</html>", "no JSON: '<html>portal"),
        (b"[1, 2]", "no JSON object"),
        (b'{"kind":"Pod","metadata":{}}', "no list of objects"),
        (b'{"kind":"PodList","items":{},"metadata":{}}', "no list of objects"),
    ],
    ids=["html", "a list", "no list", "an object for a list"],
)
def test_what_is_no_list_is_not_taken_for_an_empty_one(
    server: StandIn, client: ClusterClient, body: bytes, said: str
) -> None:
    server.fail(Fault("pods", body=body))
    with pytest.raises(ClusterAnswerError, match=said):
        list_seen(client, PODS)


def test_an_empty_list_as_go_writes_it_is_empty(server: StandIn, client: ClusterClient) -> None:
    body = {"kind": "PodList", "items": None, "metadata": {"resourceVersion": "7"}}
    server.fail(Fault("pods", body=json.dumps(body).encode()))
    listed = list_seen(client, PODS)
    assert (listed.values, listed.version) == ((), "7")


def test_an_idle_connection_that_the_server_has_closed_costs_nothing(
    server: StandIn, client: ClusterClient
) -> None:
    client.get("/api/v1/pods")
    server.fail(Fault(drop=True))
    client.get("/api/v1/pods")
    assert len(server.asked) == 3


def test_a_server_that_is_down_is_unavailable(server: StandIn, client: ClusterClient) -> None:
    server.down()
    with pytest.raises(ClusterUnavailable, match="cannot connect"):
        list_seen(client, PODS)
    server.up()
    assert list_seen(client, PODS).values == ()


def test_a_new_object_is_not_sent_twice_when_the_connection_is_cut(
    server: StandIn, client: ClusterClient
) -> None:
    server.fail(Fault("events", "create", drop=True))
    with pytest.raises(ClusterUnavailable):
        client.create("/apis/events.k8s.io/v1/namespaces/streaming/events", {"kind": "Event"})
    assert len(server.requests("events", "create")) == 1


def test_a_watch_is_ended_from_another_thread_at_once(
    server: StandIn, client: ClusterClient
) -> None:
    watched = client.watch(PODS, None, str(server.store.version))
    timer = threading.Timer(0.2, watched.end)
    timer.start()
    began = time.monotonic()
    with pytest.raises(ClusterUnavailable):
        list(watched)
    assert time.monotonic() - began < 4.0
    timer.join()
    watched.end()


def test_a_watch_says_what_it_asks_for(server: StandIn, client: ClusterClient) -> None:
    watched = client.watch(DEPLOYMENTS, "streaming", "1000")
    watched.end()
    with pytest.raises(ClusterUnavailable):
        list(watched)
    (asked,) = server.requests("deployments", "watch")
    assert asked.namespace == "streaming"
    assert asked.query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "1000",
        "timeoutSeconds": "300",
    }
