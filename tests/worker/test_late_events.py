"""Events that were announced later than the lead time allows."""

import dataclasses
from datetime import timedelta

import pytest

from forecaster.events import EMPTY_CALENDAR, Calendar, Event, Selector
from forecaster.planning import Mode, ScalingRule
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.worker.late_events import LateEvents
from tests.worker.sources import MINUTE, NOW

HOUR = timedelta(hours=1)
FLEET = Fleet(
    (
        WorkloadSettings("tv", "quick", ScalingRule(1, 5 * MINUTE), {"tier": "edge"}),
        WorkloadSettings("tv", "slow", ScalingRule(1, 10 * MINUTE)),
        WorkloadSettings("tv", "off", ScalingRule(1, 30 * MINUTE, mode=Mode.OFF)),
    )
)


def event(after=7 * MINUTE, **more):
    known = {"kind": "football", "name": "Final", "event_id": "f1", **more}
    return Event(NOW + after, NOW + after + 2 * HOUR, **known)


def late(*events, fleet=FLEET, now=NOW):
    """What is late of events that become known now."""
    watch = LateEvents()
    watch.take(EMPTY_CALENDAR, fleet, now - HOUR)
    watch.take(Calendar(events), fleet, now)
    return [(one.event.event_id, one.workload) for one in watch.told(now)]


def test_an_event_is_late_for_the_workload_that_takes_longest():
    watch = LateEvents()
    watch.take(EMPTY_CALENDAR, FLEET, NOW)
    watch.take(Calendar((event(),)), FLEET, NOW)
    (told,) = watch.told(NOW)
    assert told.workload == "tv/slow"  # the one that is off takes longer, and does not count
    assert told.text == (
        "Final (tv/slow): announced 7m before its start, but replicas take 10m: "
        "expect too few until 2026-05-04 18:10:00 UTC"
    )


def test_an_event_is_in_time_for_whom_it_concerns():
    assert late(event(selector=Selector(("tv",), ("quick",)))) == []
    edge = Selector(labels=(("tier", "edge"),))
    assert late(event(selector=edge)) == []
    assert late(event(4 * MINUTE, selector=edge)) == [("f1", "tv/quick")]


@pytest.mark.parametrize(("minutes", "is_late"), [(9, True), (10, False), (-20, True)])
def test_a_lead_time_ahead_is_early_enough(minutes, is_late):
    assert bool(late(event(minutes * MINUTE))) is is_late


def test_it_may_begin_as_early_as_its_uncertainty_says():
    assert late(event(30 * MINUTE, start_uncertainty=15 * MINUTE)) == []
    assert late(event(30 * MINUTE, start_uncertainty=21 * MINUTE)) == [("f1", "tv/slow")]


@pytest.mark.parametrize(
    "selector", [Selector(("ads",)), Selector(("tv",), ("off",)), Selector(labels=(("x", "y"),))]
)
def test_an_event_of_nobody_who_is_planned_for_is_never_late(selector):
    assert late(event(selector=selector)) == []


def test_what_is_known_at_the_first_look_was_announced_before():
    watch = LateEvents()
    watch.take(Calendar((event(),)), FLEET, NOW)
    assert watch.told(NOW) == ()
    watch.take(Calendar((event(),)), FLEET, NOW + MINUTE)
    assert watch.told(NOW) == ()


def test_it_is_told_once_however_often_the_calendar_changes():
    watch, other = LateEvents(), event(5 * HOUR, event_id="other")
    watch.take(Calendar((other,)), FLEET, NOW)
    for later in range(3):
        calendar = Calendar((other, event(), event((6 + later) * HOUR, event_id=f"x{later}")))
        watch.take(calendar, FLEET, NOW)
        assert [one.event.event_id for one in watch.told(NOW)] == ["f1"]


def test_an_event_that_is_moved_is_a_new_one_and_one_that_grows_is_not():
    watch, before = LateEvents(), event(3 * HOUR)
    watch.take(Calendar((before,)), FLEET, NOW)
    grown = dataclasses.replace(before, end=before.end + HOUR, importance=2.0)
    watch.take(Calendar((grown,)), FLEET, NOW + 175 * MINUTE)
    assert watch.told(NOW) == ()
    moved = dataclasses.replace(before, start=NOW + 179 * MINUTE)
    watch.take(Calendar((moved,)), FLEET, NOW + 175 * MINUTE)
    assert [one.event for one in watch.told(NOW)] == [moved]
    again = dataclasses.replace(moved, start=NOW + 5 * HOUR, end=NOW + 6 * HOUR)
    watch.take(Calendar((again,)), FLEET, NOW + 176 * MINUTE)
    assert watch.told(NOW) == ()  # put off in time


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
def test_an_event_that_does_not_take_place_is_told_no_more(how):
    watch = LateEvents()
    watch.take(EMPTY_CALENDAR, FLEET, NOW)
    watch.take(Calendar((event(),)), FLEET, NOW)
    left = (event(cancelled=True),) if how == "cancelled" else ()
    watch.take(Calendar(left), FLEET, NOW + MINUTE)
    assert watch.told(NOW + MINUTE) == ()


def test_a_cancelled_or_past_event_is_never_late():
    assert late(event(cancelled=True)) == []
    assert late(event(-3 * HOUR)) == []


def test_it_is_told_until_it_is_over():
    watch = LateEvents()
    watch.take(EMPTY_CALENDAR, FLEET, NOW)
    watch.take(Calendar((event(),)), FLEET, NOW)
    end = event().latest_end
    assert len(watch.told(end - MINUTE)) == 1
    assert watch.told(end) == ()


def test_a_large_calendar_is_compared_by_time_before_anybody_is_looked_for():
    """3,000 events of next month and 5,000 workloads are no 15 million questions."""

    class Refusing(Selector):
        def matches(self, *_):
            raise AssertionError("asked")

    months = [event(timedelta(days=2 + day), selector=Refusing()) for day in range(30)]
    assert late(*months) == []
