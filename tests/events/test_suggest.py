from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from forecaster.events import DailyWindow, Event
from forecaster.events.suggest import suggest_events
from forecaster.events.suggest_peaks import Peak

PARIS = ZoneInfo("Europe/Paris")
END = datetime(2026, 4, 13, tzinfo=UTC)


def peak(text, minutes=40, uplift=3.0, excess=1000.0):
    start = datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)
    return Peak(start, start + timedelta(minutes=minutes), uplift, excess)


def test_what_comes_back_on_sundays_is_one_rule_over_a_dst_change():
    sundays = ["2026-03-15T20:03", "2026-03-22T19:58", "2026-03-29T20:00", "2026-04-05T20:07"]
    sizes = [2.0, 3.0, 3.2, 9.0]
    peaks = [peak(at, uplift=size) for at, size in zip(sundays, sizes, strict=True)]
    (found,) = suggest_events(peaks, END, "Europe/Paris")
    rule = found.entry
    assert isinstance(rule, DailyWindow)
    assert (rule.pattern.kind, rule.days) == ("weekly-sunday-20h", (6,))
    assert (f"{rule.start:%H:%M}", f"{rule.end:%H:%M}") == ("20:00", "20:40")
    assert str(rule.first) == "2026-03-15"
    assert rule.pattern.uplift == found.uplift == pytest.approx(3.1)
    assert (len(found.sightings), found.occasions, found.excess) == (4, 5, 4000.0)
    events = rule.between(datetime(2026, 3, 1, tzinfo=UTC), END)
    starts = [one.start.astimezone(PARIS) for one in events]
    assert {(at.weekday(), at.hour, at.minute) for at in starts} == {(6, 20, 0)}
    assert len(starts) == 5


def test_what_comes_every_evening_is_a_daily_rule():
    days = [peak(f"2026-04-{day:02d}T21:00") for day in range(1, 22) if day != 7]
    (found,) = suggest_events(days, datetime(2026, 4, 21, 22, tzinfo=UTC), "Europe/Paris")
    assert (found.kind, found.entry.days) == ("daily-21h", ())


def test_twice_is_no_rule_and_neither_is_what_has_ended_or_lasts_otherwise():
    twice = [peak("2026-03-29T20:00"), peak("2026-04-05T20:00")]
    assert [one.kind for one in suggest_events(twice, END)] == ["unknown-1", "unknown-2"]
    ended = [peak(f"2026-0{month}-{day:02d}T20:00") for month, day in ((1, 4), (1, 11), (1, 18))]
    assert all(isinstance(one.entry, Event) for one in suggest_events(ended, END))
    longer = [*twice, peak("2026-03-22T20:00", minutes=180)]
    assert all(isinstance(one.entry, Event) for one in suggest_events(longer, END))


def test_a_weekday_that_it_came_on_once_stays_alone_beside_the_rule():
    peaks = [peak(f"2026-03-{day}T20:00") for day in (19, 26)] + [peak("2026-04-02T20:00")]
    peaks += [peak("2026-04-09T20:00"), peak("2026-04-06T20:00", excess=9e9)]
    first, second = suggest_events(peaks, END, "Europe/Paris")
    assert (first.kind, first.entry.start) == ("unknown-1", peaks[-1].start)
    assert second.kind == "weekly-thursday-20h"


def test_the_largest_come_first_and_clocks_wrap_at_midnight():
    nights = ["2026-03-21T23:55", "2026-03-29T00:05", "2026-04-05T00:10", "2026-04-12T00:00"]
    peaks = [peak("2026-04-01T12:00", excess=10.0), *(peak(at) for at in nights)]
    rule, alone = suggest_events(peaks, END, "Europe/Paris")
    assert alone.kind == "unknown-1"
    assert rule.kind == "weekly-sunday-00h"
    assert len(rule.sightings) == 4
    assert str(rule.entry.first) == "2026-03-22"


def test_nothing_comes_of_nothing():
    assert suggest_events([], END) == ()
