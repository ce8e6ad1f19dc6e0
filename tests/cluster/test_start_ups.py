"""Start-ups among the changes of pods: scenarios by the clock."""

from __future__ import annotations

import doctest
import json
from dataclasses import replace
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.cluster.seen import PodSeen
from forecaster.cluster.start_up import start_up
from forecaster.cluster.start_ups import MOST_KEPT, StartUps
from tests.cluster.pod_timelines import (
    DAY,
    EIGHT,
    Change,
    changes,
    coming_up,
    last,
    node,
    play,
    pod,
    then,
)


def test_the_worked_examples_hold() -> None:
    for name in ("start_up", "start_ups", "lead_time"):
        assert doctest.testmod(import_module(f"forecaster.cluster.{name}")).failed == 0


def test_a_pod_counts_when_it_is_ready_for_the_first_time_and_by_its_parts() -> None:
    found = play(StartUps(), coming_up("a", EIGHT, 2.0, 5.0, 30.0))
    assert [(one.scheduling, one.node, one.initialising, one.starting) for one in found] == [
        (2.0, 0.0, 5.0, 30.0)
    ]
    assert found[0].ready == EIGHT + 37
    assert found[0].watched
    assert not (found[0].restarted or found[0].unschedulable)


def test_fifty_pods_that_wait_for_five_nodes() -> None:
    """Ten find room at once; forty wait 90 s for nodes that join after 70 s, ready at 90 s."""
    full = "0/12 nodes are available: 12 Insufficient cpu."
    told: list[Change] = []
    for i in range(50):
        at_once = i < 10
        on = "node-1" if at_once else f"new-{i % 5}"
        told += coming_up(
            f"u{i}",
            EIGHT,
            1.0 if at_once else 92.0,
            3.0,
            12.0 if at_once else 40.0,  # a new node has no image yet
            on=on,
            told=None if at_once else full,
        )
    nodes = [node("node-1", EIGHT - 30 * DAY, EIGHT - 30 * DAY + 40)]
    nodes += [node(f"new-{k}", EIGHT + 70, EIGHT + 90) for k in range(5)]
    book = StartUps()
    found = play(book, told, nodes)
    waited = [one for one in found if one.unschedulable]
    assert (len(found), len(waited)) == (50, 40)
    assert {(one.node, one.scheduling, one.total) for one in waited} == {(90.0, 2.0, 135.0)}
    summary = book.summary(EIGHT + 300)
    assert summary.total is not None and summary.node is not None and summary.starting is not None
    assert (summary.total.p50, summary.total.p95) == (135.0, 135.0)
    assert (summary.node.p50, summary.starting.p95) == (90.0, 40.0)
    assert summary.new_node is not None and summary.new_node.p95 == 135.0
    assert (summary.count, summary.unschedulable, summary.waiting) == (50, 40, 0)


def test_without_nodes_the_wait_is_the_schedulers_but_marked() -> None:
    told = coming_up("a", EIGHT, 92.0, told="0/12 nodes are available: 12 Insufficient cpu.")
    (found,) = play(StartUps(), told)
    assert (found.node, found.scheduling, found.unschedulable) == (0.0, 92.0, True)


@pytest.mark.parametrize(
    ("joined", "ready", "waited"),
    [
        pytest.param(EIGHT + 70, EIGHT + 90, 90.0, id="joined after the pod was made"),
        pytest.param(EIGHT - 20, EIGHT + 15, 15.0, id="was on its way already"),
        pytest.param(EIGHT - DAY, EIGHT - DAY, 0.0, id="was there"),
        pytest.param(EIGHT + 70, EIGHT + DAY, 70.0, id="lost and regained readiness later"),
        pytest.param(EIGHT - DAY, EIGHT + DAY, 0.0, id="an old one that did so"),
        pytest.param(EIGHT + 70, None, 70.0, id="is not ready now"),
    ],
)
def test_the_node_part_is_the_wait_for_the_pods_own_node(
    joined: float, ready: float | None, waited: float
) -> None:
    seen = last(coming_up("a", EIGHT, 100.0))
    found = start_up(seen, node("node-1", joined, ready))
    assert found is not None
    assert (found.node, found.scheduling) == (waited, 100.0 - waited)


def test_a_slow_image_is_in_the_starting_part() -> None:
    (found,) = play(StartUps(), coming_up("a", EIGHT, 0.0, 0.0, 240.0))
    assert (found.starting, found.total) == (240.0, 240.0)


def test_readiness_that_flaps_later_is_no_start_up() -> None:
    up = coming_up("a", EIGHT)
    seen = last(up)
    told = then(
        up,
        (EIGHT + 3600, replace(seen, ready=None)),
        (EIGHT + 3660, replace(seen, ready=EIGHT + 3660)),
        (EIGHT + 3700, replace(seen, ready=None, restarts=1)),
        (EIGHT + 3790, replace(seen, ready=EIGHT + 3790, restarts=1)),
        (EIGHT + 9000, replace(seen, ready=EIGHT + 3790, restarts=1, ending=True)),
        (EIGHT + 9030, None),
    )
    book = StartUps()
    assert [one.total for one in play(book, told)] == [25.0]
    assert book.summary(EIGHT + DAY).never_ready == 0


def test_a_container_that_fell_over_first_counts_as_slow_and_is_marked() -> None:
    (found,) = play(StartUps(), coming_up("a", EIGHT, starting=90.0, restarts=2))
    assert (found.total, found.restarted) == (95.0, True)


def test_a_crash_loop_is_never_ready_and_measures_nothing() -> None:
    up = coming_up("a", EIGHT, restarts=4)[:-1]
    seen = last(up)
    told = then(
        up,
        (EIGHT + 900, replace(seen, restarts=9)),
        (EIGHT + 1200, replace(seen, restarts=9, ending=True)),
        (EIGHT + 1230, None),
    )
    book = StartUps()
    assert play(book, told[:-2]) == []
    summary = book.summary(EIGHT + 1100)
    assert (summary.waiting, summary.longest_wait, summary.never_ready) == (1, 1100.0, 0)
    assert play(book, told[-2:-1]) == []
    assert book.summary(EIGHT + 1210).never_ready == 1
    assert play(book, told[-1:]) == []
    summary = book.summary(EIGHT + 1300)
    assert (summary.count, summary.waiting, summary.never_ready) == (0, 0, 1)
    assert summary.text() == "not enough yet: 0 of 5 start-ups"


def test_a_rolling_update_counts_each_new_pod_once_and_no_old_one() -> None:
    book = StartUps()
    old: list[Change] = []
    for i in range(6):
        old += coming_up(f"old{i}", EIGHT)
    assert len(play(book, old)) == 6
    told: list[Change] = []
    for i in range(6):
        begun = EIGHT + 3600 + 30 * i
        up = coming_up(f"new{i}", begun)
        gone = last(coming_up(f"old{i}", EIGHT))
        ready = last(up).ready
        assert ready is not None
        told += up
        told += [
            Change(ready + 1, gone, replace(gone, ending=True)),
            Change(ready + 5, replace(gone, ending=True), replace(gone, ending=True, ready=None)),
            Change(ready + 31, replace(gone, ending=True, ready=None), None),
        ]
    assert len(play(book, told)) == 6
    assert book.summary(EIGHT + 7200).never_ready == 0


def test_pods_that_are_taken_away_before_they_are_ready_are_counted() -> None:
    told = [*coming_up("a", EIGHT)[:2]]
    book = StartUps()
    play(book, then(told, (EIGHT + 10, None)))
    assert book.summary(EIGHT + 60).never_ready == 1
    assert book.summary(EIGHT + 15 * DAY).never_ready == 0


# A service that starts among pods that are there already


def test_a_pod_found_ready_is_told_by_its_conditions() -> None:
    seen = last(coming_up("a", EIGHT))
    (found,) = play(StartUps(), changes((EIGHT + 2 * DAY, seen)))
    assert (found.total, found.watched) == (25.0, False)


def test_a_pod_found_ready_with_restarts_is_not() -> None:
    seen = replace(last(coming_up("a", EIGHT)), restarts=1)
    assert play(StartUps(), changes((EIGHT + 2 * DAY, seen))) == []


def test_a_readiness_long_after_the_creation_is_a_later_one() -> None:
    seen = replace(last(coming_up("a", EIGHT)), ready=EIGHT + 1801)
    assert play(StartUps(), changes((EIGHT + 2 * DAY, seen))) == []


def test_what_conditions_tell_gives_way_to_what_was_watched() -> None:
    book = StartUps()
    for i in range(20):
        seen = replace(last(coming_up(f"old{i}", EIGHT)), ready=EIGHT + 1000)
        book.note(EIGHT + DAY, None, seen)
    for i in range(4):
        play(book, coming_up(f"new{i}", EIGHT + DAY))
    summary = book.summary(EIGHT + 2 * DAY)
    assert summary.total is not None
    assert (summary.count, summary.total.p95, summary.watched) == (24, 1000.0, False)
    play(book, coming_up("new4", EIGHT + DAY))
    summary = book.summary(EIGHT + 2 * DAY)
    assert summary.total is not None
    assert (summary.count, summary.total.p95, summary.watched) == (5, 25.0, True)


def test_a_pod_first_seen_within_a_minute_of_its_creation_was_watched() -> None:
    """Changes that come close together reach the book as one."""
    seen = last(coming_up("a", EIGHT))
    (found,) = play(StartUps(), changes((EIGHT + 30, seen)))
    assert found.watched


def test_a_pod_found_not_ready_may_have_been_ready_before() -> None:
    seen = replace(last(coming_up("a", EIGHT)), ready=None)
    told = changes((EIGHT + 300, seen), (EIGHT + 320, replace(seen, ready=EIGHT + 320)))
    book = StartUps()
    assert play(book, [*told, Change(EIGHT + 900, told[-1].after, None)]) == []
    assert book.summary(EIGHT + 1000).never_ready == 0


def test_a_pod_found_without_a_node_was_never_ready() -> None:
    up = coming_up("a", EIGHT, 400.0)
    assert [one.total for one in play(StartUps(), changes((EIGHT + 300, up[0].after)))] == []
    book = StartUps()
    told = [Change(EIGHT + 300, None, up[0].after), *up[1:]]
    assert [one.total for one in play(book, told)] == [424.0]


def test_a_workload_taken_in_while_a_pod_flaps_does_not_measure_the_flap() -> None:
    seen = last(coming_up("a", EIGHT))
    flap = [
        Change(EIGHT + 50, seen, replace(seen, ready=None)),
        Change(EIGHT + 55, replace(seen, ready=None), replace(seen, ready=EIGHT + 55)),
    ]
    assert [one.total for one in play(StartUps(), flap)] == [25.0]


def test_a_restart_of_the_service_counts_no_pod_twice() -> None:
    """Three pods are found as they were, and three are in the middle of a flap."""
    book = StartUps()
    for i in range(6):
        play(book, coming_up(f"u{i}", EIGHT + i))
    pods = [last(coming_up(f"u{i}", EIGHT + i)) for i in range(6)]
    again = StartUps.from_rows(json.loads(json.dumps(book.to_rows())))
    for seen in pods[:3]:
        assert again.note(EIGHT + 50, None, seen) is None
    for seen in pods[3:]:
        down = replace(seen, ready=None)
        assert again.note(EIGHT + 50, None, down) is None
        assert again.note(EIGHT + 55, down, replace(down, ready=EIGHT + 55)) is None
    assert again.to_rows() == book.to_rows()


def test_a_stateful_pod_that_comes_back_under_its_name_is_another_one() -> None:
    """Read anew after a cut, the list has the name with another uid."""
    old, new = last(coming_up("a", EIGHT)), coming_up("b", EIGHT + DAY)
    book = StartUps()
    play(book, coming_up("a", EIGHT))
    told = [Change(EIGHT + DAY, old, new[0].after), *new[1:]]
    assert [one.created for one in play(book, told)] == [EIGHT + DAY]


# What is kept


def test_two_hundred_of_the_last_fourteen_days_are_kept() -> None:
    book = StartUps()
    for i in range(300):
        play(book, coming_up(f"u{i}", EIGHT + 60.0 * i, starting=float(i)))
    assert len(book.to_rows()) == MOST_KEPT == 200
    summary = book.summary(EIGHT + DAY)
    assert (summary.count, summary.since) == (200, EIGHT + 60 * 100 + 5 + 100)
    last_ready = EIGHT + 60 * 299 + 5 + 299
    assert book.summary(last_ready + 14 * DAY).count == 1
    assert book.summary(last_ready + 14 * DAY + 1).count == 0


def test_rows_come_back_as_they_were_in_any_order() -> None:
    book = StartUps()
    for i in range(12):
        play(book, coming_up(f"u{i}", EIGHT + 7.0 * (i % 5), starting=float(i), restarts=i % 2))
    play(book, then(coming_up("x", EIGHT)[:2], (EIGHT + 10, None)))
    rows = book.to_rows()
    assert len(rows) == 13
    again = StartUps.from_rows(reversed(rows))
    assert again.summary(EIGHT + DAY) == book.summary(EIGHT + DAY)
    assert sorted(again.to_rows()) == sorted(rows)
    assert all(type(value) in (int, float) for row in rows for value in row)


@st.composite
def conditions(draw: st.DrawFn) -> PodSeen:
    """Conditions of several clocks: nothing is in order for sure."""
    instant = st.none() | st.integers(-50, 5000).map(lambda at: EIGHT + at)
    return pod(
        "a",
        EIGHT,
        scheduled=draw(instant),
        initialised=draw(instant),
        ready=EIGHT + draw(st.integers(-50, 5000)),
        node="n",
    )


@given(conditions(), st.integers(-9000, 9000), st.none() | st.integers(-9000, 9000))
@settings(max_examples=200, deadline=None)
def test_parts_are_never_negative_and_add_up(seen: PodSeen, joined: int, ready: int | None) -> None:
    on = node("n", EIGHT + joined, None if ready is None else EIGHT + ready)
    for one in (start_up(seen), start_up(seen, on)):
        assert one is not None and seen.ready is not None
        assert min(one.scheduling, one.node, one.initialising, one.starting) >= 0
        assert one.total == max(seen.ready, EIGHT) - EIGHT


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),  # which pod
            st.sampled_from(["unready", "ready", "ending", "gone"]),
            st.integers(1, 100),  # seconds later
        ),
        max_size=40,
    )
)
@settings(max_examples=200, deadline=None)
def test_no_order_of_changes_counts_a_pod_twice(told: list[tuple[int, str, int]]) -> None:
    book, now = StartUps(), EIGHT
    seen: dict[int, PodSeen] = {}
    born = dict.fromkeys(range(4), 0)
    outcomes: list[str] = []
    for which, what, later in told:
        now += later
        before = seen.get(which)
        if before is None:
            if what == "gone":
                continue
            born[which] += 1
            before_uid = f"{which}.{born[which]}"
            after: PodSeen | None = pod(before_uid, now - 1, scheduled=now, initialised=now)
        else:
            after = before
        assert after is not None
        if what == "ready":
            after = replace(after, ready=after.ready or now)
        elif what == "unready":
            after = replace(after, ready=None)
        elif what == "ending":
            after = replace(after, ending=True)
        else:
            after = None
        made = book.note(now, before, after)
        if made is not None:
            assert after is not None
            outcomes.append(after.uid)
        if after is None:
            del seen[which]
        else:
            seen[which] = after
    assert len(outcomes) == len(set(outcomes))
    summary = book.summary(now)
    assert summary.count == len(outcomes)
    assert len(outcomes) + summary.never_ready + summary.waiting <= sum(born.values())
