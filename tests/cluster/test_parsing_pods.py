from __future__ import annotations

from typing import Any

import pytest

from forecaster.cluster.parsing import seen_of
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.resources import (
    PODS,
)
from forecaster.cluster.seen import (
    PodSeen,
    TargetRef,
)
from tests.cluster.objects import CREATED, pod

BEGAN = CREATED.timestamp()


def test_a_pod_is_its_way_to_ready() -> None:
    assert seen_of(PODS, pod("p-1")) == PodSeen(
        namespace="streaming",
        name="p-1",
        uid=pod("p-1")["metadata"]["uid"],
        owner=TargetRef("Deployment", "player-api"),
        created=BEGAN,
        scheduled=BEGAN + 1,
        initialised=BEGAN + 2,
        ready=BEGAN + 42,
        node="node-17.example.internal",
        shape=PodShape(0.5, 2.0**29, 0.0, 2.0**29, unset=("limits.cpu",)),
    )


def test_a_pod_that_is_not_ready_or_finds_no_node_says_so() -> None:
    starting = seen_of(PODS, pod(ready_after=None))
    assert isinstance(starting, PodSeen)
    assert (starting.ready, starting.scheduled) == (None, BEGAN + 1)
    waiting = seen_of(PODS, pod(unschedulable="0/3 nodes are available: 3 Insufficient cpu."))
    assert isinstance(waiting, PodSeen)
    assert waiting.unschedulable == "0/3 nodes are available: 3 Insufficient cpu."
    assert (waiting.scheduled, waiting.node) == (None, None)


def test_a_pod_that_is_deleted_is_ending_and_restarts_are_added_up() -> None:
    item = pod()
    item["metadata"]["deletionTimestamp"] = "2026-06-11T18:30:00Z"
    first = item["status"]["containerStatuses"][0]
    item["status"]["containerStatuses"] = [{**first, "restartCount": count} for count in (2, 3)]
    seen = seen_of(PODS, item)
    assert isinstance(seen, PodSeen)
    assert (seen.ending, seen.restarts) == (True, 5)


def owned(kind: str, name: str, **labels: str) -> dict[str, Any]:
    item = pod(owner=(kind, name))
    del item["metadata"]["labels"]["pod-template-hash"]
    item["metadata"]["labels"] |= {key.replace("_", "-"): value for key, value in labels.items()}
    return item


@pytest.mark.parametrize(
    ("item", "owner"),
    [
        (owned("ReplicaSet", "a-b-5d4f", pod_template_hash="5d4f"), ("Deployment", "a-b")),
        (owned("ReplicaSet", "a-5d4f", rollouts_pod_template_hash="5d4f"), ("Rollout", "a")),
        (owned("ReplicaSet", "alone"), ("ReplicaSet", "alone")),
        (owned("ReplicaSet", "alone-77", pod_template_hash="5d4f"), ("ReplicaSet", "alone-77")),
        (owned("StatefulSet", "sessions"), ("StatefulSet", "sessions")),
        (owned("CloneSet", "edge"), ("CloneSet", "edge")),
    ],
    ids=["Deployment", "Rollout", "ReplicaSet", "another hash", "StatefulSet", "another kind"],
)
def test_a_pod_belongs_to_what_is_scaled(item: dict[str, Any], owner: tuple[str, str]) -> None:
    seen = seen_of(PODS, item)
    assert isinstance(seen, PodSeen)
    assert seen.owner == TargetRef(*owner)


@pytest.mark.parametrize("kind", ["Job", "DaemonSet", "Node"])
def test_pods_that_nothing_scales_are_left_out(kind: str) -> None:
    assert seen_of(PODS, pod(owner=(kind, "x"))) is None


def test_pods_that_have_ended_or_have_no_owner_are_left_out() -> None:
    assert seen_of(PODS, pod(phase="Succeeded")) is None
    assert seen_of(PODS, pod(phase="Failed")) is None
    bare = pod()
    bare["metadata"]["ownerReferences"][0]["controller"] = False
    assert seen_of(PODS, bare) is None


def test_pods_of_a_workload_share_their_owner_and_their_shape() -> None:
    first, second = (seen_of(PODS, pod(f"p-{at}")) for at in range(2))
    assert isinstance(first, PodSeen)
    assert isinstance(second, PodSeen)
    assert first.owner is second.owner
    assert first.shape is second.shape
