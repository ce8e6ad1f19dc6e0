"""Placeholder pods: how many, when, and the manifests, by the schemas of Kubernetes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.cluster.headroom import (
    placeholder,
    placeholder_deployment,
    placeholder_priority_class,
)
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import Scaled
from tests.cluster.plan_cases import EIGHT, GIB, MINUTE, plan_of
from tests.cluster.pod_timelines import PLAYER

LEAD, NODE_LEAD = 2 * MINUTE, 6 * MINUTE
PLAN = plan_of([10] * 60 + [35] * 30 + [10] * 30)  # asks for 35 from 20:59 to 21:30
SCALED = Scaled("streaming", PLAYER, 10, 10, PodShape(0.5, 1.5 * GIB))
IMAGE = "pause:3.10"


def held(minute: float, there: int = 10) -> int:
    return placeholder(EIGHT + minute * MINUTE, PLAN, there, LEAD, NODE_LEAD)


def test_the_rise_within_the_wait_for_nodes_is_held_and_then_given_up() -> None:
    clock = (0, 54, 55, 56, 58, 59, 65, 89, 95)
    assert [held(minute) for minute in clock] == [0, 0, 25, 25, 25, 0, 0, 0, 0]


def test_what_is_there_is_not_held_for() -> None:
    assert held(56, there=20) == 15
    assert held(56, there=50) == 0


def test_a_lead_time_that_covers_new_nodes_needs_no_placeholders() -> None:
    now = EIGHT + 56 * MINUTE
    assert placeholder(now, PLAN, 10, NODE_LEAD, NODE_LEAD) == 0
    assert placeholder(now, PLAN, 10, NODE_LEAD, LEAD) == 0


def test_outside_of_the_plan_nothing_is_held() -> None:
    assert held(-1) == 0
    assert held(500) == 0


@given(
    st.lists(st.integers(0, 60), min_size=2, max_size=40),
    st.integers(0, 3000),
    st.integers(0, 60),
    st.integers(1, 900),
    st.integers(0, 1800),
)
def test_it_is_the_highest_target_of_the_seconds_until_then(
    replicas: list[int], at: int, there: int, lead: int, node_lead: int
) -> None:
    plan = plan_of(replicas)
    now, second = EIGHT + timedelta(seconds=at), timedelta(seconds=1)
    found = placeholder(now, plan, there, lead * second, node_lead * second)
    if not plan.covers(now) or node_lead <= lead:
        assert found == 0
        return
    window = [now + i * second for i in range(node_lead - lead + 1)]
    targets = [plan.target(one).planned_replicas for one in window[::5] if plan.covers(one)]
    last = window[-1]
    if plan.covers(last):
        targets.append(plan.target(last).planned_replicas)
    coming = max(there, targets[0])
    assert found == max(max(targets) - coming, 0)


def pod(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["spec"]["template"]["spec"]
    return found


def test_the_manifests_are_what_kubernetes_knows() -> None:
    for made in (
        placeholder_priority_class(),
        placeholder_deployment("streaming/player-api", SCALED, IMAGE, replicas=3),
    ):
        kubernetes_validate.validate(made, "1.35", strict=True)


def test_a_placeholder_takes_the_same_place_and_goes_at_once() -> None:
    made = placeholder_deployment("streaming/player-api", SCALED, IMAGE)
    (container,) = pod(made)["containers"]
    assert container["image"] == IMAGE
    assert container["resources"]["requests"] == {"cpu": "0.5", "memory": "1536Mi"}
    assert pod(made)["terminationGracePeriodSeconds"] == 0
    assert pod(made)["priorityClassName"] == placeholder_priority_class()["metadata"]["name"]
    assert placeholder_priority_class()["value"] == -10
    assert placeholder_priority_class()["preemptionPolicy"] == "Never"
    assert made["metadata"]["name"] == "player-api-placeholder"
    assert made["metadata"]["namespace"] == "streaming"
    assert "replicas" not in made["spec"]  # KEDA's to set: who applies the file again changes none
    assert made["spec"]["selector"]["matchLabels"] == made["spec"]["template"]["metadata"]["labels"]


def test_it_stands_where_the_workload_may_stand() -> None:
    tolerations = [{"key": "pool", "operator": "Equal", "value": "player", "effect": "NoSchedule"}]
    own = {"nodeSelector": {"pool": "player"}, "tolerations": tolerations, "hostNetwork": True}
    made = placeholder_deployment(
        "streaming/player-api", SCALED, IMAGE, namespace="headroom", placed_by=own
    )
    kubernetes_validate.validate(made, "1.35", strict=True)
    assert pod(made)["nodeSelector"] == {"pool": "player"}
    assert pod(made)["tolerations"] == tolerations
    assert "hostNetwork" not in pod(made)
    assert made["metadata"]["namespace"] == "headroom"


def test_names_stay_within_63_characters() -> None:
    name = "a" * 50 + "-" + "b" * 30
    long, other, short = (
        placeholder_deployment(f"streaming/{one}", SCALED, IMAGE)["metadata"]
        for one in (name, name + "c", "a" * 51)
    )
    assert long["name"].startswith("a" * 42 + "-")
    assert len(long["name"]) == len(short["name"]) == 63
    assert len({long["name"], other["name"], short["name"]}) == 3
    assert long["labels"] != other["labels"]  # or one would count the other's pods
    assert all(len(one) <= 63 for one in long["labels"].values())


def test_a_workload_that_requests_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="streaming/player-api: its pods request neither"):
        placeholder_deployment("streaming/player-api", Scaled("streaming", PLAYER, 1, 1), IMAGE)
