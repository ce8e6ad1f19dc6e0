"""Floors that events declare: by the clock, in words, in the plan and in what is served."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import NoUsablePlan
from forecaster.events import Event
from forecaster.models.outlook import Outlook
from forecaster.models.peak import Taught
from forecaster.planning import Held, Mode, ScalingRule, Source, build_plan
from forecaster.planning.event_floor import Declared, EventFloor, event_floor, served_floors
from forecaster.planning.live import NO_LIVE, Live, ToldPeak
from forecaster.planning.plan import Plan
from forecaster.planning.planner import Known, decide
from forecaster.planning.snapshot import WorkloadState
from forecaster.planning.target import Target

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEVEN = datetime(2026, 6, 14, 19, 0, tzinfo=UTC)
RULE = ScalingRule(capacity_rps=20.0, lead_time=5 * MINUTE)
FINAL = Event(SEVEN, SEVEN + 2 * HOUR, "live-show", name="Final night", floor_replicas=40)
HELD = dataclasses.replace(FINAL, hold=True, ceiling=4 * HOUR)


def changed(event: Event, **changes: object) -> Event:
    return dataclasses.replace(event, **changes)  # type: ignore[arg-type]


def at(
    clock: str,
    *events: Event,
    rule: ScalingRule = RULE,
    seen: float | None = None,
    seen_until: datetime | None = None,
) -> EventFloor | None:
    """The floor of the minute that begins at ``clock``, on the day of the show."""
    hours, minutes = map(int, clock.split(":"))
    since = SEVEN.replace(hour=0) + hours * HOUR + minutes * MINUTE
    declared = Declared(events, MINUTE, seen, seen_until or since)
    return event_floor(declared, rule, since, since + MINUTE)


def replicas(floor: EventFloor | None) -> int:
    return 0 if floor is None else floor.replicas


def reason(floor: EventFloor | None) -> str:
    assert floor is not None
    return floor.reason


def test_a_floor_holds_from_the_lead_time_before_the_start_until_the_end() -> None:
    clocks = ("18:54", "18:55", "19:00", "20:59", "21:00", "22:00")
    assert [replicas(at(clock, FINAL)) for clock in clocks] == [0, 40, 40, 40, 0, 0]
    assert reason(at("18:55", FINAL)) == (
        'event floor 40 replicas from 18:55 UTC: live-show "Final night" starts at 19:00 UTC'
    )
    assert reason(at("19:30", FINAL)) == (
        'event floor 40 replicas until 21:00 UTC: live-show "Final night" started at 19:00 UTC'
    )


def test_a_start_that_is_not_sure_widens_it_both_ways_and_an_end_on_another_day_says_which() -> (
    None
):
    unsure = changed(FINAL, start_uncertainty=10 * MINUTE, end=SEVEN + 6 * HOUR)
    clocks = ("18:44", "18:45", "25:00", "25:09", "25:10")
    assert [replicas(at(clock, unsure)) for clock in clocks] == [0, 40, 40, 40, 0]
    assert reason(at("18:45", unsure)).endswith("starts at 19:00 UTC, or up to 10m earlier")
    assert reason(at("19:00", unsure)).endswith("started at 19:00 UTC, or up to 10m later")
    assert "until 2026-06-15 01:10 UTC: " in reason(at("23:59", unsure))
    assert 'until 01:10 UTC: live-show "Final night" started at 2026-06-14' in reason(
        at("24:01", unsure)
    )


def test_what_may_begin_late_is_held_by_the_traffic_after_its_latest_planned_end() -> None:
    unsure = changed(HELD, start_uncertainty=30 * MINUTE)
    clocks = ("21:00", "21:29", "21:30")
    assert [replicas(at(clock, unsure, seen=3.0)) for clock in clocks] == [40, 40, 0]
    assert reason(at("21:42", unsure, seen=812.0)) == (
        "event floor 40 replicas held: traffic is 812 rps 12m after the latest planned end of "
        'live-show "Final night", let go below 400 rps'
    )
    by_clock = [replicas(at(clock, unsure, seen=812.0)) for clock in ("23:29", "23:30")]
    assert by_clock == [40, 0]
    unknown = reason(at("21:42", unsure, seen=5.0, seen_until=SEVEN + 149 * MINUTE))
    assert unknown.endswith(
        'since the latest planned end of live-show "Final night" at 21:30 UTC, let go at 23:30 UTC'
    )


@pytest.mark.parametrize(
    ("by_traffic", "by_count", "floor", "told"),
    [
        (812.0, None, 41, "event floor 41 replicas (812 rps ÷ 20 rps) until"),
        (812.0, 12, 41, "event floor 41 replicas (812 rps ÷ 20 rps) until"),
        (812.0, 60, 60, "event floor 60 replicas until"),
        (820.0, None, 41, "event floor 41 replicas (820 rps ÷ 20 rps) until"),
        (None, 1, 1, "event floor 1 replica until"),
    ],
)
def test_traffic_is_divided_by_capacity_and_the_larger_of_two_floors_counts(
    by_traffic: float | None, by_count: int | None, floor: int, told: str
) -> None:
    found = at("19:30", changed(FINAL, floor_rps=by_traffic, floor_replicas=by_count))
    assert replicas(found) == floor
    assert reason(found).startswith(told)


def test_of_several_the_largest_counts_and_they_never_add() -> None:
    news = changed(FINAL, name="News", start=SEVEN + HOUR, floor_replicas=30)
    duel = changed(FINAL, name="Duel", start=SEVEN + HOUR, end=SEVEN + 3 * HOUR, floor_replicas=70)
    everything = (news, FINAL, duel)
    clocks = ("19:30", "20:30", "21:30")
    assert [replicas(at(clock, *everything)) for clock in clocks] == [40, 70, 70]
    assert 'live-show "Duel"' in reason(at("20:30", *everything))


def test_the_maximum_limits_a_floor_and_the_minimum_is_below_every_one() -> None:
    rule = ScalingRule(20.0, min_replicas=3, max_replicas=25)
    assert replicas(at("19:30", FINAL, rule=rule)) == 25
    assert reason(at("19:30", FINAL, rule=rule)).endswith("; limited to the maximum of 25")
    assert replicas(at("19:30", changed(FINAL, floor_replicas=2), rule=rule)) == 3


@pytest.mark.parametrize(
    "nothing",
    [
        changed(FINAL, cancelled=True),
        changed(FINAL, floor_replicas=None),
        changed(FINAL, floor_replicas=0, floor_rps=0.0),
    ],
    ids=["cancelled", "no floor", "floors of 0"],
)
def test_what_is_cancelled_or_declares_none_does_nothing(nothing: Event) -> None:
    assert at("19:30", nothing) is None


def test_a_held_floor_is_let_go_when_traffic_has_fallen_to_half_or_at_the_latest_end() -> None:
    """40 replicas of 20 rps stand for 800 rps."""
    assert replicas(at("21:12", FINAL, seen=812.0)) == 0
    held = at("21:12", HELD, seen=812.0)
    assert replicas(held) == 40
    assert reason(held) == (
        "event floor 40 replicas held: traffic is 812 rps 12m after the end of live-show "
        '"Final night", let go below 400 rps'
    )
    by_traffic = {rate: replicas(at("21:12", HELD, seen=rate)) for rate in (401.0, 400.0, 3.0)}
    assert by_traffic == {401.0: 40, 400.0: 0, 3.0: 0}
    by_clock = [replicas(at(clock, HELD, seen=812.0)) for clock in ("22:59", "23:00")]
    assert by_clock == [40, 0]
    stands_for_more = changed(HELD, floor_rps=1000.0, floor_replicas=None)
    assert replicas(at("21:12", stands_for_more, seen=499.0)) == 0
    assert replicas(at("21:12", stands_for_more, seen=501.0)) == 50


@pytest.mark.parametrize(
    "seen",
    [
        (None, None),
        (float("nan"), SEVEN + 3 * HOUR),
        (5.0, SEVEN + 119 * MINUTE),
    ],
    ids=["none", "not a number", "from before the end"],
)
def test_where_no_traffic_since_the_end_is_known_the_floor_is_held(
    seen: tuple[float | None, datetime | None],
) -> None:
    held = at("21:12", HELD, seen=seen[0], seen_until=seen[1])
    assert replicas(held) == 40
    assert reason(held).endswith(
        'held: no traffic is known since the end of live-show "Final night" at 21:00 UTC, '
        "let go at 23:00 UTC"
    )


def test_low_traffic_before_the_planned_end_lets_nothing_go() -> None:
    assert replicas(at("20:30", HELD, seen=3.0)) == 40


# What it raises.

EIGHT = SEVEN + HOUR
QUIET, BUSY = 100.0, 2000.0


def plan(rate: float, rule: ScalingRule = RULE, *events: Event, step: timedelta = MINUTE) -> Plan:
    rates = np.vstack([np.full(2000, rate / 2), np.full(2000, rate)])
    outlook = Outlook("tv/api", SEVEN - HOUR, SEVEN - HOUR, step, (0.5, 0.98), rates, "given")
    return build_plan(outlook, rule, events=events)


def live(peak: float, now: datetime = EIGHT, held: tuple[Held, ...] = ()) -> Live:
    told = ToldPeak(now, MINUTE, 5, 90.0, 0.98, peak, Taught.OWN)
    return Live(told, 4 * MINUTE, held=held)


def target(
    of: Live,
    by: Plan | None,
    *events: Event,
    now: datetime = EIGHT,
    rule: ScalingRule = RULE,
    why: str | None = None,
) -> Target:
    return decide(Known("tv/api", rule, by, of, Declared(events), why), now)


def test_a_floor_raises_the_lead_peak_and_the_outlook_and_never_lowers_them() -> None:
    low = target(live(QUIET), None, FINAL)
    assert (low.replicas, low.source) == (40, Source.LEAD_PEAK)
    assert low.reasons[0].endswith("= 5; traffic was 90 rps up to 20:00 UTC")
    assert low.reasons[-1].startswith("event floor 40 replicas until 21:00 UTC: ")
    assert target(live(BUSY), None, FINAL).replicas == 100
    for known in ((), (FINAL,)):  # whether or not the plan was made with it
        by_plan = target(NO_LIVE, plan(QUIET, RULE, *known), FINAL)
        assert (by_plan.replicas, by_plan.source) == (40, Source.OUTLOOK)
        assert [one[:11] for one in by_plan.reasons] == [
            "outlook 0.9",
            "outlook spe",
            "event floor",
        ]
    assert target(NO_LIVE, plan(BUSY, RULE, FINAL), FINAL).replicas == 100


def test_the_minimum_is_not_what_raised_where_a_floor_did() -> None:
    rule = ScalingRule(20.0, min_replicas=8)
    assert "raised to the minimum of 8" in target(live(QUIET), None, rule=rule).reasons
    raised = target(live(QUIET), None, FINAL, rule=rule)
    assert not [one for one in raised.reasons if "minimum" in one]


def test_where_no_forecast_speaks_the_floor_alone_is_served_and_says_why() -> None:
    alone = target(NO_LIVE, None, FINAL, why="tv/api: 3h of traffic")
    assert (alone.replicas, alone.source) == (40, Source.EVENT)
    assert alone.reasons == (
        'event floor 40 replicas until 21:00 UTC: live-show "Final night" started at 19:00 UTC',
        "no forecast speaks: 3h of traffic",
    )
    assert alone.valid_until == EIGHT + MINUTE
    ended = target(
        NO_LIVE, plan(BUSY), changed(FINAL, end=SEVEN + 90 * HOUR), now=EIGHT + 40 * HOUR
    )
    assert (ended.replicas, ended.source) == (40, Source.EVENT)
    assert ended.reasons[1].startswith("no forecast speaks: the plan made at 2026-06-14 18:00")
    with pytest.raises(NoUsablePlan, match="tv/api: 3h of traffic"):
        target(NO_LIVE, None, FINAL, now=SEVEN + 2 * HOUR, why="tv/api: 3h of traffic")


def test_a_floor_that_is_served_alone_is_limited_and_says_so_once() -> None:
    rule = ScalingRule(20.0, min_replicas=3, max_replicas=25)
    above = target(NO_LIVE, None, FINAL, rule=rule)
    assert above.replicas == 25
    assert [one for one in above.reasons if "maximum" in one] == [above.reasons[0]]
    below = target(NO_LIVE, None, changed(FINAL, floor_replicas=2), rule=rule)
    assert (below.replicas, below.reasons[-1]) == (3, "raised to the minimum of 3")


def test_what_is_held_is_not_let_go_for_a_lower_floor_and_a_floor_is_held_like_any_need() -> None:
    rule = dataclasses.replace(RULE, hold_down=10 * MINUTE)
    recent = Live(held=(Held(EIGHT - 4 * MINUTE, 60),))
    assert target(recent, None, FINAL, rule=rule).replicas == 60
    assert target(recent, None, FINAL, rule=rule, now=EIGHT + 7 * MINUTE).replicas == 40
    end = SEVEN + 2 * HOUR
    by_plan = plan(QUIET, rule, FINAL)
    held: list[Held] = []
    served = {}
    for minute in range(-2, 13):
        now = end + minute * MINUTE
        state = WorkloadState(
            "tv", "api", rule, live=live(QUIET, now, tuple(held)), declared=Declared((FINAL,))
        )
        served[minute] = state.target(now).replicas
        assert by_plan.target(now).replicas == served[minute]
        need = state.need(now)
        assert need is not None
        held.append(need)
    assert served == {minute: 40 if minute < 10 else 5 for minute in range(-2, 13)}


def test_shadow_shows_the_floor_and_serves_none() -> None:
    rule = dataclasses.replace(RULE, mode=Mode.SHADOW)
    shown = WorkloadState("tv", "api", rule, declared=Declared((FINAL,))).target(EIGHT)
    assert (shown.replicas, shown.planned_replicas, shown.source) == (0, 40, Source.EVENT)
    off = dataclasses.replace(RULE, mode=Mode.OFF)
    none = WorkloadState("tv", "api", off, declared=Declared((FINAL,))).target(EIGHT)
    assert (none.replicas, none.planned_replicas) == (0, 0)


def test_a_plan_says_its_floors_and_does_not_foresee_how_long_they_are_held() -> None:
    made = plan(QUIET, RULE, HELD)
    assert made.target(EIGHT).reasons[-1].startswith("event floor 40 replicas until 21:00 UTC")
    assert made.target(SEVEN + 2 * HOUR - MINUTE).replicas == 40
    over = made.target(SEVEN + 2 * HOUR)
    assert (over.replicas, len(over.reasons)) == (5, 1)
    assert target(NO_LIVE, made, HELD, now=SEVEN + 3 * HOUR - MINUTE).replicas == 40


_START = SEVEN - HOUR  # when the plan begins; midnight is 360 minutes later
_SECONDS = 9 * 3600


@st.composite
def some_events(draw: st.DrawFn) -> Event:
    start = _START + timedelta(seconds=draw(st.integers(-7200, _SECONDS)))
    return Event(
        start,
        start + timedelta(seconds=draw(st.integers(1, 20_000))),
        "show",
        floor_replicas=draw(st.none() | st.integers(0, 130)),
        floor_rps=draw(st.none() | st.floats(0, 3000)),
        start_uncertainty=timedelta(seconds=draw(st.integers(0, 900))),
        cancelled=draw(st.integers(0, 9)) == 0,
        hold=draw(st.booleans()),
        ceiling=timedelta(seconds=draw(st.integers(1, 30_000))),
    )


@given(
    events=st.lists(some_events(), max_size=4),
    lead=st.integers(1, 1800),
    step=st.sampled_from([60, 300, 420]),
    traffic=st.lists(st.floats(0, 3000) | st.just(float("nan")), min_size=1, max_size=80),
)
@settings(max_examples=150, deadline=None)
def test_floors_over_past_traffic_are_those_that_each_step_had_served(
    events: list[Event], lead: int, step: int, traffic: list[float]
) -> None:
    """The oracle asks step by step, with the last traffic that was seen."""
    rule, wide = ScalingRule(20.0, timedelta(seconds=lead)), timedelta(seconds=step)
    found = served_floors(events, rule, _START, wide, np.array(traffic))
    seen: tuple[float | None, datetime | None] = (None, None)
    for row, rate in enumerate(traffic):
        since = _START + row * wide
        if not np.isnan(rate):
            seen = (rate, since)
        floor = event_floor(Declared(tuple(events), wide, *seen), rule, since, since + wide)
        assert max(int(found[row]), rule.min_replicas) == max(replicas(floor), rule.min_replicas)


@given(
    events=st.lists(some_events(), max_size=4),
    lead=st.integers(1, 1800),
    step=st.sampled_from([60, 300, 420]),
    seconds=st.lists(st.integers(0, _SECONDS - 1), min_size=1, max_size=25),
)
@settings(max_examples=150, deadline=None)
def test_what_is_served_now_is_what_the_plan_shows_and_what_seconds_counted_one_by_one_say(
    events: list[Event], lead: int, step: int, seconds: list[int]
) -> None:
    """Over midnight, overlapping, off the grid; the oracle asks each second of a step."""
    events = [changed(one, hold=False) for one in events]
    rule = ScalingRule(20.0, timedelta(seconds=lead), min_replicas=5)
    by_second = np.zeros(_SECONDS + 420, dtype=np.int64)
    for one in events:
        if one.cancelled:
            continue
        most = max(one.floor_replicas or 0, int(np.ceil((one.floor_rps or 0) / 20 * (1 - 1e-9))))
        first = int((one.start - one.start_uncertainty - _START).total_seconds()) - lead
        last = int((one.planned_end + one.start_uncertainty - _START).total_seconds())
        by_second[max(first, 0) : max(last, 0)] = np.maximum(
            by_second[max(first, 0) : max(last, 0)], min(most, 100)
        )
    made = plan(QUIET, rule, *events, step=timedelta(seconds=step))
    declared = Declared(tuple(events), timedelta(seconds=step))
    for second in seconds:
        place, now = second // step, _START + timedelta(seconds=second)
        expected = max(5, int(by_second[place * step : (place + 1) * step].max()))
        assert made.replicas[place] == made.needed[place] == expected
        assert made.target(now).replicas == expected
        told = ToldPeak(_START, timedelta(seconds=step), 5, 9.0, 0.98, QUIET, Taught.OWN)
        for of in (NO_LIVE, Live(told, 10 * HOUR)):
            said = decide(Known("tv/api", rule, made, of, declared), now)
            assert said.replicas == expected
            assert said.valid_until == _START + timedelta(seconds=(place + 1) * step)
