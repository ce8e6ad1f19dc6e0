from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from forecaster.programme.fetch import SourceReader
from forecaster.programme.options import CalendarFormat, OnBadEntry, ReadOptions
from forecaster.programme.source import NOT_READ_YET, CalendarSource, SourceState
from tests.programme.calendar_server import ICS, CalendarServer, calendar_server, plain

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TWO_MATCHES = ICS.replace(
    b"END:VCALENDAR",
    b"BEGIN:VEVENT\r\nUID:m2\r\nDTSTART:20260612T190000Z\r\nSUMMARY:B\r\nEND:VEVENT\r\n"
    b"END:VCALENDAR",
)


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with calendar_server() as running:
        yield running


def source_of(server: CalendarServer, **keys: Any) -> CalendarSource:
    path = keys.pop("path", "/matches.ics")
    return CalendarSource("matches", server.url(path), **keys)


def ids(state: SourceState) -> list[str]:
    return [one.event_id for one in state.calendar.events]


def test_a_calendar_is_fetched_and_what_is_known_is_not_fetched_again(
    server: CalendarServer,
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("if-none-match") == '"v1"':
            plain(request, b"", 304)
        else:
            plain(request, ICS, ETag='"v1"', Last_Modified="Mon, 01 Jun 2026 07:00:00 GMT")

    server.answer = answer
    reader = SourceReader(source_of(server))
    first = reader.read(NOT_READ_YET, NOW)
    assert ids(first) == ["m1"]
    assert (first.etag, first.fetched_at, first.error) == ('"v1"', NOW, None)
    second = reader.read(first, NOW + MINUTE)
    assert second.calendar is first.calendar
    assert second.fetched_at == second.checked_at == NOW + MINUTE
    asked = server.seen[1][1]
    assert asked["if-none-match"] == '"v1"'
    assert asked["if-modified-since"] == "Mon, 01 Jun 2026 07:00:00 GMT"
    assert "if-none-match" not in server.seen[0][1]


def test_the_same_content_without_an_etag_is_not_read_again(server: CalendarServer) -> None:
    reader = SourceReader(source_of(server))
    first = reader.read(NOT_READ_YET, NOW)
    assert reader.read(first, NOW + MINUTE).calendar is first.calendar


def test_a_failing_source_keeps_its_last_good_calendar_and_says_since_when(
    server: CalendarServer,
) -> None:
    reader = SourceReader(source_of(server))
    good = reader.read(NOT_READ_YET, NOW)
    server.answer = lambda request: plain(request, b"down", 500)
    failing = reader.read(good, NOW + MINUTE)
    still = reader.read(failing, NOW + 5 * MINUTE)
    assert ids(still) == ["m1"]
    assert still.fetched_at == NOW
    assert still.failing_since == NOW + MINUTE
    told = still.notice(reader.source) or ""
    for part in ("matches", "since 2026-06-01 08:01 UTC", "2026-06-01 08:00 UTC", "answers 500"):
        assert part in told
    server.answer = lambda request: plain(request, TWO_MATCHES)
    well = reader.read(still, NOW + 6 * MINUTE)
    assert ids(well) == ["m1", "m2"]
    assert (well.error, well.failing_since, well.notice(reader.source)) == (None, None, None)


def test_a_source_that_was_never_there_says_that_its_events_are_unknown(
    server: CalendarServer,
) -> None:
    server.answer = lambda request: plain(request, b"", 404)
    reader = SourceReader(source_of(server))
    state = reader.read(NOT_READ_YET, NOW)
    assert not state.calendar
    assert "never read" in (state.notice(reader.source) or "")
    assert "nothing is there" in (state.error or "")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "a token is needed"),
        (403, "a token"),
        (410, "nothing is there"),
        (429, "asked again"),
        (418, "no calendar"),
        (503, "asked again"),
    ],
)
def test_a_status_is_told_with_what_to_do(server: CalendarServer, status: int, told: str) -> None:
    server.answer = lambda request: plain(request, b"x", status)
    error = SourceReader(source_of(server)).read(NOT_READ_YET, NOW).error or ""
    assert f"answers {status}" in error
    assert told in error


def test_a_304_that_nobody_asked_for_is_no_calendar(server: CalendarServer) -> None:
    server.answer = lambda request: plain(request, b"", 304)
    assert "answers 304" in (SourceReader(source_of(server)).read(NOT_READ_YET, NOW).error or "")


def test_what_is_broken_now_does_not_replace_what_was_good(server: CalendarServer) -> None:
    reader = SourceReader(source_of(server))
    good = reader.read(NOT_READ_YET, NOW)
    server.answer = lambda request: plain(request, ICS[:120], ETag='"broken"')
    state = reader.read(good, NOW + MINUTE)
    assert ids(state) == ["m1"]
    assert state.etag is None
    assert "ends too early" in (state.error or "")


def test_a_web_page_instead_of_a_calendar_is_told_as_one(server: CalendarServer) -> None:
    page = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
    server.answer = lambda request: plain(request, page, Content_Type="text/html")
    error = SourceReader(source_of(server)).read(NOT_READ_YET, NOW).error or ""
    assert "web page" in error
    assert "token" in error


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server: CalendarServer) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(10_000):  # 640 MB, if anybody took them
            request.wfile.write(b"x" * 65_536)

    server.answer = answer
    source = source_of(server, options=ReadOptions(most_bytes=2**20))
    began = time.monotonic()
    assert "more than 1 MiB" in (SourceReader(source).read(NOT_READ_YET, NOW).error or "")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("declared", [True, False], ids=["content-encoding", "a .gz file"])
def test_a_gzip_bomb_is_not_unpacked(server: CalendarServer, declared: bool) -> None:
    bomb = gzip.compress(b"\0" * 200 * 2**20, 9)
    assert len(bomb) < 2**20
    headers = {"Content_Encoding": "gzip"} if declared else {}
    server.answer = lambda request: plain(request, bomb, **headers)
    source = source_of(server, options=ReadOptions(most_bytes=2**20))
    error = SourceReader(source).read(NOT_READ_YET, NOW).error or ""
    assert "more than 1 MiB" in error


def test_packed_answers_are_unpacked_whoever_packed_them(server: CalendarServer) -> None:
    server.answer = lambda request: plain(request, gzip.compress(ICS), Content_Encoding="gzip")
    assert ids(SourceReader(source_of(server)).read(NOT_READ_YET, NOW)) == ["m1"]
    server.answer = lambda request: plain(request, gzip.compress(ICS))
    state = SourceReader(source_of(server, path="/m.ics.gz")).read(NOT_READ_YET, NOW)
    assert ids(state) == ["m1"]


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (b"\x1f\x8bnonsense", "gzip", "damaged gzip"),
        (gzip.compress(ICS)[:-9], "gzip", "ends too early"),
        (b"xx", "br", "not asked for"),
    ],
)
def test_packing_that_cannot_be_undone_is_told(
    server: CalendarServer, body: bytes, encoding: str, told: str
) -> None:
    server.answer = lambda request: plain(request, body, Content_Encoding=encoding)
    assert told in (SourceReader(source_of(server)).read(NOT_READ_YET, NOW).error or "")


@pytest.mark.parametrize("slow", ["status", "headers", "body"])
def test_the_timeout_is_for_the_whole_answer(server: CalendarServer, slow: str) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if slow == "status":
            time.sleep(3)
        if slow == "headers":
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(60):
                request.wfile.write(b"x")
                request.wfile.flush()
                time.sleep(0.05)
            request.wfile.write(b"\r\n\r\n")
            return
        request.send_response(200)
        request.end_headers()
        for at in range(0, 60):
            request.wfile.write(ICS[at : at + 1])
            request.wfile.flush()
            time.sleep(0.05)

    server.answer = answer
    source = source_of(server, timeout=timedelta(milliseconds=400))
    began = time.monotonic()
    error = SourceReader(source).read(NOT_READ_YET, NOW).error or ""
    assert time.monotonic() - began < 2.5
    assert "did not answer within 400ms" in error


def test_nobody_listening_is_told(server: CalendarServer) -> None:
    with calendar_server() as gone:
        url = gone.url()
    error = SourceReader(CalendarSource("matches", url)).read(NOT_READ_YET, NOW).error or ""
    assert "cannot reach http://127.0.0.1" in error


def test_a_few_redirects_are_followed(server: CalendarServer) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/matches.ics":
            plain(request, b"", 302, Location="/elsewhere.ics")
        else:
            plain(request, ICS)

    server.answer = answer
    assert ids(SourceReader(source_of(server)).read(NOT_READ_YET, NOW)) == ["m1"]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/matches.ics?again", "more than 5 times"),
        ("ftp://calendar.example.com/x", "nowhere"),
        ("file:///etc/passwd", "nowhere"),
        ("", "nowhere"),
    ],
)
def test_redirects_that_lead_astray_are_not_followed(
    server: CalendarServer, location: str, told: str
) -> None:
    count = iter(range(100))

    def answer(request: BaseHTTPRequestHandler) -> None:
        target = f"{location}{next(count)}" if "again" in location else location
        plain(request, b"", 301, Location=target)

    server.answer = answer
    assert told in (SourceReader(source_of(server)).read(NOT_READ_YET, NOW).error or "")
    assert len(server.seen) <= 6


def test_nobody_is_led_from_https_to_http() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": "http://calendar.example.com/m.ics"})

    source = CalendarSource("matches", "https://calendar.example.com/m.ics")
    state = SourceReader(source, transport=httpx.MockTransport(answer)).read(NOT_READ_YET, NOW)
    assert "from https to http://calendar.example.com/m.ics" in (state.error or "")


def test_a_token_goes_to_the_addresss_own_host_only(server: CalendarServer, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("first\n")
    with calendar_server() as other:
        server.answer = lambda request: plain(request, b"", 302, Location=other.url())
        reader = SourceReader(source_of(server, token_file=token_file))
        state = reader.read(NOT_READ_YET, NOW)
        assert ids(state) == ["m1"]
        assert server.seen[0][1]["authorization"] == "Bearer first"
        assert "authorization" not in other.seen[0][1]
    token_file.write_text("second\n")  # rotated
    reader.read(state, NOW)
    assert server.seen[-1][1]["authorization"] == "Bearer second"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", "ü\n".encode(), None])
def test_a_token_file_that_holds_none_is_told(
    server: CalendarServer, tmp_path: Path, content: bytes | None
) -> None:
    token_file = tmp_path / "token"
    if content is not None:
        token_file.write_bytes(content)
    state = SourceReader(source_of(server, token_file=token_file)).read(NOT_READ_YET, NOW)
    assert "token" in (state.error or "")
    assert server.seen == []


def test_no_message_shows_a_secret(server: CalendarServer) -> None:
    server.answer = lambda request: plain(request, b"", 500)
    url = server.url("/private-5e52e7/basic.ics?key=5e52e7").replace("//", "//me:5e52e7@")
    source = CalendarSource("matches", url, bearer_token="5e52e7")
    states = [SourceReader(source).read(NOT_READ_YET, NOW)]
    gone = replace(source, location=url.replace(str(server.port), "1"))
    states.append(SourceReader(gone).read(NOT_READ_YET, NOW))
    for state in states:
        assert state.error
        assert "5e52e7" not in f"{state.error}{source!r}{gone!r}{state!r}"


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "matches.ics"
    reader = SourceReader(CalendarSource("matches", path))
    missing = reader.read(NOT_READ_YET, NOW)
    assert "there is no such file" in (missing.error or "")
    path.write_bytes(ICS)
    first = reader.read(missing, NOW)
    assert ids(first) == ["m1"]
    assert reader.read(first, NOW + MINUTE).calendar is first.calendar
    path.write_bytes(TWO_MATCHES)
    os.utime(path, ns=(1, 1))
    second = reader.read(first, NOW + MINUTE)
    assert ids(second) == ["m1", "m2"]
    path.unlink()
    gone = reader.read(second, NOW + 2 * MINUTE)
    assert ids(gone) == ["m1", "m2"]
    assert gone.failing_since == NOW + 2 * MINUTE


def test_recurring_entries_move_on_with_the_day_though_nothing_new_comes(tmp_path: Path) -> None:
    path = tmp_path / "show"
    path.write_bytes(ICS.replace(b"SUMMARY", b"RRULE:FREQ=DAILY\r\nSUMMARY"))
    source = CalendarSource("show", path, past=timedelta(days=1), ahead=timedelta(days=3))
    reader = SourceReader(source)
    state = reader.read(NOT_READ_YET, NOW + timedelta(days=30))
    assert state.calendar.events[-1].start == datetime(2026, 7, 4, 19, tzinfo=UTC)
    same = reader.read(state, NOW + timedelta(days=30, hours=5))
    assert same.calendar is state.calendar
    later = reader.read(state, NOW + timedelta(days=33))
    assert later.calendar.events[-1].start == datetime(2026, 7, 7, 19, tzinfo=UTC)
    assert later.calendar.events[0].start == datetime(2026, 7, 3, 19, tzinfo=UTC)


def test_bad_entries_are_skipped_or_refuse_the_calendar_as_told(server: CalendarServer) -> None:
    reader = SourceReader(source_of(server))
    good = reader.read(NOT_READ_YET, NOW)
    bad = TWO_MATCHES.replace(b"20260612T190000Z", b"tomorrow")
    server.answer = lambda request: plain(request, bad)
    skipped = reader.read(good, NOW)
    assert (ids(skipped), len(skipped.problems), skipped.error) == (["m1"], 1, None)
    options = ReadOptions(on_bad_entry=OnBadEntry.REFUSE)
    refusing = SourceReader(source_of(server, options=options))
    refused = refusing.read(good, NOW)
    assert "UID m2" in (refused.error or "")
    assert ids(refused) == ["m1"]


def test_what_is_kept_over_a_restart_is_what_was_known(server: CalendarServer) -> None:
    server.answer = lambda request: plain(request, ICS, ETag='"v1"')
    reader = SourceReader(source_of(server))
    good = reader.read(NOT_READ_YET, NOW)
    server.answer = lambda request: plain(request, b"", 503)
    failing = reader.read(good, NOW + MINUTE)
    kept = failing.to_bytes(reader.source)
    restored = SourceReader(source_of(server)).restored(kept, NOW + 9 * MINUTE)
    assert ids(restored) == ["m1"]
    assert restored.etag == '"v1"'
    assert (restored.fetched_at, restored.failing_since) == (NOW, NOW + MINUTE)
    assert restored.error == failing.error
    assert restored.due_at(reader.source) is None


def test_what_was_never_read_is_kept_as_that(server: CalendarServer) -> None:
    server.answer = lambda request: plain(request, b"", 503)
    reader = SourceReader(source_of(server))
    failing = reader.read(NOT_READ_YET, NOW)
    restored = reader.restored(failing.to_bytes(reader.source), NOW)
    assert (restored.content, restored.failing_since) == (None, NOW)


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "elsewhere", "smaller"])
def test_what_was_kept_and_cannot_be_used_is_as_if_never_read(
    server: CalendarServer, damage: str
) -> None:
    source = source_of(server)
    kept = SourceReader(source).read(NOT_READ_YET, NOW).to_bytes(source)
    data = {"cut": kept[:-20], "noise": b"\x00" * 50, "empty": b""}.get(damage, kept)
    if damage == "elsewhere":
        source = replace(source, location="https://calendar.example.com/m.ics")
    if damage == "smaller":
        source = replace(source, options=ReadOptions(most_bytes=10))
    assert SourceReader(source).restored(data, NOW) is NOT_READ_YET


def test_a_source_is_due_soon_after_a_failure_then_more_rarely(server: CalendarServer) -> None:
    source = source_of(server, every=timedelta(hours=1))
    reader = SourceReader(source)
    assert NOT_READ_YET.due_at(source) is None
    assert reader.read(NOT_READ_YET, NOW).due_at(source) == NOW + 60 * MINUTE
    server.answer = lambda request: plain(request, b"", 503)
    state = reader.read(NOT_READ_YET, NOW)
    waits = []
    at = NOW
    for _ in range(9):
        due = state.due_at(source)
        assert due is not None
        waits.append(round((due - at) / MINUTE))
        at = due
        state = reader.read(state, at)
    assert waits == [1, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"name": " "}, "name"),
        ({"location": "calendar.example.com/m.ics"}, "url"),
        ({"location": "ftp://calendar.example.com/m.ics"}, "url"),
        ({"location": "http://[::1"}, "url"),
        ({"every": timedelta(0)}, "every"),
        ({"timeout": timedelta(0)}, "timeout"),
        ({"past": timedelta(days=-1)}, "past"),
        ({"bearer_token": "a\nb"}, "bearer_token"),
        ({"bearer_token": "a", "token_file": Path("t")}, "token_file"),
    ],
)
def test_a_source_that_cannot_be_is_refused_by_its_fields_name(
    keys: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=f"^{told}: "):
        CalendarSource(**{"name": "m", "location": "https://calendar.example.com/m.ics", **keys})


def test_the_format_may_be_said(server: CalendarServer) -> None:
    body = b"start,category\n2026-06-11T19:00Z,football\n"
    server.answer = lambda request: plain(request, body)
    source = source_of(server, path="/export", format=CalendarFormat.CSV)
    state = SourceReader(source).read(NOT_READ_YET, NOW)
    assert [one.kind for one in state.calendar.events] == ["football"]
