"""What is known ahead in the serving process: calendars that fail, and changes."""

import dataclasses
import http.server
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import ClassVar

import pytest

from forecaster.errors import StoreError
from forecaster.events import Calendar, DailyWindow, Event, Overlap, Selector
from forecaster.planning import ScalingRule
from forecaster.programme.options import OnBadEntry, ReadOptions
from forecaster.programme.source import CalendarSource
from forecaster.settings import EventSettings, Fleet, WorkloadSettings
from forecaster.store import CalendarShelf, PlanStore
from forecaster.worker.event_window import window_at
from forecaster.worker.programme import Programme
from tests.worker.sources import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FLEET = Fleet(
    (
        WorkloadSettings("tv", "a", ScalingRule(1), {"tier": "edge"}),
        WorkloadSettings("tv", "b", ScalingRule(1)),
    )
)
HEAD = "start,end,name,category,importance\n"
ROW = "2026-05-05T19:00:00Z,2026-05-05T21:00:00Z,A v B,football,4\n"
BODY = {"start": "2026-05-05T10:00:00Z", "kind": "show"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "preroll.sqlite"
    PlanStore(path).close()
    return path


def programme(path, *sources, clock=lambda: NOW, **settings):
    made = Programme(EventSettings(sources=sources, **settings), FLEET, path, clock)
    made.load(clock())
    return made


def until(condition: Callable[[], object], seconds: float = 20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def looked(made: Programme, now=NOW) -> bool:
    """Past the pause that follows much work."""
    made._window._next_look = 0.0
    return made.look(now)


@pytest.fixture
def server():
    """A calendar server: ``answer`` is what it says; None: it hangs up."""

    class Handler(http.server.BaseHTTPRequestHandler):
        answer: bytes | None = (HEAD + ROW).encode()
        asked: ClassVar[list[dict]] = []

        def do_GET(self):
            type(self).asked.append(dict(self.headers))
            if self.answer is None:
                return
            if self.headers.get("If-None-Match") == '"1"':
                self.send_response(304)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(self.answer)

        def log_message(self, *_):
            pass

    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.handler = Handler
    found.url = f"http://127.0.0.1:{found.server_port}/matches.csv"
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def url_source(server, **more):
    every = timedelta(seconds=1)
    return CalendarSource("matches", server.url, every=every, timeout=timedelta(seconds=5), **more)


def test_a_calendar_that_dies_keeps_its_last_good_version_over_a_restart_and_says_so(path, server):
    source = url_source(server)
    one = programme(path, source)
    assert not one.settled
    one.start()
    until(lambda: one.settled and one.desk.book())
    assert looked(one)
    assert [event.name for event in one.calendar.events] == ["A v B"]
    assert one.notices() == ()
    until(lambda: len(server.handler.asked) >= 2)
    assert server.handler.asked[-1]["if-none-match"] == '"1"'
    server.handler.answer = None
    until(one.notices)
    assert one.notices()[0].startswith("the calendar matches fails since ")
    assert "its events are those of 2026-05-04 18:00 UTC" in one.notices()[0]
    assert not looked(one)
    assert [event.name for event in one.calendar.events] == ["A v B"]
    (health,) = one.counts(NOW).sources
    assert health.error is not None
    assert health.good_at == NOW
    one.stop()

    server.shutdown()  # and now nobody listens any more
    again = programme(path, source)
    assert [event.name for event in again.calendar.events] == ["A v B"]
    again.start()
    until(again.notices)
    assert [event.name for event in again.calendar.events] == ["A v B"]
    again.stop()


def test_another_address_does_not_get_what_was_kept_of_the_one_before(path, server):
    one = programme(path, url_source(server))
    one.start()
    until(lambda: one.settled and one.desk.book())
    one.stop()
    moved = dataclasses.replace(url_source(server), location="http://127.0.0.1:9/other.csv")
    assert len(programme(path, moved).desk.book()) == 0
    assert len(programme(path).desk.book()) == 0


def test_a_calendar_that_hangs_holds_up_neither_another_nor_the_first_training_for_ever(
    path, server, tmp_path, monkeypatch
):
    monkeypatch.setattr("forecaster.worker.event_sources._PATIENCE_SECONDS", 0.3)
    server.handler.do_GET = lambda _self: time.sleep(3)
    (tmp_path / "m.csv").write_text(HEAD + ROW)
    file = CalendarSource("local", tmp_path / "m.csv")
    one = programme(path, url_source(server), file)
    assert len(one.calendar.events) == 1
    one.start()
    until(lambda: one.settled, seconds=2)
    one.stop()


def test_a_file_is_there_at_once_and_what_is_new_in_it_is_taken(path, tmp_path):
    (tmp_path / "m.csv").write_text(HEAD + ROW)
    source = CalendarSource("local", tmp_path / "m.csv", every=timedelta(seconds=1))
    one = programme(path, source)
    assert one.settled
    assert len(one.calendar.events) == 1
    before = CalendarShelf(path).version()
    one.start()
    (tmp_path / "m.csv").write_text(HEAD + ROW + ROW.replace("A v B", "C v D"))
    until(lambda: looked(one))
    assert [event.name for event in one.calendar.events] == ["A v B", "C v D"]
    version, calendar = CalendarShelf(path).load()
    assert version != before
    assert calendar.events == one.calendar.events
    one.stop()


def test_while_a_large_calendar_is_read_again_the_one_of_before_the_restart_counts(
    path, tmp_path, monkeypatch
):
    (tmp_path / "m.csv").write_text(HEAD + ROW)
    source = CalendarSource("local", tmp_path / "m.csv", every=timedelta(seconds=1))
    before = programme(path, source).calendar.events
    monkeypatch.setattr("forecaster.worker.watched_calendar._SMALL_FILE", 10)
    (tmp_path / "m.csv").write_text(HEAD + ROW.replace("A v B", "C v D"))
    again = programme(path, source)
    assert again.calendar.events == before
    assert not looked(again)
    assert len(again.desk.book()) == 0
    again.start()
    until(lambda: looked(again))
    assert [event.name for event in again.calendar.events] == ["C v D"]
    again.stop()


def test_a_calendar_in_the_store_that_cannot_be_read_is_made_anew(path):
    programme(path).desk.create(BODY | {"id": "x"}, NOW)
    programme(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE event_calendar SET events = x'00'")
        connection.commit()
    assert len(programme(path).calendar.events) == 1


@pytest.mark.parametrize("on_bad", list(OnBadEntry))
def test_a_bad_entry_is_told_with_its_place_and_stops_nothing(path, tmp_path, on_bad):
    bad = ROW.replace("2026-05-05T19:00:00Z", "soon")
    (tmp_path / "m.csv").write_text(HEAD + ROW)
    source = CalendarSource("local", tmp_path / "m.csv", options=ReadOptions(on_bad_entry=on_bad))
    programme(path, source)
    (tmp_path / "m.csv").write_text(HEAD + bad + ROW.replace("A v B", "C v D"))
    one = programme(path, source)
    (notice,) = one.notices()
    assert "line 2, start: 'soon' is not a time" in notice
    expected = "C v D" if on_bad is OnBadEntry.SKIP else "A v B"
    assert [event.name for event in one.calendar.events] == [expected]
    if on_bad is OnBadEntry.SKIP:
        assert notice.startswith("the calendar local has 1 entry that cannot be used")
        assert len(one.counts(NOW).sources[0].problems) == 1


def test_a_reader_that_breaks_is_a_failing_calendar(path, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no luck")

    monkeypatch.setattr("forecaster.programme.fetch.read_calendar", broken)
    (tmp_path / "m.csv").write_text(HEAD + ROW)
    one = programme(path, CalendarSource("local", tmp_path / "m.csv"))
    assert "reading it broke (RuntimeError)" in one.notices()[0]


def test_rules_and_events_of_the_settings_are_there_and_move_with_the_days(path):
    pattern = Event(NOW, NOW + HOUR, "prime-time", event_id="p")
    rule = DailyWindow(NOW.replace(hour=20).time(), NOW.replace(hour=23).time(), "UTC", pattern)
    single = Event(NOW - DAY, NOW, "show", event_id="x", selector=Selector(("tv",)))
    one = programme(path, events=(single,), recurring=(rule,), overlap=Overlap.LARGEST)
    since, until_ = window_at(NOW, FLEET.history)
    daily = [event for event in one.calendar.events if event.kind == "prime-time"]
    assert len(daily) == (until_ - since) // DAY
    assert one.calendar.overlap is Overlap.LARGEST
    assert not looked(one, NOW + HOUR)
    assert looked(one, NOW + DAY)
    assert [event for event in one.calendar.events if event.kind == "prime-time"] != daily
    book = one.desk.book()
    found = [
        known.event.event_id for known in book.near(NOW - DAY, NOW) if known.event.kind == "show"
    ]
    assert found == ["settings:x"]
    one.desk.patch("settings:p@2026-05-05", {"cancelled": True}, NOW)
    assert looked(one, NOW + DAY)
    assert not [event for event in one.calendar.events if event.event_id == "settings:p@2026-05-05"]


def test_a_change_by_rest_is_another_calendar_and_an_undone_one_the_same(path):
    one = programme(path)
    assert not looked(one)
    one.desk.create(BODY | {"id": "x"}, NOW)
    assert looked(one)
    version = CalendarShelf(path).version()
    one.desk.patch("x", {"importance": 5}, NOW)
    one.desk.patch("x", {"importance": None}, NOW)
    assert not looked(one)
    assert CalendarShelf(path).version() == version
    one.desk.patch("x", {"cancelled": True}, NOW)
    assert looked(one)
    assert one.calendar.events == ()


def test_what_lies_outside_of_the_window_is_kept_and_not_planned_by(path):
    one = programme(path)
    for number, days in enumerate((-40, -20, 50, 70)):
        start = (NOW + days * DAY).isoformat()
        one.desk.create({"id": f"n{number}", "start": start, "kind": "show"}, NOW)
    looked(one)
    assert [event.event_id for event in one.calendar.events] == ["n1", "n2"]
    assert len(one.desk.book()) == 4


def test_what_ended_more_than_a_year_ago_is_forgotten(path):
    one = programme(path)
    one.desk.create(BODY | {"id": "old"}, NOW)
    looked(one, NOW + 420 * DAY)
    assert len(one.desk.book()) == 0
    assert len(programme(path).desk.book()) == 0


def test_a_store_that_cannot_be_written_is_told_and_planned_by_all_the_same(path, tmp_path):
    one = programme(path)
    one.desk.create(BODY | {"id": "x"}, NOW)
    content = path.read_bytes()
    for file in tmp_path.glob("preroll.sqlite*"):
        file.unlink()
    assert looked(one)
    assert len(one.calendar.events) == 1
    assert "the calendar cannot be stored" in one.notices()[0]
    with pytest.raises(StoreError):
        one.desk.create(BODY, NOW)
    assert len(one.desk.book()) == 1
    path.write_bytes(content)
    assert not looked(one)  # the same calendar, and now it is stored
    assert one.notices() == ()
    assert len(CalendarShelf(path).load()[1].events) == 1


def test_an_event_in_the_store_that_cannot_be_read_is_told(path):
    one = programme(path)
    one.desk.create(BODY | {"id": "x"}, NOW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE events SET document = '[]'")
        connection.commit()
    (notice,) = programme(path).notices()
    assert notice.startswith("stored events cannot be used: event x")


def test_ten_thousand_events_and_a_thousand_changes_stay_cheap(path):
    """Resolving takes a fraction of the time, however many changes come in."""
    one = programme(path)
    rows = [
        Event(NOW + timedelta(minutes=8 * n), None, "football", event_id=str(n))
        for n in range(10_000)
    ]
    window = window_at(NOW, FLEET.history)
    one.desk.take_calendar("large", Calendar(tuple(rows)), *window)
    looked(one)
    began = time.process_time()
    one.desk.create(BODY, NOW)
    assert looked(one)
    assert time.process_time() - began < 1.0  # a tenth of that on a quiet machine
    assert not one.look(NOW)
    began = time.process_time()
    for _ in range(1000):
        one.look(NOW)
        one.notices()
    assert time.process_time() - began < 0.5
