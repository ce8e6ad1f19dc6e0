"""The inventory against one that is rebuilt from all objects at each step."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.cluster.changes import Broken, Changed, Gone, Listed, Told, WatchState
from forecaster.cluster.inventory import Inventory
from forecaster.cluster.seen import (
    AutoscalerSeen,
    PodSeen,
    QuotaSeen,
    Scaled,
    ScaledObjectSeen,
    TargetRef,
)
from forecaster.cluster.tables import Difference

PLAYER, PAGE = TargetRef("Deployment", "player-api"), TargetRef("Deployment", "page")


def pod(
    name: str,
    owner: TargetRef | None = PLAYER,
    *,
    namespace: str = "streaming",
    ready: float | None = 5.0,
    ending: bool = False,
    uid: str = "",
) -> PodSeen:
    return PodSeen(namespace, name, uid or f"uid-{name}", owner, 0.0, ready=ready, ending=ending)


def scaled_object(name: str, target: TargetRef = PLAYER) -> ScaledObjectSeen:
    return ScaledObjectSeen("streaming", name, f"uid-{name}", "1", target)


def test_a_change_is_the_value_before_and_after() -> None:
    inventory = Inventory()
    first, second = pod("a", ready=None), pod("a")
    assert inventory.take(Changed("Pod", "added", first)) == [Difference("Pod", None, first)]
    assert inventory.take(Changed("Pod", "changed", second)) == [Difference("Pod", first, second)]
    assert inventory.take(Changed("Pod", "changed", second)) == []
    gone = Gone("Pod", "streaming", "a", "uid-a")
    assert inventory.take(gone) == [Difference("Pod", second, None)]
    assert inventory.take(gone) == []


def test_a_new_version_alone_is_no_difference() -> None:
    inventory = Inventory()
    seen = scaled_object("a")
    inventory.take(Changed("ScaledObject", "added", seen))
    newer = replace(seen, resource_version="2")
    assert inventory.take(Changed("ScaledObject", "changed", newer)) == []


def test_ready_pods_are_counted_by_workload_and_those_that_end_are_not() -> None:
    inventory = Inventory()
    pods = (pod("a"), pod("b"), pod("c", ready=None), pod("d", ending=True), pod("e", PAGE))
    inventory.take(Listed("Pod", None, pods))
    assert inventory.pods.ready(("streaming", PLAYER)) == 2
    assert inventory.pods.ready(("streaming", PAGE)) == 1
    assert inventory.pods.ready(("accounts", PLAYER)) == 0
    assert len(inventory.pods.of(("streaming", PLAYER))) == 4


def test_a_list_tells_what_came_changed_and_went_and_nothing_else() -> None:
    inventory = Inventory()
    inventory.take(Listed("Pod", None, (pod("stays"), pod("goes"), pod("changes", ready=None))))
    found = inventory.take(Listed("Pod", None, (pod("stays"), pod("changes"), pod("comes"))))
    assert found == [
        Difference("Pod", pod("goes"), None),
        Difference("Pod", pod("changes", ready=None), pod("changes")),
        Difference("Pod", None, pod("comes")),
    ]


def test_a_list_of_one_namespace_says_nothing_of_another() -> None:
    inventory = Inventory()
    inventory.take(Listed("Pod", "accounts", (pod("a", namespace="accounts"),)))
    inventory.take(Listed("Pod", "streaming", (pod("b"),)))
    inventory.take(Listed("Pod", "streaming", ()))
    assert [one.name for one in inventory.pods] == ["a"]


def test_a_pod_of_the_same_name_that_was_made_again_is_another_one() -> None:
    inventory = Inventory()
    old, new = pod("sessions-0", uid="old"), pod("sessions-0", uid="new", ready=None)
    inventory.take(Changed("Pod", "added", old))
    assert inventory.take(Changed("Pod", "changed", new)) == [
        Difference("Pod", old, None),
        Difference("Pod", None, new),
    ]
    assert inventory.pods.ready(("streaming", PLAYER)) == 0


def test_workloads_are_found_by_what_they_scale() -> None:
    inventory = Inventory()
    keda = scaled_object("player")
    hpa = AutoscalerSeen("streaming", "keda-hpa-player", PLAYER, 2, 100, 10, 12)
    deployment = Scaled("streaming", PLAYER, 12, 10)
    sessions = Scaled("streaming", TargetRef("StatefulSet", "player-api"), 3, 3)
    for kind, value in (
        ("ScaledObject", keda),
        ("HorizontalPodAutoscaler", hpa),
        ("Deployment", deployment),
        ("StatefulSet", sessions),
    ):
        inventory.take(Changed(kind, "added", value))
    workload = ("streaming", PLAYER)
    assert inventory.scaled_object(workload) is keda
    assert inventory.autoscaler(workload) is hpa
    assert inventory.scaled(workload) is deployment
    assert inventory.scaled(("streaming", sessions.ref)) is sessions
    assert inventory.scaled(("streaming", TargetRef("Rollout", "player-api"))) is None
    inventory.take(Changed("ScaledObject", "changed", replace(keda, target=PAGE)))
    assert inventory.scaled_object(workload) is None
    assert inventory.scaled_object(("streaming", PAGE)) is not None


def test_a_broken_object_keeps_its_last_value_until_it_is_repaired_or_gone() -> None:
    inventory = Inventory()
    inventory.take(Listed("ScaledObject", None, (scaled_object("a"), scaled_object("b"))))
    inventory.take(Broken("ScaledObject", "streaming", "a", "wrong"))
    again = Listed(
        "ScaledObject",
        None,
        (scaled_object("b"),),
        (Broken("ScaledObject", "streaming", "a", "bad"),),
    )
    assert inventory.take(again) == []
    assert inventory.broken == {("ScaledObject", "streaming", "a"): "bad"}
    inventory.take(Changed("ScaledObject", "changed", scaled_object("a")))
    assert inventory.broken == {}
    inventory.take(Broken("ScaledObject", "streaming", "a", "wrong"))
    inventory.take(Listed("ScaledObject", None, ()))
    assert (inventory.broken, len(inventory.scaled_objects)) == ({}, 0)


def test_quotas_are_found_by_their_namespace() -> None:
    inventory = Inventory()
    inventory.take(Changed("ResourceQuota", "added", QuotaSeen("streaming", "compute")))
    inventory.take(Changed("ResourceQuota", "added", QuotaSeen("accounts", "compute")))
    assert inventory.quotas_in("streaming") == [QuotaSeen("streaming", "compute")]


def test_how_old_a_kind_is_goes_by_its_oldest_watch() -> None:
    inventory = Inventory()
    assert inventory.age_seconds("Pod", 100.0) is None
    inventory.take(WatchState("Pod", "a", connected=True, as_of=10.0))
    inventory.take(WatchState("Pod", "b", connected=False, as_of=40.0, problem="down"))
    inventory.take(WatchState("Node", None, connected=False, as_of=None, problem="no right"))
    assert inventory.age_seconds("Pod", 100.0) == 60.0
    assert inventory.age_seconds("Node", 100.0) is None
    assert inventory.problems() == ["down", "no right"]
    inventory.take(WatchState("Pod", "b", connected=True, as_of=99.0))
    assert inventory.age_seconds("Pod", 100.0) == 0.0


def test_nothing_is_known_to_be_none_before_all_of_it_was_listed() -> None:
    inventory = Inventory()
    assert not inventory.is_listed("Pod")
    inventory.take(Listed("Pod", "streaming", ()))
    assert inventory.is_listed("Pod", ["streaming"])
    assert not inventory.is_listed("Pod", ["streaming", "accounts"])
    assert not inventory.is_listed("Pod")
    inventory.take(Listed("Pod", "accounts", ()))
    assert inventory.is_listed("Pod", ["streaming", "accounts"])
    inventory.take(Listed("Node", None, ()))
    assert inventory.is_listed("Node", ["streaming", "accounts"])


NAMESPACES = st.sampled_from(["streaming", "accounts"])
PODS = st.builds(
    pod,
    st.sampled_from("abcde"),
    st.sampled_from([PLAYER, PAGE, None]),
    namespace=NAMESPACES,
    ready=st.sampled_from([None, 5.0]),
    ending=st.booleans(),
    uid=st.sampled_from(["one", "two"]),
)
CHANGES = st.one_of(
    st.builds(lambda value: Changed("Pod", "changed", value), PODS),
    st.builds(Gone, st.just("Pod"), NAMESPACES, st.sampled_from("abcde"), st.just("one")),
    st.builds(
        lambda values, space: Listed(
            "Pod", space, tuple(one for one in values if space in (None, one.namespace))
        ),
        st.lists(PODS, max_size=8, unique_by=lambda one: (one.namespace, one.name)),
        st.sampled_from([None, "streaming", "accounts"]),
    ),
)


def slowly(known: dict[tuple[str, str], PodSeen], told: Told) -> None:
    if isinstance(told, Changed):
        assert isinstance(told.value, PodSeen)
        known[told.value.namespace, told.value.name] = told.value
    elif isinstance(told, Gone):
        known.pop((told.namespace, told.name), None)
    elif isinstance(told, Listed):
        for key in [one for one in known if told.namespace in (None, one[0])]:
            del known[key]
        for value in told.values:
            assert isinstance(value, PodSeen)
            known[value.namespace, value.name] = value


@given(st.lists(CHANGES, max_size=25))
@settings(max_examples=100, deadline=None)
def test_it_knows_what_a_slow_one_knows(changes: list[Told]) -> None:
    inventory, known = Inventory(), dict[tuple[str, str], PodSeen]()
    for told in changes:
        before = dict(known)
        slowly(known, told)
        found = inventory.take(told)
        replayed = dict(before)
        for one in found:
            for old in [one.before] if one.before is not None else []:
                assert isinstance(old, PodSeen)
                assert replayed.pop((old.namespace, old.name)) == old
            if one.after is not None:
                assert isinstance(one.after, PodSeen)
                replayed[one.after.namespace, one.after.name] = one.after
        assert replayed == known
        assert {(one.namespace, one.name): one for one in inventory.pods} == known
        workloads = {(one.namespace, one.owner) for one in known.values() if one.owner is not None}
        assert set(inventory.pods.workloads()) == workloads
        for workload in itertools.product(("streaming", "accounts"), (PLAYER, PAGE)):
            mine = [one for one in known.values() if (one.namespace, one.owner) == workload]
            ready = [one for one in mine if one.ready is not None and not one.ending]
            assert set(inventory.pods.of(workload)) == set(mine)
            assert inventory.pods.ready(workload) == len(ready)


@pytest.mark.parametrize("owner", [PLAYER, None])
def test_a_pod_that_changes_hands_counts_for_its_new_owner(owner: TargetRef | None) -> None:
    inventory = Inventory()
    inventory.take(Changed("Pod", "added", pod("a", PAGE)))
    inventory.take(Changed("Pod", "changed", pod("a", owner)))
    assert inventory.pods.ready(("streaming", PAGE)) == 0
    assert inventory.pods.ready(("streaming", PLAYER)) == (1 if owner else 0)
