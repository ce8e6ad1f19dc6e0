"""Nodes by what they take: labels and taints, against the same as a linear programme."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from forecaster.cluster.fit import capacity_warnings
from forecaster.cluster.fit_needs import Requested
from forecaster.cluster.fit_warning import FitWarning
from forecaster.cluster.placing import Placement, Requirement, Taint, Toleration
from forecaster.cluster.planned import Planned
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import NodeSeen
from tests.cluster.plan_cases import EIGHT, GIB, asking

PEAK = [10] * 60 + [260] * 30 + [10] * 90
VIDEO = Taint("dedicated", "video", "NoSchedule")
TOLERATED = Toleration("dedicated", "Equal", "video", "NoSchedule")
IN_POOL = (Requirement("pool", "In", ("video",)),)


def nodes(count: int, first: int = 0, cpu: float = 16.0, **more: object) -> list[NodeSeen]:
    one = NodeSeen("n", 0.0, 60.0, cpu, 64 * GIB, 110)
    return [replace(one, name=f"n{first + i}", **more) for i in range(count)]  # type: ignore[arg-type]


def placed(
    name: str, terms: tuple[tuple[Requirement, ...], ...] = (), *tolerations: Toleration
) -> Planned:
    pod = PodShape(cpu=2.0, memory=GIB, placement=Placement(terms, tolerations))
    return asking(name, PEAK, pod=pod)


def only(found: tuple[FitWarning, ...]) -> FitWarning:
    (one,) = found
    return one


def test_missing_nodes_are_one_warning_of_the_tightest_resource() -> None:
    """520 of 256 cores, 1040 of 1024 GiB: the cores are more nodes."""
    one = only(capacity_warnings(EIGHT, [asking("a", PEAK)], (), nodes(16)))
    assert (one.key, one.resource) == (("nodes", "", ""), "requests.cpu")
    assert one.fix == (
        "make room for 264 more requests.cpu and 16Gi more requests.memory: "
        "17 more nodes like those there are"
    )
    assert "; also 1040Gi requests.memory wanted, 1024Gi allowed, from " in one.text()


def test_nodes_that_a_selector_leaves_out_give_no_room() -> None:
    pool = nodes(30, labels={"pool": "video"})
    rest = nodes(100, first=30, labels={"pool": "batch"})
    one = only(capacity_warnings(EIGHT, [placed("a", (IN_POOL,))], (), [*pool, *rest]))
    assert (one.name, one.allowed) == ("pool=video", 480.0)
    assert one.text().startswith("nodes pool=video: at least 520 requests.cpu wanted, 480 allowed")
    assert one.fix.endswith("3 more nodes like those there are")
    assert capacity_warnings(EIGHT, [placed("a")], (), [*pool, *rest]) == ()


def test_tainted_nodes_have_room_for_those_that_tolerate_it() -> None:
    mixed = [*nodes(30), *nodes(10, first=30, taints=(VIDEO,))]
    assert capacity_warnings(EIGHT, [placed("a", (), TOLERATED)], (), mixed) == ()
    one = only(capacity_warnings(EIGHT, [placed("a")], (), mixed))
    assert (one.name, one.allowed) == ("", 480.0)
    both = capacity_warnings(EIGHT, [placed("a"), placed("b", (), TOLERATED)], (), mixed)
    assert [(one.name, one.wanted, one.allowed) for one in both] == [
        ("", 520.0, 480.0),
        ("tolerating dedicated=video:NoSchedule", 1000.0, 640.0),
    ]


def test_what_was_told_of_a_pool_is_not_told_of_all_nodes_again() -> None:
    """The pool lacks 424 of 520 cores; the other 520 of 704 cores are for the ordinary ones."""
    mixed = [*nodes(6, labels={"pool": "video"}), *nodes(38, first=6)]
    plans = [placed("a"), placed("b", (IN_POOL,))]
    one = only(capacity_warnings(EIGHT, plans, (), mixed))
    assert (one.name, one.wanted, one.allowed) == ("pool=video", 520.0, 96.0)
    short = [*mixed[:6], *mixed[6:30]]
    told = capacity_warnings(EIGHT, plans, (), short)
    assert [(one.name, one.wanted) for one in told] == [("", 616.0), ("pool=video", 520.0)]
    assert told[0].workloads == ("streaming/a", "streaming/b")


def test_two_pools_that_overlap_have_no_more_room_than_both_together() -> None:
    a, b, c = ({"zone": zone} for zone in "abc")
    three = [*nodes(20, labels=a), *nodes(20, 20, labels=b), *nodes(20, 40, labels=c)]
    plans = [
        placed("x", ((Requirement("zone", "In", ("a", "b")),),)),
        placed("y", ((Requirement("zone", "In", ("b", "c")),),)),
    ]
    one = only(capacity_warnings(EIGHT, plans, (), three))
    assert (one.name, one.wanted, one.allowed) == ("of all workloads", 1040.0, 960.0)


@pytest.mark.parametrize("there", [[], nodes(3, labels={"pool": "audio"})])
def test_a_pool_without_any_node_is_told(there: list[NodeSeen]) -> None:
    one = only(capacity_warnings(EIGHT, [placed("a", (IN_POOL,))], (), there))
    assert (one.allowed, one.name) == (0.0, "pool=video" if there else "")
    assert one.fix.endswith(": there is no node that takes these pods")


def test_two_pools_without_nodes_are_two_causes_but_no_node_at_all_is_one() -> None:
    audio = (Requirement("pool", "In", ("audio",)),)
    plans = [placed("a", (IN_POOL,)), placed("b", (audio,))]
    told = capacity_warnings(EIGHT, plans, (), nodes(1))
    assert [one.name for one in told] == ["pool=audio", "pool=video"]
    assert only(capacity_warnings(EIGHT, plans, (), [])).wanted == 1040.0


def test_what_others_request_is_taken_off_the_nodes_of_all_workloads() -> None:
    mixed = [*nodes(33), *nodes(5, first=33, taints=(VIDEO,))]
    one = only(capacity_warnings(EIGHT, [placed("a")], (), mixed, Requested(cpu=50.0)))
    assert (one.wanted, one.allowed, one.used_by_others) == (570.0, 528.0, 50.0)


def test_pods_of_which_nothing_is_known_may_be_anywhere() -> None:
    mixed = [*nodes(1), *nodes(1, first=1, taints=(VIDEO,))]
    one = only(capacity_warnings(EIGHT, [asking("a", PEAK, scaled=False)], (), mixed))
    assert (one.resource, one.wanted, one.allowed) == ("pods", 260.0, 220.0)


SETS = [("a",), ("b",), ("c",), ("a", "b"), ("b", "c"), ("a", "b", "c")]


def fits(asked: list[tuple[int, int]], sizes: list[int]) -> bool:
    """Whether pods, in parts, find a place: a transport problem, solved as a linear programme."""
    zones = "abc"
    ways = [(i, zones.index(zone)) for i, (at, _) in enumerate(asked) for zone in SETS[at]]
    demand = np.array([[float(i == row) for i, _ in ways] for row in range(len(asked))])
    room = np.array([[float(j == row) for _, j in ways] for row in range(3)])
    found = linprog(np.zeros(len(ways)), room, sizes, demand, [float(count) for _, count in asked])
    return bool(found.status == 0)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), min_size=1, max_size=5),
    st.tuples(*[st.integers(1, 30)] * 3),
)
@settings(max_examples=200, deadline=None)
def test_what_is_told_cannot_be_placed_and_of_pools_within_pools_nothing_is_kept_back(
    asked: list[tuple[int, int]], sizes: tuple[int, int, int]
) -> None:
    plans = [
        asking(
            f"w{i}",
            [count] * 3,
            now=0,
            pod=PodShape(cpu=1.0, placement=Placement(((Requirement("zone", "In", SETS[at]),),))),
        )
        for i, (at, count) in enumerate(asked)
    ]
    there = [
        replace(nodes(1, at, float(size))[0], labels={"zone": zone})
        for at, (zone, size) in enumerate(zip("abc", sizes, strict=True))
    ]
    told = capacity_warnings(EIGHT, plans, (), there)
    assert len({one.key for one in told}) == len(told)
    possible = fits(asked, list(sizes))
    if told:
        assert not possible
    used = [set(SETS[at]) for at, _ in asked]
    nested = all(not one & two or one <= two or two <= one for one in used for two in used)
    if nested and not possible:
        assert told
