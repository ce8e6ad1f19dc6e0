"""Windows and events as a calendar: what is written is what was read, and the faults are gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.events import Calendar
from forecaster.migration.calendar_file import events_text
from forecaster.programme.formats.yaml_file import read_yaml
from forecaster.programme.options import ReadOptions
from tests.migration.conftest import cpu, event, hpa, moved


def floor(calendar: Calendar, at: str, workload: str = "player-api") -> int:
    """The largest declared floor at a local time of Paris in summer, two hours ahead of UTC."""
    now = datetime.fromisoformat(at).replace(tzinfo=UTC) - timedelta(hours=2)
    on = calendar.selecting("streaming", workload).between(now, now + timedelta(seconds=1))
    return max((one.floor_replicas or 0 for one in on), default=0)


def calendar_of(*objects, timezone="Europe/Paris"):
    return moved(*objects, timezone=timezone).calendar


def test_the_text_reads_back_as_the_same_calendar(example_moves):
    text = events_text(example_moves.calendar, "Europe/Paris")
    read = read_yaml(text, "events.yaml", ReadOptions())
    assert read.problems == ()
    since = datetime(2026, 7, 1, tzinfo=UTC)
    until = since + timedelta(days=60)
    before, after = (one.between(since, until) for one in (example_moves.calendar, read.calendar))
    assert len(before) > 120  # two windows a day, and the events
    # An audience that is the kind goes unsaid, and means the same.
    expected = [replace(one, audience=one.group) for one in before]
    found = [replace(one, audience=one.group) for one in after]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_the_same_calendar_gives_the_same_bytes(example_moves):
    shuffled = Calendar(
        tuple(reversed(example_moves.calendar.events)), example_moves.calendar.recurring
    )
    assert events_text(shuffled, "Europe/Paris") == events_text(
        example_moves.calendar, "Europe/Paris"
    )


def test_a_window_is_a_floor_by_the_exporters_clock():
    calendar = calendar_of(hpa(window=("20:00:00", "23:30:00", "12")))
    assert floor(calendar, "2026-07-19T19:59:59") == 0
    assert floor(calendar, "2026-07-19T20:00:00") == 12
    assert floor(calendar, "2026-07-19T23:30:00") == 0


def test_what_crosses_midnight_goes_on_after_it():
    calendar = calendar_of(
        hpa(window=("19:30:00", "00:30:00", "8")), event(start="20:30:00", end="00:45:00")
    )
    assert floor(calendar, "2026-07-19T23:59:00") == 24
    assert floor(calendar, "2026-07-20T00:29:00") == 24
    assert floor(calendar, "2026-07-20T00:44:00") == 24
    assert floor(calendar, "2026-07-21T00:29:00") == 8


def test_of_two_events_the_larger_counts_and_it_adds_to_the_window():
    calendar = calendar_of(
        hpa(),
        event("a-show", start="20:00:00", end="22:00:00", multiplier=2),
        event("final", start="20:30:00", end="22:30:00", multiplier=3),
    )
    assert floor(calendar, "2026-07-19T20:15:00") == 24
    assert floor(calendar, "2026-07-19T20:45:00") == 36
    assert floor(calendar, "2026-07-19T23:00:00") == 12  # the window itself


def test_events_reach_only_what_moves():
    moves = moved(hpa(), hpa("cpu", metrics=[cpu()], window=None), event(), timezone="UTC")
    chosen = {one for found in moves.calendar.events for one in found.selector.workloads}
    assert chosen == {"streaming/player-api"}


def test_a_problem_is_told_where_the_object_stands():
    notes = moved(hpa(), event("broken", day="never")).notes
    assert any(text.startswith("given.yaml:line ") and "broken" in text for text in notes)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_times_carry_their_offset_in_every_zone(timezone):
    calendar = calendar_of(hpa(), event(), timezone=timezone)
    read = read_yaml(events_text(calendar, timezone), "events.yaml", ReadOptions())
    assert read.calendar.events[0].start == calendar.events[0].start
