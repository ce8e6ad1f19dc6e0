"""Will it fit? Spans, sums and the changes that would do, by hand and against a slower way."""

from __future__ import annotations

import doctest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.cluster.fit import capacity_warnings
from forecaster.cluster.fit_needs import Requested
from forecaster.cluster.fit_warning import FitWarning, Limit, amount_text, news
from forecaster.cluster.planned import Planned, planned
from forecaster.cluster.seen import AutoscalerSeen, NodeSeen, QuotaSeen, TargetRef
from forecaster.events import Event
from tests.cluster.plan_cases import EIGHT, GIB, HOUR, MINUTE, asking, plan_of

PEAK = [10] * 60 + [260] * 30 + [10] * 90


def quota(hard: Mapping[str, float], used: Mapping[str, float] = {}) -> QuotaSeen:
    return QuotaSeen("streaming", "team", hard, used)


def nodes(count: int, cpu: float = 16.0, **more: object) -> list[NodeSeen]:
    one = NodeSeen("n", 0.0, 60.0, cpu, 64 * GIB, 110)
    return [replace(one, name=f"n{i}", **more) for i in range(count)]  # type: ignore[arg-type]


def only(found: Sequence[FitWarning]) -> FitWarning:
    (one,) = found
    return one


def test_the_worked_examples_hold() -> None:
    assert doctest.testmod(import_module("forecaster.cluster.fit_warning")).failed == 0


def test_what_fits_needs_no_warning() -> None:
    allowed = quota({"requests.cpu": 520.0, "pods": 260.0}, {"requests.cpu": 20.0, "pods": 10.0})
    plan = asking("player-api", PEAK)
    assert capacity_warnings(EIGHT, [plan], [allowed], nodes(33)) == ()
    assert capacity_warnings(EIGHT, []) == ()


# Maxima


def test_a_maximum_below_the_plan_is_told_an_hour_ahead_with_the_change() -> None:
    found = only(capacity_warnings(EIGHT, [asking("player-api", PEAK, most=150)]))
    # the lead window of one minute asks a minute ahead
    assert (found.start, found.spans[0].end) == (EIGHT + 59 * MINUTE, EIGHT + 90 * MINUTE)
    assert (found.wanted, found.allowed) == (260, 150)
    assert found.hours_ahead == pytest.approx(59 / 60)
    assert found.fix == (
        "set maxReplicaCount of ScaledObject streaming/player-api-keda to 260 or more"
    )
    assert found.text() == (
        "streaming/player-api: 260 replicas wanted, 150 allowed, "
        "2026-06-14 20:59 to 2026-06-14 21:30 UTC; "
        "set maxReplicaCount of ScaledObject streaming/player-api-keda to 260 or more"
    )
    assert found.key == ("maximum", "streaming", "player-api")


@pytest.mark.parametrize(
    ("plan", "fix", "allowed"),
    [
        pytest.param(
            asking("a", PEAK, max_replicas=200),
            "set max_replicas of streaming/a to 260 or more",
            200,
            id="the settings' maximum",
        ),
        pytest.param(
            asking("a", PEAK, max_replicas=200, most=150),
            "set maxReplicaCount of ScaledObject streaming/a-keda and max_replicas of streaming/a "
            "to 260 or more",
            150,
            id="both",
        ),
        pytest.param(
            asking("a", PEAK, max_replicas=150, most=150),
            "set maxReplicaCount of ScaledObject streaming/a-keda "
            "(and max_replicas of streaming/a, where it is set) to 260 or more",
            150,
            id="both alike: the settings may have the object's",
        ),
        pytest.param(
            replace(
                asking("a", PEAK, most=None),
                autoscaler=AutoscalerSeen(
                    "streaming", "a-hpa", TargetRef("Deployment", "a"), 2, 100, 2, 2
                ),
            ),
            "set maxReplicas of HPA streaming/a-hpa to 260 or more",
            100,
            id="an HPA alone",
        ),
    ],
)
def test_the_change_names_the_maximum_that_is_too_low(
    plan: Planned, fix: str, allowed: int
) -> None:
    found = only(capacity_warnings(EIGHT, [plan]))
    assert (found.fix, found.allowed, found.wanted) == (fix, allowed, 260)


def test_an_event_that_wants_more_than_the_maximum_is_in_it() -> None:
    show = Event(EIGHT + HOUR, EIGHT + 2 * HOUR, "live-show", floor_replicas=300)
    plan = plan_of([10] * 180, events=[show], max_replicas=150)
    found = only(capacity_warnings(EIGHT, [planned("streaming", "a", plan)]))
    assert (found.start, found.wanted) == (EIGHT + 59 * MINUTE, 300)
    assert found.spans[0].end == EIGHT + 2 * HOUR


def test_what_is_held_down_is_wanted_as_long() -> None:
    plan = plan_of(PEAK, max_replicas=150, hold_down=10 * MINUTE)
    found = only(capacity_warnings(EIGHT, [planned("streaming", "a", plan)]))
    assert found.spans[0].end == EIGHT + 100 * MINUTE


def test_two_evenings_are_two_spans_of_one_warning_and_a_dent_is_none() -> None:
    evening = [10] * 60 + [260] * 10 + [10] * 8 + [240] * 10
    found = only(capacity_warnings(EIGHT, [asking("a", evening + evening + [10], most=150)]))
    assert [(one.start - EIGHT, one.end - EIGHT, one.wanted) for one in found.spans] == [
        (59 * MINUTE, 88 * MINUTE, 260),
        (147 * MINUTE, 176 * MINUTE, 260),
    ]
    assert "and 1 more times until 2026-06-14 22:56 UTC" in found.text()


def test_what_is_past_is_not_told_and_what_has_begun_begins_now() -> None:
    plan = asking("a", PEAK, most=150)
    now = EIGHT + timedelta(minutes=70, seconds=30)
    found = only(capacity_warnings(now, [plan]))
    assert (found.start, found.hours_ahead) == (now, 0.0)
    assert capacity_warnings(EIGHT + 91 * MINUTE, [plan]) == ()
    assert capacity_warnings(EIGHT + 10 * HOUR, [plan]) == ()


# Quotas


def test_a_quota_is_compared_with_all_plans_of_its_namespace_and_with_others() -> None:
    """100 and 80 pods of 2 cores, 160 of others: 520 of 400 cores.

    Others: 200 used, less the 10 + 10 pods of now at 2 cores.
    """
    plans = [
        asking("player-api", [10] * 60 + [100] * 30 + [10] * 30),
        asking("drm", [10] * 75 + [80] * 30 + [10] * 15),
        asking("elsewhere", [400] * 120, namespace="other"),
    ]
    team = quota({"requests.cpu": 400.0}, {"requests.cpu": 200.0})
    found = only(capacity_warnings(EIGHT, plans, [team]))
    assert (found.used_by_others, found.wanted, found.allowed) == (160.0, 520.0, 400.0)
    assert (found.start, found.spans[0].end) == (EIGHT + 74 * MINUTE, EIGHT + 90 * MINUTE)
    assert found.fix == "raise requests.cpu of quota streaming/team from 400 to 520"
    assert found.workloads == ("streaming/player-api", "streaming/drm")
    assert not found.at_least
    assert found.text().startswith("quota streaming/team: 520 requests.cpu wanted, 400 allowed")


@pytest.mark.parametrize(
    ("key", "hard", "used", "fix"),
    [
        pytest.param("pods", 200.0, 30.0, "from 200 to 280", id="pods"),
        pytest.param("count/pods", 200.0, 30.0, "from 200 to 280", id="count of pods"),
        pytest.param("requests.memory", 1000 * GIB, 40 * GIB, "from 1000Gi to 1040Gi", id="memory"),
        pytest.param("cpu", 100.5, 20.0, "from 100.5 to 520", id="cpu, the short form"),
    ],
)
def test_each_resource_has_its_own_unit(key: str, hard: float, used: float, fix: str) -> None:
    found = only(capacity_warnings(EIGHT, [asking("a", PEAK)], [quota({key: hard}, {key: used})]))
    assert found.fix == f"raise {key} of quota streaming/team {fix}"


def test_replicas_that_a_quota_refuses_use_none_of_it() -> None:
    """Of 260 replicas 100 exist: of 260 pods used 160 are those of others."""
    plan = replace(asking("a", PEAK, now=260), pods=100)
    found = only(capacity_warnings(EIGHT, [plan], [quota({"pods": 260.0}, {"pods": 260.0})]))
    assert (found.used_by_others, found.wanted) == (160.0, 420.0)


def test_other_keys_and_other_namespaces_are_left_alone() -> None:
    team = quota({"requests.storage": 1.0, "count/secrets": 1.0})
    elsewhere = replace(quota({"pods": 1.0}), namespace="other")
    assert capacity_warnings(EIGHT, [asking("a", PEAK)], [team, elsewhere]) == ()


def test_what_the_objects_bounds_keep_away_needs_no_room() -> None:
    team = quota({"pods": 155.0})
    found = capacity_warnings(EIGHT, [asking("a", PEAK, most=150)], [team])
    assert [one.limit for one in found] == [Limit.MAXIMUM]
    found = capacity_warnings(EIGHT, [asking("a", [1] * 100, least=160)], [team])
    assert [(one.limit, one.wanted) for one in found] == [(Limit.QUOTA, 160)]


def test_without_the_pods_requests_it_is_at_least_so_much() -> None:
    plans = [asking("a", PEAK), asking("b", PEAK, scaled=False)]
    found = only(capacity_warnings(EIGHT, plans, [quota({"requests.cpu": 500.0})]))
    assert (found.wanted, found.at_least) == (520.0, True)
    assert "at least 520 requests.cpu wanted" in found.text()


def test_sums_of_tenths_are_not_above_their_own_total() -> None:
    """0.1 × 3 is more than 0.3 by the last bit."""
    plan = asking("a", [3] * 60, cpu=0.1, now=3)
    assert capacity_warnings(EIGHT, [plan], [quota({"cpu": 0.3}, {"cpu": 0.3})]) == ()


# Nodes


def test_nodes_are_compared_with_all_namespaces() -> None:
    plans = [asking("a", PEAK), asking("b", PEAK, namespace="other")]
    found = only(capacity_warnings(EIGHT, plans, (), nodes(60), Requested(cpu=100.0)))
    assert (found.wanted, found.allowed, found.used_by_others) == (1140.0, 960.0, 100.0)
    assert found.fix == "make room for 180 more requests.cpu: 12 more nodes like those there are"
    assert found.text().startswith("nodes: at least 1140 requests.cpu wanted, 960 allowed")
    assert found.workloads == ("other/b", "streaming/a")


def test_nodes_that_take_no_pods_give_no_room() -> None:
    usable = [*nodes(33), *nodes(5, schedulable=False), *nodes(5, ready=None)]
    assert capacity_warnings(EIGHT, [asking("a", PEAK)], (), usable) == ()
    found = only(capacity_warnings(EIGHT, [asking("a", PEAK)], (), usable[1:]))
    assert found.allowed == 512.0
    assert found.fix == "make room for 8 more requests.cpu: 1 more node like those there are"


def test_without_any_node_it_says_what_is_missing() -> None:
    found = only(capacity_warnings(EIGHT, [asking("a", PEAK)], (), []))
    assert found.fix == (
        "make room for 520 more requests.cpu and 1040Gi more requests.memory and 260 more pods: "
        "there is no node that takes these pods"
    )


# What is told


def test_the_soonest_comes_first_whatever_the_order_of_the_plans() -> None:
    late = asking("a", [10] * 90 + [260] * 10, most=150)
    soon = asking("z", [10] * 30 + [260] * 10, most=150)
    found = capacity_warnings(EIGHT, [late, soon])
    assert [one.name for one in found] == ["z", "a"]
    assert capacity_warnings(EIGHT, [soon, late]) == found


def test_people_are_told_once_and_again_when_it_grew_by_a_tenth() -> None:
    first = capacity_warnings(EIGHT, [asking("a", PEAK, most=150)])
    assert news([], first) == first
    shifted = [10] * 65 + [262] * 28 + [10] * 90
    assert news(first, capacity_warnings(EIGHT, [asking("a", shifted, most=150)])) == ()
    grown = capacity_warnings(EIGHT, [asking("a", [10] * 60 + [290] * 9, most=150)])
    assert news(first, grown) == grown


@given(st.sampled_from(["cpu", "memory", "pods"]), st.floats(0.001, 1e13))
def test_an_amount_rounded_up_is_enough(resource: str, amount: float) -> None:
    text = amount_text(resource, amount, up=True)
    factor = {"Gi": 2.0**30, "Mi": 2.0**20}.get(text[-2:], 1.0)
    number = float(text.removesuffix("Gi").removesuffix("Mi")) * factor
    grain = {"cpu": 0.001, "memory": 2.0**20, "pods": 1.0}[resource]
    assert amount * (1 - 2e-9) <= number <= amount + grain * (1 + 1e-6)


workloads = st.lists(
    st.tuples(
        st.sampled_from(["streaming", "tv"]),
        st.sampled_from([1, 2, 4]),  # minutes a step
        st.integers(-40, 40),  # minutes, or steps, from now to its start
        st.lists(st.integers(0, 30), min_size=2, max_size=30),
        st.integers(1, 25),  # the object's maximum
    ),
    min_size=1,
    max_size=4,
)


@given(workloads, st.integers(1, 40), st.integers(0, 20))
@settings(max_examples=100, deadline=None)
def test_quota_spans_are_what_a_loop_over_the_minutes_finds(
    told: list[tuple[str, int, int, list[int], int]], hard: int, beside: int
) -> None:
    by_minutes = min(step for _, step, *_ in told) == 1
    plans = [
        asking(
            f"w{i}",
            values,
            namespace=ns,
            most=most,
            step=step * MINUTE,
            # Nothing is seen of what overlaps for less than the finest step.
            start=EIGHT + at * MINUTE * (1 if by_minutes else step),
        )
        for i, (ns, step, at, values, most) in enumerate(told)
    ]
    mine = [one for one in plans if one.namespace == "streaming"]
    used = {"pods": float(10 * len(mine) + beside)}
    found = capacity_warnings(EIGHT, plans, [quota({"pods": float(hard)}, used)])
    told_over = [one for one in found if one.limit is Limit.QUOTA]
    over = {}
    for minute in range(300):
        at, total = EIGHT + minute * MINUTE, beside
        for one in mine:
            index = (at - one.start) // one.step
            if 0 <= index < len(one.replicas):
                total += min(int(one.replicas[index]), one.bounds[1] or 0)
        if total > hard and (mine or beside):
            over[at] = total
    # Beyond the plans only others are left, and nobody looks there.
    last = max((one.start + len(one.replicas) * one.step for one in plans), default=EIGHT)
    over = {at: total for at, total in over.items() if at < last} if mine else {}
    if not over:
        assert told_over == []
        return
    warning = only(told_over)
    assert (warning.wanted, warning.start) == (max(over.values()), min(over))
    covered = {at for at in over if any(span.start <= at < span.end for span in warning.spans)}
    assert covered == set(over)


def test_a_thousand_workloads_of_two_days_take_well_under_a_second() -> None:
    minutes = np.arange(2880)
    daily = (1.05 + np.sin(2 * np.pi * minutes / 1440)) / 2
    plans = []
    for i in range(1000):
        one = asking(f"w{i}", [1, 1], namespace=f"ns{i % 50}", most=90)
        values = np.ceil((20 + i % 80) * daily).astype(np.int64)
        plans.append(replace(one, replicas=values, wanted=values))
    quotas = [
        QuotaSeen(f"ns{i}", "team", {"requests.cpu": 400.0}, {"requests.cpu": 400.0})
        for i in range(50)
    ]
    before = process_time()
    found = capacity_warnings(EIGHT, plans, quotas, nodes(1000))
    assert process_time() - before < 1.0
    assert len(found) > 100
