from __future__ import annotations

import json
import textwrap
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.errors import EventFileError
from forecaster.events import DailyWindow, Event, Overlap, PublicHolidays
from forecaster.programme.document import EventDocument
from forecaster.programme.formats.yaml_file import read_yaml
from forecaster.programme.options import OnBadEntry, ReadCalendar, ReadOptions
from tests.programme.strategies import events


def read(text: str, **options: object) -> ReadCalendar:
    return read_yaml(textwrap.dedent(text), "programme.yaml", ReadOptions(**options))  # type: ignore[arg-type]


FULL = """
    timezone: Europe/Paris
    overlap: largest
    defaults: {importance: high, uplift: 2, selector: {namespaces: [video]}}
    events:
      - {start: 2026-06-11T21:00, end: 2026-06-11T23:00, kind: football, name: Mexico v Italy}
      - start: 2026-06-12T19:00:00Z
        kind: concert
        importance: 2
        shape: {0m: 1, 5m: 3}
    daily:
      - {kind: prime-time, start: 20:00, end: 00:30, days: [fri, Saturday], first: 2026-01-01}
    holidays:
      - {country: FR, floor: {replicas: 12}}
"""


def test_events_windows_and_holidays_are_read_with_their_defaults() -> None:
    found = read(FULL)
    assert found.problems == ()
    match, concert = found.calendar.events
    assert match.start == datetime(2026, 6, 11, 19, tzinfo=UTC)
    assert (match.importance, match.uplift, match.selector.namespaces) == (4, 2, ("video",))
    assert (concert.importance, concert.uplift) == (2, None)
    assert concert.shape is not None
    window, holidays = found.calendar.recurring
    assert isinstance(window, DailyWindow)
    assert (window.days, window.timezone) == ((4, 5), "Europe/Paris")
    assert isinstance(holidays, PublicHolidays)
    assert (holidays.pattern.kind, holidays.pattern.floor_replicas) == ("holiday", 12)
    assert found.calendar.overlap is Overlap.LARGEST


def test_the_windows_keep_their_hour_when_clocks_change() -> None:
    found = read(FULL).calendar.recurring[0]
    ends = found.between(datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC))
    assert [(one.start.hour, one.duration) for one in ends] == [
        (19, timedelta(hours=4.5)),  # Friday and Saturday before the change: UTC+1
        (19, timedelta(hours=4.5)),
        (18, timedelta(hours=4.5)),
        (18, timedelta(hours=4.5)),
    ]


def test_json_is_read_as_well() -> None:
    events = [{"start": "2026-06-11T19:00:00Z", "kind": "football"}]
    for written in ({"events": events}, events):
        (event,) = read(json.dumps(written)).calendar.events
        assert event.kind == "football"


@given(st.lists(events(), max_size=4))
def test_what_is_written_is_read_back(written: list[Event]) -> None:
    documents = [EventDocument.from_event(one).as_written() for one in written]
    options = ReadOptions()
    found = read_yaml(json.dumps(documents), "programme.json", options).calendar.events
    twice = {one.event_id for one in written if one.event_id}
    if len(twice) == sum(bool(one.event_id) for one in written):
        assert [one.start for one in found] == [one.start for one in written]
        for got, was in zip(found, written, strict=True):
            if was.event_id:
                assert got == was


def test_an_id_is_the_same_when_the_file_is_read_again_and_told_apart_in_one() -> None:
    text = """
        - {start: 2026-06-11T19:00:00Z, kind: football, name: A, selector: {namespaces: [a]}}
        - {start: 2026-06-11T19:00:00Z, kind: football, name: A, selector: {namespaces: [b]}}
        - {start: 2026-06-11T19:00:00Z, kind: football, name: B}
        - {start: 2026-06-11T19:00:00Z, kind: football, name: B, id: own}
    """
    first, again = read(text).calendar.events, read(text).calendar.events
    assert [one.event_id for one in first] == [one.event_id for one in again]
    assert len({one.event_id for one in first}) == 4
    assert first[3].event_id == "own"
    moved = read(text.replace("19:00:00Z, kind: football, name: B, id", "20:00:00Z, kind: x, id"))
    assert moved.calendar.events[3].event_id == "own"


def test_each_problem_has_its_line() -> None:
    found = read(
        """\
        events:
          - {start: 2026-06-11T21:00, kind: football}
          - start: 2026-06-11T21:00:00Z
            kind: x
            selector:
              workloads:
                - a
                - b c
            floor: {replicas: -3}
          - 3
          - {start: 2026-06-11T21:00:00Z, kind: good, id: one}
          - {start: 2026-06-12T21:00:00Z, kind: twice, id: one}
        daily:
          - kind: prime-time
            start: "20:00"
            end: "25:30"
            dais: [fri]
          - {kind: late, start: "20:00", end: "23:30"}
        holidays:
          - country: XX
            timezone: UTC
        evnts: 4
        """
    )
    told = [str(one) for one in found.problems]
    expected = [
        ("line 22, evnts:", "did you mean events?"),
        ("line 2, start:", "2026-06-11T21:00:00Z"),
        ("line 8, selector.workloads[1]:", "'b c'"),
        ("line 9, floor.replicas:", "-3 is too small"),
        ("line 10:", "keys with values"),
        ("line 12, id:", "stands twice, first at line 11"),
        ("line 16, end:", "'25:30' is not a time of day"),
        ("line 17, dais:", "did you mean days?"),
        ("line 18, timezone:", "required"),
        ("line 20, country:", "'XX' is not known"),
    ]
    assert len(told) == len(expected)
    for text, (start, part) in zip(told, expected, strict=True):
        assert text.startswith(start)
        assert part in text
    assert [one.kind for one in found.calendar.events] == ["good"]


def test_a_key_that_stands_twice_is_told() -> None:
    (problem,) = read("- {start: 2026-06-11T19:00:00Z, kind: a, kind: b}").problems
    assert "stands twice" in str(problem)


def test_one_bad_entry_may_refuse_the_file() -> None:
    text = "- {start: soon, kind: a}\n- {start: 2026-06-11T19:00:00Z, kind: b}"
    with pytest.raises(EventFileError) as caught:
        read(text, on_bad_entry=OnBadEntry.REFUSE)
    told = str(caught.value)
    assert told.startswith("programme.yaml:line 1: 1 problem\n")
    assert "'soon' is not a time" in told
    assert "A valid example:" in told


def test_bad_defaults_are_told_once_and_left_out() -> None:
    found = read(
        """
        defaults: {importance: huge}
        events: [{start: 2026-06-11T19:00:00Z, kind: a}, {start: 2026-06-12T19:00:00Z, kind: b}]
        """
    )
    assert [one.field for one in found.problems] == ["importance"]
    assert len(found.calendar.events) == 2


BOMB = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"a{i + 1}: &a{i + 1} [{','.join([f'*a{i}'] * 9)}]\n" for i in range(12)
)


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        pytest.param(BOMB, "line 1", "once aliases are followed", id="aliases"),
        pytest.param("a: &a [*a]", "line 1", "once aliases are followed", id="circle"),
        pytest.param("[" * 100_000, "line 1", "nested more than", id="depth"),
        pytest.param("\n".join(" " * i + "a:" for i in range(99)), "line 31", "nested", id="block"),
        pytest.param("events:\n  - a: b: c", "line 2", "not YAML", id="syntax"),
        pytest.param("events:\n\t- a", "line 2", "spaces, not with tabs", id="tab"),
        pytest.param("{[1]: 2}", "line 1", "a key must be a word", id="key"),
        pytest.param("a: !!python/name:os.system x", "line 1", "not YAML", id="tag"),
        pytest.param("a:\n- !!timestamp x", "line 2", "cannot be read as 'timestamp'", id="time"),
        pytest.param("a: !!bool maybe", "line 1", "'maybe' cannot be read as 'bool'", id="bool"),
        pytest.param("a: !!int x", "line 1", "'x' cannot be read as 'int'", id="int"),
        pytest.param("events: []\n---\nevents: []", "line 3", "second YAML document", id="two"),
        pytest.param("events: 3", "line 1", "a list is needed", id="no list"),
        pytest.param("matches: []", "line 1", "unknown key", id="other keys"),
        pytest.param("hello", "", "a calendar is a mapping", id="text"),
        pytest.param("", "", "empty", id="empty"),
        pytest.param("# nothing\n", "", "empty", id="comment"),
    ],
)
def test_what_is_no_calendar_is_refused_quickly(text: str, place: str, told: str) -> None:
    began = time.process_time()
    with pytest.raises(EventFileError) as caught:
        read_yaml(text, "programme.yaml", ReadOptions())
    assert time.process_time() - began < 2
    assert caught.value.place == place
    assert told in str(caught.value)


def test_huge_numbers_are_refused_as_values() -> None:
    digits = "9" * 5000
    found = read(f"- {{start: 2026-06-11T19:00:00Z, kind: a, uplift: {digits}, importance: 1e999}}")
    assert {one.field for one in found.problems} == {"uplift", "importance"}
    assert all(len(str(one)) < 400 for one in found.problems)


def test_a_calendar_of_too_many_events_is_refused() -> None:
    text = "\n".join(f"- {{start: 2026-06-11T19:00:{i:02}Z, kind: a}}" for i in range(12))
    with pytest.raises(EventFileError, match="more than 10 events"):
        read(text, most_entries=10)


def test_a_calendar_may_hold_nothing_yet() -> None:
    assert not read("events: []").calendar
    assert not read("events:").calendar
