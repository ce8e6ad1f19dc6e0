"""Events in the store: made once, changed, kept over a kill; the calendar for other processes."""

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from forecaster.errors import EventConflict, StoreError
from forecaster.events import Calendar, Event, Overlap, Selector, Shape
from forecaster.store import (
    NO_VERSION,
    CalendarShelf,
    Creation,
    EventShelf,
    PlanStore,
    encoded_event,
    version_of,
)
from tests.store.conftest import NOW

MINUTE = timedelta(minutes=1)
FINAL = Event(
    start=NOW,
    end=NOW + 115 * MINUTE,
    kind="football",
    importance=5,
    name="Brazil × Escócia",
    event_id="final",
    selector=Selector(("tv",), ("tv/player-*",), (("tier", "edge"),)),
    floor_replicas=40,
    floor_rps=1200.5,
    shape=Shape(((-5 * MINUTE, 1.0), (2 * MINUTE, 5.25), (115 * MINUTE, 1.0))),
    audience="sport",
    start_uncertainty=timedelta(seconds=90),
    ceiling=timedelta(hours=3),
    hold=True,
)
OPEN = Event(NOW + timedelta(days=3), None, "live-show", event_id="show", uplift=1.7)


@pytest.fixture
def shelf(path):
    PlanStore(path).close()
    return EventShelf(path)


def creation(event=FINAL, digest="a", key=None, at=NOW):
    return Creation(event, digest, at, key)


@pytest.mark.parametrize("event", [FINAL, OPEN, dataclasses.replace(OPEN, cancelled=True)])
def test_an_event_comes_back_field_by_field(path, shelf, event):
    assert shelf.create(creation(event)) == (event, True)
    assert EventShelf(path).load().events == {event.event_id: event}


@pytest.mark.parametrize("key", [None, "k-1"])
def test_the_same_request_again_makes_nothing_whatever_became_of_the_event(shelf, key):
    shelf.create(creation(key=key))
    longer = dataclasses.replace(FINAL, end=FINAL.end + 30 * MINUTE)
    shelf.change(longer)
    assert shelf.create(creation(key=key)) == (longer, False)
    assert shelf.load().events == {"final": longer}


def test_another_body_under_the_same_id_is_a_conflict_and_changes_nothing(shelf):
    shelf.create(creation())
    with pytest.raises(EventConflict, match="'final' was made from another body"):
        shelf.create(creation(dataclasses.replace(FINAL, importance=1), "b"))
    assert shelf.load().events == {"final": FINAL}


def test_a_key_that_is_used_again_for_something_else_is_a_conflict(shelf):
    shelf.create(creation(key="k"))
    with pytest.raises(EventConflict, match="'k' was used for another event, 'final'"):
        shelf.create(creation(OPEN, "b", "k"))
    assert set(shelf.load().events) == {"final"}


def test_a_key_whose_event_was_removed_does_not_bring_it_back(shelf):
    shelf.create(creation(key="k"))
    shelf.remove("final")
    with pytest.raises(EventConflict, match="removed since"):
        shelf.create(creation(key="k"))
    assert shelf.load().events == {}


def test_a_key_is_forgotten_after_a_week(path, shelf):
    shelf.create(creation(key="old"))
    shelf.create(creation(OPEN, "b", "new", NOW + timedelta(days=7, seconds=1)))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT key FROM event_keys").fetchall() == [("new",)]


def test_what_is_laid_over_an_event_is_kept_replaced_and_lifted(shelf):
    shelf.override("matches:1", {"end": "2026-05-04T21:00:00Z", "selector": None}, NOW)
    shelf.override("matches:1", {"cancelled": True}, NOW)
    assert shelf.load().overrides == {"matches:1": {"cancelled": True}}
    shelf.lift("matches:1")
    assert shelf.load().overrides == {}


def test_what_ended_long_ago_is_forgotten(shelf):
    shelf.create(creation())
    shelf.create(creation(OPEN, "b"))
    shelf.override("matches:1", {"cancelled": True}, NOW)
    assert shelf.forget_before(NOW) == []
    assert sorted(shelf.forget_before(FINAL.latest_end + MINUTE)) == ["final", "matches:1"]
    assert set(shelf.load().events) == {"show"}


def test_one_event_that_cannot_be_read_does_not_hide_the_others(path, shelf):
    shelf.create(creation())
    shelf.create(creation(OPEN, "b"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE events SET document = '{}' WHERE event_id = 'final'")
        connection.commit()
    kept = shelf.load()
    assert set(kept.events) == {"show"}
    assert "event final" in kept.unreadable[0]


def test_the_last_state_of_each_calendar_is_kept_until_it_is_not_configured(path, shelf):
    shelf.keep_source("matches", b"\x00\xff")
    shelf.keep_source("matches", b"new")
    shelf.keep_source("guide", b"")
    assert EventShelf(path).sources() == {"matches": b"new", "guide": b""}
    shelf.forget_sources_but(["guide"])
    assert shelf.sources() == {"guide": b""}


def test_a_store_without_a_file_is_an_error_and_makes_none(tmp_path):
    with pytest.raises(StoreError):
        EventShelf(tmp_path / "gone.sqlite").create(creation())
    assert list(tmp_path.iterdir()) == []


def test_a_store_from_before_there_were_events_is_taken_over(path):
    PlanStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        for table in ("events", "event_keys", "event_overrides", "event_sources", "event_calendar"):
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    PlanStore(path).close()
    assert EventShelf(path).create(creation()) == (FINAL, True)


def test_the_calendar_is_read_as_it_was_written_by_its_version(path):
    PlanStore(path).close()
    shelf = CalendarShelf(path)
    assert shelf.version() == NO_VERSION
    assert not shelf.load()[1]
    version = shelf.save([encoded_event(FINAL), encoded_event(OPEN)], Overlap.LARGEST)
    assert CalendarShelf(path).version() == version
    loaded_version, calendar = CalendarShelf(path).load()
    assert loaded_version == version
    assert calendar.events == (FINAL, OPEN)
    assert calendar.overlap is Overlap.LARGEST
    assert isinstance(calendar, Calendar)


def test_another_calendar_has_another_version_and_an_equal_one_the_same():
    one, other = encoded_event(FINAL), encoded_event(OPEN)
    version = version_of([one, other], Overlap.ADD)
    assert version == version_of([encoded_event(dataclasses.replace(FINAL)), other], Overlap.ADD)
    assert version != version_of([one], Overlap.ADD)
    assert version != version_of([one, other], Overlap.MULTIPLY)
    assert version_of([], Overlap.ADD) != NO_VERSION


def test_a_calendar_that_cannot_be_read_is_a_store_error(path):
    PlanStore(path).close()
    CalendarShelf(path).save([encoded_event(FINAL)], Overlap.ADD)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE event_calendar SET events = x'00'")
        connection.commit()
    with pytest.raises(StoreError, match="calendar cannot be read"):
        CalendarShelf(path).load()


MAKER = """
import sys
from pathlib import Path
from forecaster.store import Creation, EventShelf
from tests.store.test_events import FINAL, NOW
import dataclasses
shelf = EventShelf(Path(sys.argv[1]))
for number in range(100_000):
    event = dataclasses.replace(FINAL, event_id=f"n{number}")
    shelf.create(Creation(event, "d", NOW, f"k{number}"))
    print(number, flush=True)
"""


def test_what_was_acknowledged_is_there_after_a_kill(path):
    PlanStore(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", MAKER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as maker:
        said = [int(maker.stdout.readline()) for _ in range(25)]
        os.kill(maker.pid, signal.SIGKILL)
        said += [int(line) for line in maker.stdout.read().split()]
    events = EventShelf(path).load().events
    assert set(events) >= {f"n{number}" for number in said}
    for number in range(len(events)):  # and none without its key
        again = dataclasses.replace(FINAL, event_id="another")
        made, new = EventShelf(path).create(Creation(again, "d", NOW, f"k{number}"))
        assert (made.event_id, new) == (f"n{number}", False)
