"""Each way in which a watch can go wrong, over real HTTP; what is known stays, and goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from forecaster.cluster.changes import Changed, Gone, Listed
from forecaster.cluster.client import ClusterClient
from forecaster.cluster.resources import (
    NODES,
    PODS,
    SCALED_OBJECTS,
    resources_to_read,
)
from forecaster.cluster.seen import TargetRef
from tests.cluster.objects import (
    autoscaler,
    node,
    pod,
    quota,
    scaled,
    scaled_object,
)
from tests.cluster.reading import (
    IMPATIENT,
    client_of,
    declared,
    eventually,
    reading,
)
from tests.cluster.standin import Break, Fault, StandIn

PLAYER = ("streaming", TargetRef("Deployment", "player-api"))


def test_everything_is_listed_and_then_followed(server: StandIn, client: ClusterClient) -> None:
    server.put_all([scaled_object(), autoscaler(), scaled(), quota(), node()])
    server.put_all([pod(f"p-{at}", ready_after=None if at == 3 else 42.0) for at in range(4)])
    server.put(scaled("sessions", kind="StatefulSet", replicas=3))
    with reading(client) as reader:
        kinds = [one.kind for one in resources_to_read(nodes=True)]
        reader.until(lambda: all(map(reader.connected, kinds)))
        known = reader.inventory
        assert known.pods.ready(PLAYER) == 3
        assert known.scaled_object(PLAYER) is not None
        assert known.autoscaler(PLAYER) is not None
        assert known.scaled(PLAYER) is not None
        assert known.stateful_sets.get("streaming", "sessions") is not None
        assert len(known.quotas_in("streaming")) == len(known.nodes) == 1
        server.put(pod("p-3"))
        reader.until(lambda: known.pods.ready(PLAYER) == 4)
        server.delete("Pod", "streaming", "p-0")
        reader.until(lambda: known.pods.ready(PLAYER) == 3)
        server.put(declared("player-api", "120"))
        reader.until(lambda: reader.capacity_of("player-api") == "120")
    assert [one.how for one in reader.of(Changed)] == ["changed", "changed"]
    assert len(reader.of(Gone)) == 1


def test_nodes_are_left_alone_unless_they_are_wanted(
    server: StandIn, client: ClusterClient
) -> None:
    with reading(client, resources_to_read(nodes=False)) as reader:
        reader.until(lambda: len(reader.of(Listed)) == 6)
    assert NODES not in resources_to_read(nodes=False)
    assert not server.requests("nodes", "list")


def test_only_the_namespaces_that_are_named_are_asked_for(
    server: StandIn, client: ClusterClient
) -> None:
    server.put_all([pod(f"p-{one}", namespace=one) for one in ("streaming", "accounts", "secret")])
    server.put(node())
    with reading(client, [PODS, NODES], ["streaming", "accounts"]) as reader:
        reader.until(
            lambda: reader.connected("Pod", "streaming") and reader.connected("Pod", "accounts")
        )
        reader.until(lambda: len(reader.inventory.nodes) == 1)
        assert {one.namespace for one in reader.inventory.pods} == {"streaming", "accounts"}
        server.put(pod("more", namespace="accounts"))
        server.put(pod("none", namespace="secret"))
        reader.until(lambda: len(reader.inventory.pods) == 3)
    asked = {one.namespace for one in server.requests("pods", "list")}
    assert asked == {"streaming", "accounts"}


@pytest.mark.parametrize("how", [Break.END, Break.CUT, Break.HALF_A_LINE])
def test_a_watch_that_ends_goes_on_from_where_it_was(
    server: StandIn, client: ClusterClient, how: Break
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.put(declared("player-api", "2"))
        reader.until(lambda: reader.capacity_of("player-api") == "2")
        server.break_watches("scaledobjects", how)
        server.put(declared("player-api", "3"))
        reader.until(lambda: reader.capacity_of("player-api") == "3")
    assert len(server.requests("scaledobjects", "list")) == 1
    first, second = server.requests("scaledobjects", "watch")
    assert int(second.query["resourceVersion"]) > int(first.query["resourceVersion"])
    assert all(state is None or state.connected for state in [reader.state("ScaledObject")])


def test_a_bookmark_moves_on_where_a_watch_would_go_on_from(tmp_path: Path) -> None:
    with StandIn(bookmark_seconds=0.1) as server:
        server.put(declared("player-api", "1"))
        with reading(client_of(server, tmp_path), [SCALED_OBJECTS]) as reader:
            reader.until(lambda: reader.connected("ScaledObject"))
            server.put_all([pod(f"p-{at}") for at in range(5)])
            reader.quietly(1.0)
            server.break_watches("scaledobjects", Break.END)
            eventually(lambda: len(server.requests("scaledobjects", "watch")) == 2)
        asked = server.requests("scaledobjects", "watch")
        assert int(asked[1].query["resourceVersion"]) == server.store.version
    assert len(server.requests("scaledobjects", "list")) == 1


def test_garbage_in_a_watch_means_that_all_is_read_anew(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.break_watches("scaledobjects", Break.GARBAGE)
        server.put(declared("player-api", "2"))
        reader.until(lambda: reader.capacity_of("player-api") == "2")
    assert len(server.requests("scaledobjects", "list")) == 2


@pytest.mark.parametrize("as_line", [True, False], ids=["as an ERROR line", "as a status"])
def test_a_version_that_is_too_old_means_that_all_is_read_anew(
    tmp_path: Path, as_line: bool
) -> None:
    with StandIn(gone_as_line=as_line) as server:
        server.put_all([declared("stays", "1"), declared("vanishes", "1")])
        with reading(client_of(server, tmp_path), [SCALED_OBJECTS]) as reader:
            reader.until(lambda: reader.connected("ScaledObject"))
            server.down()
            server.delete("ScaledObject", "streaming", "vanishes")
            server.put(declared("stays", "2"))
            server.forget()
            server.up()
            reader.until(lambda: reader.capacity_of("stays") == "2")
            assert reader.inventory.scaled_objects.get("streaming", "vanishes") is None
        assert len(server.requests("scaledobjects", "list")) == 2


def test_an_error_line_410_in_an_open_watch_means_that_all_is_read_anew(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.break_watches("scaledobjects", Break.GONE)
        server.put(declared("player-api", "2"))
        reader.until(lambda: reader.capacity_of("player-api") == "2")
        assert reader.problem("ScaledObject") == ""
    assert len(server.requests("scaledobjects", "list")) == 2


def test_a_list_that_expires_half_way_is_begun_again(
    server: StandIn, client: ClusterClient
) -> None:
    server.put_all([pod(f"p-{at}") for at in range(700)])
    gone = Fault("pods", "list", status=410, message="too old", after=1)
    server.fail(gone)
    with reading(client, [PODS]) as reader:
        reader.until(lambda: reader.connected("Pod"))
        assert len(reader.inventory.pods) == 700
    tokens = ["continue" in one.query for one in server.requests("pods", "list")]
    assert tokens == [False, True, False, True]


def test_objects_that_vanish_during_a_list_are_gone_after_it(
    server: StandIn, client: ClusterClient
) -> None:
    server.put_all([pod(f"p-{at:03}") for at in range(700)])
    slow = Fault("pods", "list", slow_seconds=0.6, after=1)
    server.fail(slow)
    with reading(client, [PODS]) as reader:
        reader.quietly(0.3)
        for at in (5, 650):
            server.delete("Pod", "streaming", f"p-{at:03}")
        reader.until(lambda: reader.connected("Pod"))
        reader.until(lambda: len(reader.inventory.pods) == 698)
        assert reader.inventory.pods.get("streaming", "p-650") is None


def test_a_restart_of_the_api_server_keeps_what_is_known_and_says_how_old_it_is(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.down()
        reader.until(lambda: not reader.connected("ScaledObject"))
        assert reader.capacity_of("player-api") == "1"
        assert "cannot connect" in reader.problem("ScaledObject")
        state = reader.state("ScaledObject")
        assert state is not None
        assert state.as_of is not None
        assert reader.inventory.age_seconds("ScaledObject", state.as_of + 90) == 90.0
        reader.quietly(0.5)
        server.put(declared("player-api", "2"))
        server.up()
        reader.until(lambda: reader.capacity_of("player-api") == "2")
        reader.until(lambda: reader.connected("ScaledObject"))
        assert reader.inventory.age_seconds("ScaledObject", time.time()) == 0.0
    assert len(server.requests("scaledobjects", "list")) == 1


def test_a_connection_that_is_cut_without_a_word_is_noticed(
    server: StandIn, tmp_path: Path
) -> None:
    server.put(declared("player-api", "1"))
    client = client_of(server, tmp_path, replace(IMPATIENT, silence=0.5))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.break_watches("scaledobjects", Break.SILENCE)
        server.put(declared("player-api", "2"))
        reader.until(lambda: reader.capacity_of("player-api") == "2")


def test_an_inventory_that_followed_is_the_one_that_lists_afresh(
    server: StandIn, client: ClusterClient, tmp_path: Path
) -> None:
    server.put_all([pod(f"p-{at}") for at in range(20)])
    with reading(client, [PODS]) as reader:
        reader.until(lambda: reader.connected("Pod"))
        breaks = [Break.END, Break.CUT, Break.HALF_A_LINE, Break.GARBAGE, Break.GONE, Break.ERROR]
        for at, how in enumerate(breaks):
            server.delete("Pod", "streaming", f"p-{at}")
            server.put(pod(f"p-{at + 10}", ready_after=None))
            server.break_watches("pods", how)
            server.put(pod(f"new-{at}"))
            reader.until(lambda at=at: reader.inventory.pods.get("streaming", f"new-{at}"))
        followed = sorted(reader.inventory.pods, key=lambda one: one.name)
    with reading(client_of(server, tmp_path), [PODS]) as again:
        again.until(lambda: again.connected("Pod"))
        assert followed == sorted(again.inventory.pods, key=lambda one: one.name)
