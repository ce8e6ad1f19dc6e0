"""The calendar in the refresher and in the trainer."""

import dataclasses
from datetime import timedelta

import pytest

from forecaster.events import Event, Overlap, Selector
from forecaster.planning import ScalingRule
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import CalendarShelf, PlanStore, encoded_event
from forecaster.worker.calendar_watch import CalendarWatch
from tests.worker.sources import NOW

HOUR = timedelta(hours=1)
FLEET = Fleet(
    (
        WorkloadSettings("tv", "a", ScalingRule(1), {"tier": "edge"}),
        WorkloadSettings("tv", "b", ScalingRule(1)),
    )
)
EDGE = Event(NOW + HOUR, NOW + 3 * HOUR, "football", selector=Selector(labels=(("tier", "edge"),)))
LATER = Event(NOW + 90 * HOUR, NOW + 93 * HOUR, "football")


@pytest.fixture
def path(tmp_path):
    PlanStore(tmp_path / "s.sqlite").close()
    return tmp_path / "s.sqlite"


def keep(path, *events):
    CalendarShelf(path).save([encoded_event(one) for one in events], Overlap.ADD)


def test_events_near_now_are_those_of_the_workload(path):
    keep(path, EDGE, LATER)
    watch = CalendarWatch(FLEET, CalendarShelf(path))
    assert watch.look(NOW) == ["tv/a"]
    assert watch.of("tv/a").events == (EDGE,)
    assert watch.of("tv/b").events == ()


def test_only_whom_a_change_concerns_is_named(path):
    watch = CalendarWatch(FLEET, CalendarShelf(path))
    assert watch.look(NOW) == []
    keep(path, EDGE)
    assert watch.look() == ["tv/a"]
    assert watch.look() == []
    longer = dataclasses.replace(EDGE, end=NOW + 4 * HOUR)
    everybody = Event(NOW, NOW + HOUR, "show")
    keep(path, longer, everybody)
    assert watch.look() == ["tv/a", "tv/b"]
    before = watch.of("tv/b")
    keep(path, EDGE, everybody)
    assert watch.look() == ["tv/a"]
    assert watch.of("tv/b") is before  # what was made of it may be kept
    keep(path, longer, everybody)
    assert watch.look() == ["tv/a"]
    keep(path, longer, everybody, LATER)
    assert watch.look() == []  # too far ahead for a lead peak


def test_what_was_far_ahead_comes_near_as_time_goes_by(path):
    keep(path, LATER)
    watch = CalendarWatch(FLEET, CalendarShelf(path))
    assert watch.look(NOW) == []
    assert watch.look(NOW + 24 * HOUR) == ["tv/a", "tv/b"]
    assert watch.look(NOW + 24.5 * HOUR) == []
    assert watch.look(NOW) == ["tv/a", "tv/b"]  # the clock was set back: away again


def test_a_store_that_cannot_be_read_leaves_the_calendar_as_it_is(path):
    keep(path, EDGE)
    watch = CalendarWatch(FLEET, CalendarShelf(path))
    watch.look(NOW)
    content = path.read_bytes()
    path.unlink()
    assert watch.look(NOW) == []
    assert watch.trouble is not None
    assert watch.of("tv/a").events == (EDGE,)
    path.write_bytes(content)
    assert watch.look(NOW) == []
    assert watch.trouble is None
