from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from forecaster.errors import EventFileError
from forecaster.programme.formats.csv_file import read_csv
from forecaster.programme.mapping import MappingRule, MappingRules, Unmatched
from forecaster.programme.options import OnBadEntry, ReadCalendar, ReadOptions
from forecaster.programme.reading import read_calendar
from forecaster.traffic import sample

BUNDLED = Path(sample.__file__).parent / "data" / "worldcup98-matches.csv"
HEAD = "start,end,name,category,importance\n"
ROW = "2026-06-11T19:00:00Z,2026-06-11T20:55:00Z,A v B,football,4\n"


def read(text: str, **options: object) -> ReadCalendar:
    return read_csv(text, "matches.csv", ReadOptions(**options))  # type: ignore[arg-type]


def test_the_bundled_match_calendar_is_read_as_it_is() -> None:
    found = read_calendar(BUNDLED)
    assert found.problems == ()
    assert len(found.calendar.events) == 64
    assert {one.kind for one in found.calendar.events} == {"football"}
    first, last = found.calendar.events[0], found.calendar.events[-1]
    assert (first.name, first.importance) == ("Brazil v Scotland", 4)
    assert first.start == datetime(1998, 6, 10, 15, 30, tzinfo=UTC)
    assert last.start.date().isoformat() == "1998-07-12"
    assert len({one.event_id for one in found.calendar.events}) == 64


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_write_it_in_their_own_ways(separator: str) -> None:
    text = "\ufeff".join(["", HEAD + ROW]).removeprefix("\ufeff")
    text = text.replace(",", separator).replace("\n", "\r\n").replace("start", " Start ")
    (event,) = read(text).calendar.events
    assert event.name == "A v B"


def test_the_kind_may_be_a_column_and_counts_before_the_category() -> None:
    (event,) = read("start,kind\n2026-06-11T19:00Z,opera\n").calendar.events
    assert (event.kind, event.end, event.importance) == ("opera", None, 3)
    (event,) = read("category,start,kind\nsport,2026-06-11T19:00Z,golf\n").calendar.events
    assert event.kind == "golf"


def test_an_id_column_makes_a_moved_row_the_same_event() -> None:
    ids = [
        read(f"id,start,category\nm1,2026-06-11T{hour}:00Z,football\n").calendar.events[0].event_id
        for hour in (19, 20)
    ]
    assert ids == ["m1", "m1"]


def test_quoted_cells_may_hold_separators_and_lines() -> None:
    text = HEAD + '2026-06-11T19:00:00Z,,"A, B",football,\n\n,,,,\n' + "soon,,x,football,\n"
    found = read(text)
    assert found.calendar.events[0].name == "A, B"
    assert [one.place for one in found.problems] == ["line 5"]


def test_each_bad_row_is_told_with_its_line() -> None:
    rows = [
        "11/06/2026 21:00,,A,football,4",
        "2026-06-11T19:00:00,,A,football,4",
        "1,2",
        "2026-06-11T19:00:00Z,,A,,4",
        "2026-06-11T19:00:00Z,,A,football,huge",
    ]
    found = read(HEAD + "\n".join(rows) + "\n" + ROW)
    assert [one.place for one in found.problems] == [f"line {i}" for i in range(2, 7)]
    told = [str(one) for one in found.problems]
    for text, part in zip(
        told,
        [
            "is not a time",
            "no time zone",
            "2 values for 5 columns",
            "kind: it is required",
            "'huge'",
        ],
        strict=True,
    ):
        assert part in text
    assert len(found.calendar.events) == 1


def test_times_without_an_offset_are_read_in_the_zone_that_is_given() -> None:
    text = HEAD + "2026-10-25 01:30,2026-10-25 03:30,A,football,\n"
    (event,) = read(text, timezone="Europe/Paris").calendar.events
    assert event.start == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert event.end == datetime(2026, 10, 25, 2, 30, tzinfo=UTC)


def test_a_mapping_sees_name_and_category() -> None:
    rules = MappingRules(
        (
            MappingRule(title=("* v *",), kind="match", hold=True),
            MappingRule(category=("/^test/",), drop=True),
        )
    )
    text = HEAD + ROW + "2026-06-11T19:00Z,,x,testing,\n2026-06-11T19:00Z,,y,news,\n"
    found = read(text, mapping=rules)
    assert [(one.kind, one.hold) for one in found.calendar.events] == [
        ("match", True),
        ("news", False),
    ]
    assert found.dropped == 1
    strict = MappingRules(rules.rules, Unmatched.DROP)
    assert read(text, mapping=strict).dropped == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column start and category"),
        ("a,b\n1,2\n", "no column start and category; there are a, b"),
        ("start,end\n1,2\n", "no column category"),
        (HEAD + '2026,"unclosed\n', "not CSV"),
        (HEAD + "x" * 200_000, "not CSV"),
    ],
)
def test_what_is_no_calendar_is_refused(text: str, told: str) -> None:
    with pytest.raises(EventFileError, match=told) as caught:
        read(text)
    assert "A valid example:\nstart,end,name" in str(caught.value)


def test_one_bad_row_may_refuse_the_file() -> None:
    with pytest.raises(EventFileError, match="line 2"):
        read(HEAD + "soon,,x,football,\n" + ROW, on_bad_entry=OnBadEntry.REFUSE)
