from __future__ import annotations

import contextlib
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.errors import EventFileError
from forecaster.programme.mapping import MappingRules, Unmatched
from forecaster.programme.options import CalendarFormat, ReadOptions
from forecaster.programme.reading import guessed_format, read_calendar
from tests.programme.calendar_server import ICS

YAML = b"events:\n  - {start: 2026-06-11T19:00:00Z, kind: football}\n"
CSV = b"start,end,name,category,importance\n2026-06-11T19:00:00Z,,A,football,\n"
XML = (
    b'<?xml version="1.0"?><tv><programme start="20260611190000"><category>football</category>'
    b"</programme></tv>"
)
MANIFEST = (
    b"apiVersion: prescaling.bedrock.tech/v1\nkind: PrescalingEvent\nmetadata: {name: a}\n"
    b"spec: {date: 2026-06-11, start_time: 19:00:00, end_time: 21:00:00, multiplier: 2}\n"
)
ALL = {
    CalendarFormat.YAML: YAML,
    CalendarFormat.CSV: CSV,
    CalendarFormat.ICALENDAR: ICS,
    CalendarFormat.XMLTV: XML,
    CalendarFormat.PRESCALING: MANIFEST,
}
KEEP = ReadOptions(mapping=MappingRules(unmatched=Unmatched.KEEP))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("format", ALL)
def test_the_format_is_known_by_the_content(format: CalendarFormat, packed: bool) -> None:  # noqa: A002
    data = gzip.compress(ALL[format]) if packed else b"\xef\xbb\xbf\n" * (not packed) + ALL[format]
    if format in (CalendarFormat.CSV, CalendarFormat.XMLTV):
        data = data.removeprefix(b"\xef\xbb\xbf\n")
    (event,) = read_calendar(data, options=KEEP).calendar.events
    assert event.start == datetime(2026, 6, 11, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.yaml", CalendarFormat.YAML),
        ("a.YML", CalendarFormat.YAML),
        ("a.json", CalendarFormat.YAML),
        ("a.csv", CalendarFormat.CSV),
        ("a.csv.gz", CalendarFormat.CSV),
        ("https://calendar.example.com/basic.ics?key=3#x", CalendarFormat.ICALENDAR),
        ("guide.xml", CalendarFormat.XMLTV),
        ("guide.xmltv", CalendarFormat.XMLTV),
    ],
)
def test_the_format_is_known_by_the_ending(name: str, format: CalendarFormat) -> None:  # noqa: A002
    assert guessed_format(name, b"") is format


def test_manifests_are_told_from_calendars_in_yaml() -> None:
    assert guessed_format("a.yaml", MANIFEST) is CalendarFormat.PRESCALING
    assert guessed_format("a.yaml", YAML) is CalendarFormat.YAML


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>\n<html>", b"  <HTML lang=en>"])
def test_a_web_page_is_no_calendar_whatever_its_name(page: bytes) -> None:
    for name in ("a.ics", "a.xml", "a"):
        with pytest.raises(EventFileError, match="this is a web page"):
            read_calendar(page, source=name)


def test_a_file_that_cannot_be_read_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match="there is no such file"):
        read_calendar(tmp_path / "none.yaml")
    with pytest.raises(EventFileError, match="this is a directory"):
        read_calendar(tmp_path)
    path = tmp_path / "a.yaml"
    path.write_bytes(YAML)
    with pytest.raises(EventFileError, match="is not read"):
        read_calendar(path, options=ReadOptions(most_bytes=20))
    assert len(read_calendar(path).calendar.events) == 1


@pytest.mark.parametrize(
    "format", [CalendarFormat.YAML, CalendarFormat.CSV, CalendarFormat.ICALENDAR]
)
def test_text_that_is_not_utf_8_is_refused_with_its_line(format: CalendarFormat) -> None:  # noqa: A002
    data = ALL[format] + "# é".encode("latin-1")
    with pytest.raises(EventFileError, match="not UTF-8 text: byte 0xe9") as caught:
        read_calendar(data, format)
    assert caught.value.place == f"line {ALL[format].count(10) + 1}"


def test_binary_content_is_refused() -> None:
    with pytest.raises(EventFileError, match="NUL byte"):
        read_calendar(b"start,category\n\x00", CalendarFormat.CSV)


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 100 * 2**20, 9))
    with pytest.raises(EventFileError):
        read_calendar(bomb)
    with pytest.raises(EventFileError, match="more than 1 MiB"):
        read_calendar(gzip.compress(b"\0" * 9 * 2**20), options=ReadOptions(most_bytes=2**20))


def test_gzip_files_that_were_put_together_are_unpacked_whole() -> None:
    halves = gzip.compress(CSV[:40]) + gzip.compress(CSV[40:])
    assert len(read_calendar(halves, CalendarFormat.CSV).calendar.events) == 1
    with pytest.raises(EventFileError, match="ends too early"):
        read_calendar(halves[:-4])


@given(st.binary(max_size=300), st.sampled_from([None, *CalendarFormat]))
def test_noise_is_a_calendar_or_an_error_of_ours(
    data: bytes,
    format: CalendarFormat | None,  # noqa: A002
) -> None:
    with contextlib.suppress(EventFileError):
        read_calendar(data, format)


@given(st.data(), st.sampled_from(list(ALL)))
def test_a_damaged_calendar_is_a_calendar_or_an_error_of_ours(
    data: st.DataObject,
    format: CalendarFormat,  # noqa: A002
) -> None:
    sound = ALL[format]
    at = data.draw(st.integers(0, len(sound)))
    noise = data.draw(
        st.binary(max_size=6) | st.text(max_size=6).map(lambda t: t.encode("utf-8", "ignore"))
    )
    damaged = sound[:at] + noise + sound[at + data.draw(st.integers(0, 6)) :]
    try:
        found = read_calendar(damaged, format, KEEP)
    except EventFileError:
        return
    json.dumps([str(one) for one in found.problems])


@pytest.mark.parametrize(
    "keys",
    [
        {"timezone": "Europe/Pari"},
        {"since": datetime(2026, 1, 1)},
        {"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_options_that_cannot_be_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        ReadOptions(**keys)  # type: ignore[arg-type]
