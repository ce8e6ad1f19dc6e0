from __future__ import annotations

import dataclasses
import time as clock
from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from forecaster.events import (
    EMPTY_CALENDAR,
    EVERY_WORKLOAD,
    Calendar,
    DailyWindow,
    Event,
    Overlap,
    Selector,
)

DAY = datetime(2026, 6, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
VIDEO = Selector(namespaces=("video",))


def event(start: float, hours: float | None = 2, **keys: object) -> Event:
    begins = DAY + start * HOUR
    end = None if hours is None else begins + hours * HOUR
    return Event(begins, end, "football", **keys)  # type: ignore[arg-type]


WINDOW = DailyWindow(
    time(20), time(1), "UTC", Event(DAY, DAY + HOUR, "prime", event_id="p", selector=VIDEO)
)


@st.composite
def some_events(draw: st.DrawFn) -> Event:
    return event(
        draw(st.integers(-48, 48)),
        draw(st.none() | st.integers(1, 30)),
        hold=draw(st.booleans()),
        cancelled=draw(st.booleans()),
        start_uncertainty=draw(st.sampled_from([timedelta(0), HOUR])),
        ceiling=draw(st.integers(1, 40)) * HOUR,
        event_id=str(draw(st.integers(0, 99))),
    )


@given(st.lists(some_events(), max_size=12), st.integers(-60, 60), st.integers(1, 48))
def test_between_finds_what_may_go_on_then(events: list[Event], since: int, hours: int) -> None:
    first, last = DAY + since * HOUR, DAY + (since + hours) * HOUR
    found = Calendar(tuple(events)).between(first, last)
    expected = []
    for one in events:
        end = one.start + one.ceiling if one.end is None else one.end
        if one.hold:
            end = max(end, one.start + one.ceiling)
        end += one.start_uncertainty  # what starts late ends late
        if not one.cancelled and one.start - one.start_uncertainty < last and end > first:
            expected.append(one)
    assert sorted(map(id, found)) == sorted(map(id, expected))
    assert [one.start for one in found] == sorted(one.start for one in found)


def test_an_end_is_not_part_of_an_event() -> None:
    calendar = Calendar((event(0, 2),))
    assert calendar.between(DAY + 2 * HOUR, DAY + 3 * HOUR) == ()
    assert len(calendar.between(DAY + 1.9 * HOUR, DAY + 3 * HOUR)) == 1
    assert calendar.between(DAY - HOUR, DAY) == ()


def test_overlapping_events_are_all_there_and_rules_as_well() -> None:
    calendar = Calendar((event(20, 3, event_id="b"), event(19, None, event_id="a")), (WINDOW,))
    found = calendar.between(DAY + 20.5 * HOUR, DAY + 21 * HOUR)
    assert [one.event_id for one in found] == ["a", "b", "p@2026-06-11"]


def test_a_workload_sees_the_events_that_concern_it() -> None:
    calendar = Calendar(
        (event(19, selector=VIDEO), event(20, selector=Selector(workloads=("news/*",)))), (WINDOW,)
    )
    until = DAY + 24 * HOUR
    assert len(calendar.selecting("video", "player").between(DAY + HOUR, until)) == 2
    assert len(calendar.selecting("news", "web").between(DAY, until)) == 1
    assert calendar.selecting("x", "y").between(DAY, until) == ()
    assert calendar.selecting("video", "player").overlap is calendar.overlap


def test_labels_decide_too() -> None:
    edge = Selector(labels=(("tier", "edge"),))
    calendar = Calendar((event(0, selector=edge),))
    assert len(calendar.selecting("a", "b", {"tier": "edge"}).events) == 1
    assert not calendar.selecting("a", "b").events


def test_joined_calendars_keep_the_firsts_overlap() -> None:
    first = Calendar((event(0),), (), Overlap.LARGEST)
    both = first.joined([Calendar((event(1),), (WINDOW,), Overlap.MULTIPLY)])
    assert (len(both.events), len(both.recurring), both.overlap) == (2, 1, Overlap.LARGEST)


def test_within_makes_events_of_rules() -> None:
    found = Calendar((event(-999), event(19)), (WINDOW,)).within(DAY + HOUR, DAY + 24 * HOUR)
    assert [one.kind for one in found.events] == ["football", "prime"]
    assert found.recurring == ()


def test_an_empty_calendar_is_false() -> None:
    assert not EMPTY_CALENDAR
    assert Calendar((event(0),))
    assert Calendar((), (WINDOW,))
    assert EMPTY_CALENDAR.between(DAY, DAY + HOUR) == ()


def test_ten_thousand_events_are_asked_by_a_thousand_workloads_in_time() -> None:
    selectors = [EVERY_WORKLOAD, VIDEO, *(Selector(workloads=(f"a/w{i}",)) for i in range(200))]
    events = tuple(event(i, selector=selectors[i % len(selectors)]) for i in range(10_000))
    calendar = Calendar(events)
    began = clock.monotonic()
    for i in range(1000):
        mine = calendar.selecting("a", f"w{i}")
        mine.between(DAY, DAY + 48 * HOUR)
    assert clock.monotonic() - began < 3


def test_so_are_ten_thousand_events_that_concern_everybody() -> None:
    calendar = Calendar(tuple(event(i) for i in range(10_000)))
    began = clock.monotonic()
    for i in range(1000):
        mine = calendar.selecting("a", f"w{i}")
        assert len(mine.between(DAY, DAY + 48 * HOUR)) > 40
    assert clock.monotonic() - began < 3


@given(st.lists(some_events(), max_size=8))
def test_what_is_selected_is_asked_as_if_it_were_a_calendar_of_its_own(
    events: list[Event],
) -> None:
    selectors = [EVERY_WORKLOAD, VIDEO, Selector(workloads=("news/*",))]
    mixed = tuple(
        dataclasses.replace(one, selector=selectors[i % 3]) for i, one in enumerate(events)
    )
    mine = Calendar(mixed).selecting("video", "player")
    expected = tuple(one for one in mixed if one.selector.matches("video", "player"))
    assert mine.events == expected
    since, until = DAY - 30 * HOUR, DAY + 10 * HOUR
    assert mine.between(since, until) == Calendar(expected).between(since, until)
