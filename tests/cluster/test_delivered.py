"""Delivered against asked: what is due, why it is not there, and the minutes of a day."""

from __future__ import annotations

import doctest
import tracemalloc
from datetime import timedelta
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.cluster.delivered import Delivery, DeliveryBook
from forecaster.cluster.due import DueTargets
from forecaster.cluster.minutes import MINUTES, MinuteRing
from forecaster.cluster.seen import AutoscalerSeen, Scaled, ScaledObjectSeen
from forecaster.cluster.standing import Reason, Standing, shortfall
from tests.cluster.pod_timelines import DAY, EIGHT, PLAYER

MINUTE = timedelta(minutes=1)
LEAD = 5 * MINUTE
API = "streaming/player-api"
FULL = "0/12 nodes are available: 12 Insufficient cpu."
QUOTA = (
    'pods "player-api-7d9c-x2x" is forbidden: exceeded quota: team, requested: requests.cpu=2, '
    "used: requests.cpu=400, limited: requests.cpu=400"
)
WEBHOOK = 'admission webhook "policy.example.org" denied the request: no digest'


def standing(ready: int, replicas: int | None = None, **known: object) -> Standing:
    asked = ready if replicas is None else replicas
    values: dict[str, object] = {"desired": asked, "max_replicas": 500}
    return Standing(ready, asked, **(values | known))  # type: ignore[arg-type]


def run(
    book: DeliveryBook, told: list[tuple[int, int]], lead: timedelta = LEAD, begin: float = EIGHT
) -> list[Delivery]:
    """(target, ready) of successive minutes."""
    return [
        book.note(API, begin + 60 * i, target, lead, standing(ready))
        for i, (target, ready) in enumerate(told)
    ]


def test_the_worked_examples_hold() -> None:
    for name in ("due", "standing"):
        assert doctest.testmod(import_module(f"forecaster.cluster.{name}")).failed == 0


# What is due


def test_a_target_is_due_a_lead_time_after_it_was_asked_for() -> None:
    found = run(DeliveryBook(), [(10, 10)] * 6 + [(35, 10)] * 7)
    assert [one.due for one in found] == [None] * 5 + [10] * 6 + [35] * 2
    assert [one.short is None for one in found] == [True] * 11 + [False] * 2


def test_a_target_that_fell_before_it_was_due_is_excused() -> None:
    found = run(DeliveryBook(), [(10, 10)] * 6 + [(35, 10)] * 4 + [(10, 10)] * 8)
    assert {one.due for one in found} == {None, 10}


def test_a_target_that_falls_when_it_is_due_or_later_is_not() -> None:
    found = run(DeliveryBook(), [(10, 10)] * 6 + [(35, 10)] * 5 + [(10, 10)] * 8)
    assert [one.due for one in found].count(35) == 1
    assert found[-1].total.missed[Reason.HPA] == 1


def test_a_ramp_is_due_step_by_step() -> None:
    ramp = [(10 + 5 * i, 10 + 5 * max(i - 5, 0)) for i in range(12)]
    found = run(DeliveryBook(), ramp)
    assert [one.due for one in found[5:]] == [10, 15, 20, 25, 30, 35, 40]
    assert all(one.short is None for one in found)


def test_no_floor_is_not_judged() -> None:
    book = DeliveryBook()
    for i in range(30):
        book.note(API, EIGHT + 60 * i, None if i % 2 else 0, LEAD, standing(3))
    latest = book.get(API)
    assert latest is not None
    assert (latest.due, latest.last_day.judged, latest.last_day.share) == (0, 0, None)


def test_after_a_gap_nothing_is_due_for_a_lead_time() -> None:
    book = DeliveryBook()
    run(book, [(35, 35)] * 10)
    found = run(book, [(35, 10)] * 7, begin=EIGHT + 3600)
    assert [one.due for one in found] == [None] * 5 + [35] * 2
    assert found[-1].last_day.judged == 5 + 1  # the last minute is not over


def test_what_comes_late_changes_nothing() -> None:
    book = DeliveryBook()
    latest = run(book, [(35, 35)] * 10)[-1]
    assert book.note(API, EIGHT, 100, LEAD, standing(0)) is latest


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.integers(0, 9)),  # seconds later, target
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 900),
)
@settings(max_examples=200, deadline=None)
def test_due_is_the_lowest_target_of_a_whole_lead_time(
    told: list[tuple[int, int]], lead: int
) -> None:
    """Second by second, as the definition says it."""
    targets, now = DueTargets(), 0
    in_force: list[int] = []
    for later, target in told:
        if in_force:
            in_force.extend([in_force[-1]] * (later - 1))
        begin = now if not in_force else now + later
        now = begin
        due = targets.note(float(now), target, float(lead))
        if now < lead:
            assert due is None
        else:
            assert due == min(in_force[now - lead : now])
        in_force = in_force[:now]
        in_force.append(target)


# Why not


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        pytest.param(
            standing(91), Reason.DEAD_BAND, "100 is within 10 % of 91", id="91 of 100 pods"
        ),
        pytest.param(standing(90), Reason.HPA, "it asks for 90, 100 are due", id="90 of 100 pods"),
        pytest.param(
            standing(91, tolerance=0.0), Reason.HPA, "it asks for 91, 100 are due", id="no band"
        ),
        pytest.param(
            standing(60, 60, max_replicas=60),
            Reason.MAX,
            "the maximum is 60, 100 are due",
            id="maximum",
        ),
        pytest.param(
            standing(60, 60, limited="TooManyReplicas: more than the maximum", max_replicas=60),
            Reason.MAX,
            "the maximum is 60, 100 are due",
            id="maximum, as the HPA says",
        ),
        pytest.param(standing(91, paused=True), Reason.PAUSED, "is paused at 91", id="paused"),
        pytest.param(
            standing(40, stuck="FailedGetExternalMetric: 503"),
            Reason.HPA,
            "FailedGetExternalMetric: 503",
            id="the HPA cannot read",
        ),
        pytest.param(
            standing(
                40, 80, limited="ScaleUpLimit: the desired replica count is increasing faster"
            ),
            Reason.HPA,
            "ScaleUpLimit",
            id="a policy limits the way up",
        ),
        pytest.param(standing(60, 60, desired=100, refused=QUOTA), Reason.QUOTA, QUOTA, id="quota"),
        pytest.param(
            standing(60, 60, desired=100, refused=WEBHOOK), Reason.REFUSED, WEBHOOK, id="webhook"
        ),
        pytest.param(
            standing(60, 100, unschedulable=FULL), Reason.UNSCHEDULABLE, FULL, id="no node"
        ),
        pytest.param(
            standing(60, 100), Reason.SLOW_PODS, "100 are asked for, 60 are ready", id="slow"
        ),
        pytest.param(
            Standing(60, 100), Reason.SLOW_PODS, "100 are asked for", id="slow, without an HPA"
        ),
        pytest.param(
            standing(95, 95, desired=92), Reason.HPA, "it asks for 92", id="on its way down"
        ),
        pytest.param(Standing(0, 0, desired=0), Reason.HPA, "it asks for 0", id="scaled to zero"),
    ],
)
def test_a_shortfall_has_its_reason(state: Standing, reason: Reason, words: str) -> None:
    found = shortfall(100, state)
    assert found is not None
    assert (found.reason, found.missing) == (reason, 100 - state.ready)
    assert words in found.detail


def test_enough_is_no_shortfall() -> None:
    assert shortfall(100, standing(100)) is None
    assert shortfall(0, standing(0, paused=True)) is None


@given(
    st.integers(1, 300),
    st.integers(0, 300),
    st.integers(0, 300),
    st.none() | st.integers(0, 300),
    st.none() | st.integers(1, 300),
    st.floats(0, 0.5),
)
def test_the_dead_band_is_the_one_of_the_hpa(
    due: int, ready: int, replicas: int, desired: int | None, most: int | None, tolerance: float
) -> None:
    """HPA leaves a ratio alone that lies within the tolerance, both ends included."""
    state = Standing(ready, replicas, desired, most, tolerance)
    found = shortfall(due, state)
    assert (found is None) == (ready >= due)
    if found is not None and found.reason is Reason.DEAD_BAND:
        assert replicas < due
        assert abs(due / replicas - 1) <= tolerance + 1e-6
        assert most is None or most >= due


def test_a_standing_is_read_from_what_is_seen() -> None:
    scaled = Scaled("streaming", PLAYER, 91, 90, refused=QUOTA)
    autoscaler = AutoscalerSeen("streaming", "hpa", PLAYER, 2, 200, 91, 95, tolerance_up=0.0)
    scaled_object = ScaledObjectSeen("streaming", "so", "u", "1", PLAYER, 2, 300, paused=True)
    found = Standing.seen(90, scaled, autoscaler, scaled_object, FULL)
    assert found == Standing(90, 91, 95, 200, 0.0, None, None, QUOTA, FULL, True)
    assert Standing.seen(90, scaled, None, scaled_object).max_replicas == 300
    plain = AutoscalerSeen("streaming", "hpa", PLAYER, 2, 9, 7, 8)
    assert Standing.seen(6, scaled, plain).tolerance == 0.1
    # something of another kind, such as a Rollout: the HPA alone knows how many there are
    assert Standing.seen(6, None, plain) == Standing(6, 7, 8, 9)
    assert Standing.seen(6, None) == Standing(6, 6)


# Minutes


def test_an_evening_by_hand() -> None:
    """35 asked for at 20:06, ready at 20:13: due from 20:11 on, so two minutes were missed."""
    told = [(10, 10)] * 6 + [(35, 10)] * 7 + [(35, 35)] * 10 + [(10, 35)] * 3
    latest = run(DeliveryBook(), told)[-1]
    assert latest.last_day == latest.total
    # judged from 20:05 on; the last of the 26 minutes is not over
    assert (latest.total.judged, latest.total.on_time) == (20, 18)
    assert latest.total.share == 0.9
    assert {why: n for why, n in latest.total.missed.items() if n} == {Reason.HPA: 2}


def test_a_day_later_it_is_forgotten_but_in_the_total() -> None:
    book = DeliveryBook()
    run(book, [(10, 10)] * 5 + [(10, 5)] * 10)
    latest = run(book, [(10, 10)] * (MINUTES + 10), begin=EIGHT + 15 * 60)[-1]
    assert sum(latest.last_day.missed.values()) == 0
    assert latest.last_day.on_time == MINUTES - 1
    assert sum(latest.total.missed.values()) == 10


def test_a_minute_is_missed_where_any_instant_in_it_was() -> None:
    book = DeliveryBook()
    for i in range(60):
        ready = 9 if i == 52 else 10  # every 10 s
        book.note(API, EIGHT + 10 * i, 10, MINUTE, standing(ready))
    latest = book.note(API, EIGHT + 600, 10, MINUTE, standing(10))
    assert (latest.total.on_time, sum(latest.total.missed.values())) == (8, 1)


def test_the_minutes_between_two_notes_are_as_the_later_says() -> None:
    book = DeliveryBook()
    for i in range(6):
        book.note(API, EIGHT + 300 * i, 10, LEAD, standing(10 if i < 4 else 9))
    latest = book.get(API)
    assert latest is not None
    assert (latest.total.on_time, sum(latest.total.missed.values())) == (15, 9)


def test_a_restart_keeps_the_last_day() -> None:
    book = DeliveryBook()
    before = run(book, [(10, 10)] * 20 + [(10, 5)] * 10)[-1]
    again = DeliveryBook.from_rows(book.to_rows())
    assert again.get(API) is None
    after = run(again, [(10, 10)] * 7, begin=EIGHT + 1920)[-1]
    assert after.last_day.missed == before.last_day.missed
    assert after.last_day.on_time == before.last_day.on_time + 1
    assert after.total.judged == 1


def test_a_row_that_is_no_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="1440 bytes below 10, not 1440 up to 200"):
        DeliveryBook.from_rows([(API, 5, bytes([200] * MINUTES))])
    with pytest.raises(ValueError, match="not 0 up to 0"):
        DeliveryBook.from_rows([(API, 5, b"")])


def test_workloads_that_are_gone_are_forgotten() -> None:
    book = DeliveryBook()
    run(book, [(10, 10)])
    book.note("tv/other", EIGHT, 3, LEAD, standing(3))
    book.retain(["tv/other"])
    assert [one.workload for one in book] == ["tv/other"]


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 3), st.none() | st.integers(1, 20)),
        max_size=60,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_ring_is_a_dictionary_of_minutes(told: list[tuple[int, int, int | None]]) -> None:
    ring, minute, slow, total = MinuteRing(4), 1000, dict[int, int](), [0] * 4
    for later, kind, back in told:
        if later == 0:
            if slow:
                slow[minute] = max(slow.get(minute, 0), kind)
            else:
                slow[minute] = kind
        else:
            first = minute + later if back is None else minute + later - back + 1
            newest = max(slow, default=first - 1)
            for one in range(max(first, newest + 1), minute + later + 1):
                slow[one] = kind
            minute += later
        ring.say(minute, kind, None if later == 0 or back is None else minute - back)
        over = {one: what for one, what in slow.items() if one < minute}
        total = [sum(what == k for what in over.values()) for k in range(4)]
        day = [w for one, w in over.items() if one > minute - MINUTES]
        assert ring.total() == tuple(total[1:])
        assert ring.last_day() == tuple(day.count(k) for k in (1, 2, 3))


def test_a_day_of_a_workload_is_less_than_four_kilobytes() -> None:
    """5,000 workloads are then 20 MB. Ramps are the worst: each step of one may become due."""
    names = [f"tv/{i}" for i in range(10)]
    states = [standing(i) for i in range(60)]
    tracemalloc.start()
    try:
        book = DeliveryBook()
        for minute in range(0, int(DAY) // 60 + 60, 2):
            for name in names:
                book.note(
                    name, EIGHT + 60.0 * minute, minute % 61, 15 * MINUTE, states[minute % 60]
                )
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / len(names) < 4000
