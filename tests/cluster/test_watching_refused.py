"""Watches that are refused, slowed or told nonsense: said, tried again, and nobody else waits."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from forecaster.cluster.changes import Broken
from forecaster.cluster.client import ClusterClient
from forecaster.cluster.resources import (
    AUTOSCALERS,
    PODS,
    SCALED_OBJECTS,
)
from forecaster.cluster.seen import TargetRef
from tests.cluster.objects import (
    autoscaler,
    pod,
)
from tests.cluster.reading import (
    QUICK,
    declared,
    reading,
    write_kubeconfig,
)
from tests.cluster.standin import Break, Fault, StandIn

PLAYER = ("streaming", TargetRef("Deployment", "player-api"))


def test_a_missing_right_is_told_with_its_rule_and_the_other_kinds_go_on(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(autoscaler())
    denied = 'pods is forbidden: User "system:serviceaccount:preroll:preroll" cannot list'
    server.fail(Fault("pods", status=403, message=denied, times=None))
    with reading(client, [PODS, AUTOSCALERS]) as reader:
        reader.until(lambda: reader.problem("Pod"))
        reader.until(lambda: reader.connected("HorizontalPodAutoscaler"))
        said = reader.problem("Pod")
        assert said.startswith(
            "not allowed to list pods in all namespaces; add to the ClusterRole: "
            '{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}'
        )
        assert denied in said
        assert reader.inventory.age_seconds("Pod", time.time()) is None
        assert not reader.inventory.is_listed("Pod")
        server.put(pod())
        server.heal()
        reader.until(lambda: reader.connected("Pod"))
        assert reader.problem("Pod") == ""
        assert len(reader.inventory.pods) == 1


def test_a_right_to_watch_that_is_missing_in_one_namespace_names_both(
    server: StandIn, client: ClusterClient
) -> None:
    server.fail(Fault("scaledobjects", "watch", status=403, times=None))
    with reading(client, [SCALED_OBJECTS], ["streaming"]) as reader:
        reader.until(lambda: reader.problem("ScaledObject", "streaming"))
        assert reader.problem("ScaledObject", "streaming").startswith(
            "not allowed to watch scaledobjects.keda.sh in namespace streaming; add to the Role of "
            'namespace streaming: {apiGroups: ["keda.sh"], resources: [scaledobjects], '
        )


def test_a_refusal_is_tried_again_at_its_own_pace(server: StandIn, client: ClusterClient) -> None:
    server.fail(Fault("pods", status=403, times=None))
    with reading(client, [PODS], pace=replace(QUICK, refused=30.0)) as reader:
        reader.until(lambda: reader.problem("Pod"))
        reader.quietly(0.5)
    assert len(server.requests("pods", "list")) == 1


def test_without_keda_that_is_said_and_what_was_known_stays(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.fail(Fault("scaledobjects", status=404, body=b"404 page not found", times=None))
        server.break_watches("scaledobjects", Break.END)
        reader.until(lambda: reader.problem("ScaledObject"))
        assert reader.problem("ScaledObject").startswith(
            "KEDA is not installed: the API server knows no scaledobjects.keda.sh/v1alpha1"
        )
        assert reader.capacity_of("player-api") == "1"
        server.heal()
        reader.until(lambda: reader.connected("ScaledObject"))


def test_a_kind_that_an_old_server_does_not_know_is_named(
    server: StandIn, client: ClusterClient
) -> None:
    server.fail(Fault("horizontalpodautoscalers", status=404, times=None))
    with reading(client, [AUTOSCALERS]) as reader:
        reader.until(lambda: reader.problem("HorizontalPodAutoscaler"))
        said = reader.problem("HorizontalPodAutoscaler")
        assert said.startswith("the API server knows no horizontalpodautoscalers in autoscaling/v2")


def test_a_token_that_is_rotated_under_an_open_watch_is_read_again(
    server: StandIn, client: ClusterClient, tmp_path: Path
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.tokens = {"rotated"}
        write_kubeconfig(tmp_path / "kubeconfig", server.url, "rotated")
        server.break_watches("scaledobjects", Break.END)
        server.put(declared("player-api", "2"))
        reader.until(lambda: reader.capacity_of("player-api") == "2")
        assert reader.problem("ScaledObject") == ""


def test_a_token_that_stays_wrong_is_told_until_there_is_a_right_one(
    server: StandIn, client: ClusterClient, tmp_path: Path
) -> None:
    server.tokens = {"another"}
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: "the token is refused" in reader.problem("ScaledObject"))
        write_kubeconfig(tmp_path / "kubeconfig", server.url, "another")
        reader.until(lambda: reader.connected("ScaledObject"))


def test_an_overloaded_server_is_left_alone_as_long_as_it_asks(
    server: StandIn, client: ClusterClient
) -> None:
    server.fail(Fault("pods", "list", status=429, headers={"Retry-After": "1"}))
    began = time.monotonic()
    with reading(client, [PODS]) as reader:
        reader.until(lambda: "429" in reader.problem("Pod"))
        reader.until(lambda: reader.connected("Pod"))
    assert 1.0 <= time.monotonic() - began < 30.0
    assert len(server.requests("pods", "list")) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_server_is_tried_again_and_again(
    server: StandIn, client: ClusterClient, status: int
) -> None:
    server.put(pod())
    server.fail(Fault("pods", status=status, times=3))
    with reading(client, [PODS]) as reader:
        reader.until(lambda: str(status) in reader.problem("Pod"))
        reader.until(lambda: reader.connected("Pod"))
        assert len(reader.inventory.pods) == 1
    assert len(server.requests("pods", "list")) == 4


def test_an_error_line_500_is_told_and_the_watch_goes_on(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        server.break_watches("scaledobjects", Break.ERROR)
        server.put(declared("player-api", "2"))
        reader.until(lambda: reader.capacity_of("player-api") == "2")
    assert len(server.requests("scaledobjects", "list")) == 1


def test_slow_answers_delay_nobody_else(server: StandIn, client: ClusterClient) -> None:
    server.put(autoscaler())
    server.fail(Fault("pods", slow_seconds=1.8))
    with reading(client, [PODS, AUTOSCALERS]) as reader:
        reader.until(lambda: reader.connected("HorizontalPodAutoscaler"))
        assert not reader.connected("Pod")
        reader.until(lambda: reader.connected("Pod"))


def test_a_broken_object_is_a_problem_with_its_name_and_keeps_its_last_value(
    server: StandIn, client: ClusterClient
) -> None:
    server.put(declared("player-api", "1"))
    with reading(client, [SCALED_OBJECTS]) as reader:
        reader.until(lambda: reader.connected("ScaledObject"))
        bad = declared("player-api", "2")
        bad["spec"] = {"scaleTargetRef": {}}
        server.put(bad)
        reader.until(lambda: reader.of(Broken))
        assert reader.inventory.broken == {
            ("ScaledObject", "streaming", "player-api"): (
                "ScaledObject streaming/player-api: spec.scaleTargetRef is missing"
            )
        }
        assert reader.capacity_of("player-api") == "1"
        server.put(declared("player-api", "3"))
        reader.until(lambda: reader.capacity_of("player-api") == "3")
        assert reader.inventory.broken == {}
    assert len(server.requests("scaledobjects", "watch")) == 1


def test_a_pod_that_leaves_its_owner_or_ends_is_gone(
    server: StandIn, client: ClusterClient
) -> None:
    server.put_all([pod("orphaned"), pod("evicted"), pod("stays")])
    with reading(client, [PODS]) as reader:
        reader.until(lambda: reader.connected("Pod"))
        orphan = pod("orphaned")
        del orphan["metadata"]["ownerReferences"]
        server.put(orphan)
        server.put(pod("evicted", phase="Failed"))
        reader.until(lambda: len(reader.inventory.pods) == 1)
        assert reader.inventory.pods.ready(PLAYER) == 1


def test_a_server_that_ends_every_watch_at_once_is_not_asked_without_pause(
    server: StandIn, client: ClusterClient
) -> None:
    with reading(client, [PODS], pace=replace(QUICK, first=0.2, longest=0.5)) as reader:
        reader.until(lambda: reader.connected("Pod"))
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            server.break_watches("pods", Break.END)
            time.sleep(0.005)
    assert 2 <= len(server.requests("pods", "watch")) <= 14


def test_watches_stop_at_once_also_while_they_wait(server: StandIn, client: ClusterClient) -> None:
    server.fail(Fault("nodes", status=403, times=None))
    with reading(client, pace=replace(QUICK, refused=60.0)) as reader:
        reader.until(lambda: reader.problem("Node") and reader.connected("Pod"))
        began = time.monotonic()
    assert time.monotonic() - began < 20.0
    assert not [one for one in threading.enumerate() if one.name.startswith("watch-")]
