"""A programme guide in XMLTV.

Titles, categories and channels become kinds by the mapping; what no rule fits is dropped, for a
guide covers all day. A programme without a stop ends when the next one begins on its channel, the
last one of a channel is open-ended. Times without an offset are UTC, as XMLTV has it, where no
zone is given. DTDs are let be and never fetched; entities that a file declares are refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from forecaster.events.event import LONGEST_EVENT
from forecaster.programme.entries import Entries, merged
from forecaster.programme.mapping import Listing, Unmatched
from forecaster.programme.options import ReadCalendar, ReadOptions
from forecaster.programme.times import FIRST_YEAR, LAST_YEAR, zone_named

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["XMLTV_EXAMPLE", "read_xmltv", "xmltv_time"]

XMLTV_EXAMPLE = """\
<tv>
  <programme start="20260611210000 +0200" stop="20260611230000 +0200" channel="one.example.com">
    <title>Football: Mexico v Italy</title>
    <category>Sports</category>
  </programme>
</tv>"""

_TIME = re.compile(r"(\d{8}|\d{10}|\d{12}|\d{14})(?:\s*([+-]\d{4}|Z|UTC|GMT))?")
_TIME_EXAMPLE = "20260611210000 +0200"
_DEEPEST = 30
_MOST_PARTS = 20_000
_MOST_PROGRAMMES = 1_000_000
_LONGEST_NAME = 300


@dataclass
class _Programme:
    number: int
    channel: str
    start: datetime
    stop: datetime | None
    titles: list[str]
    subtitle: str
    categories: list[str] = field(default_factory=list)
    repeat: bool = False

    @property
    def place(self) -> str:
        title = f" “{self.titles[0][:60]}”" if self.titles else ""
        return f"programme {self.number}{title}"

    @property
    def name(self) -> str:
        title = self.titles[0] if self.titles else ""
        whole = f"{title}: {self.subtitle}" if title and self.subtitle else title or self.subtitle
        return whole[:_LONGEST_NAME]


def read_xmltv(data: bytes, source: str, options: ReadOptions) -> ReadCalendar:
    """The events of a guide that its mapping keeps.

    EventFileError for what is no XMLTV, for declared entities, and where a programme is bad and
    the options refuse that.
    """
    entries = Entries(source, options)
    names: dict[str, list[str]] = {}
    programmes: list[_Programme] = []
    number = 0
    for element in _elements(data, entries):
        if element.tag == "channel":
            key = element.get("id", "")
            names[key] = [key, *_texts(element, "display-name")]
        elif element.tag == "programme":
            number += 1
            if number > _MOST_PROGRAMMES:
                raise entries.unusable(f"more than {_MOST_PROGRAMMES:,} programmes")
            one = _programme(element, number, entries)
            if one is not None:
                programmes.append(one)
    _close(programmes)
    for one in programmes:
        _add(one, names.get(one.channel, [one.channel]), entries)
    return entries.finish()


def xmltv_time(text: str, timezone_name: str | None) -> datetime:
    """The instant that an XMLTV time stands for, UTC; seconds, minutes and hours may be missing.

    ValueError for another text, with an example.

    >>> xmltv_time("20260611210000 +0200", None)
    datetime.datetime(2026, 6, 11, 19, 0, tzinfo=datetime.timezone.utc)
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a time")
    digits = match[1].ljust(14, "0")
    try:
        naive = datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007  its zone comes next
        if not FIRST_YEAR <= naive.year <= LAST_YEAR:
            raise ValueError("the year")
        offset = match[2]
        if offset is None:
            zone = UTC if timezone_name is None else zone_named(timezone_name)
        elif offset[0] in "+-":
            ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
            zone = timezone(ahead if offset[0] == "+" else -ahead)
        else:
            zone = UTC
    except ValueError as error:
        raise ValueError(
            f"{text[:60]!r} is not a time: there is no such day, hour or offset"
        ) from error
    return naive.replace(tzinfo=zone).astimezone(UTC)


def _elements(data: bytes, entries: Entries) -> Iterator[Element]:
    """The children of <tv>, each forgotten when the next comes."""
    depth = parts = 0
    root: Element | None = None
    try:
        parser = iterparse(io.BytesIO(data), ("start", "end"), forbid_entities=True)
        for event, element in parser:
            if event == "start":
                depth += 1
                parts += 1
                if root is None:
                    root = element
                    if root.tag != "tv":
                        raise entries.unusable(
                            f"not XMLTV: its root is <{str(root.tag)[:60]}>, not <tv>",
                            example=XMLTV_EXAMPLE,
                        )
                if depth > _DEEPEST or parts > _MOST_PARTS:
                    raise entries.unusable(
                        f"an entry with more than {_MOST_PARTS:,} parts, or nested more than "
                        f"{_DEEPEST} deep"
                    )
                continue
            depth -= 1
            if depth == 1 and root is not None:
                yield element
                root.clear()
                parts = 0
    except DefusedXmlException as error:
        raise entries.unusable(
            "it declares entities of its own, which are not read; write the text itself"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        where = getattr(error, "position", None)
        raise entries.unusable(
            f"not XML: {error}",
            place="" if where is None else f"line {where[0]}",
            example=XMLTV_EXAMPLE,
        ) from error


def _texts(element: Element, tag: str) -> list[str]:
    found = (" ".join((one.text or "").split()) for one in element.findall(tag))
    return [text[:_LONGEST_NAME] for text in found if text]


def _programme(element: Element, number: int, entries: Entries) -> _Programme | None:
    titles = _texts(element, "title")
    told = f" “{titles[0][:60]}”" if titles else ""
    place = f"programme {number}{told}"
    zone = entries.options.timezone
    times: dict[str, datetime | None] = {"start": None, "stop": None}
    for name in times:
        text = element.get(name)
        if text is None or not text.strip():
            continue
        try:
            times[name] = xmltv_time(text, zone)
        except ValueError as error:
            entries.problem(
                place, str(error), field=name, value=repr(text[:60]), example=_TIME_EXAMPLE
            )
            return None
    start = times["start"]
    if start is None:
        entries.problem(place, "it is required", field="start", example=_TIME_EXAMPLE)
        return None
    subtitles = _texts(element, "sub-title")
    return _Programme(
        number=number,
        channel=element.get("channel", ""),
        start=start,
        stop=times["stop"],
        titles=titles,
        subtitle=subtitles[0] if subtitles else "",
        categories=_texts(element, "category"),
        repeat=element.find("previously-shown") is not None,
    )


def _close(programmes: list[_Programme]) -> None:
    """A missing stop is the next start on the channel; one too far away says nothing."""
    following: dict[str, datetime] = {}
    for one in sorted(programmes, key=lambda one: one.start, reverse=True):
        after = following.get(one.channel)
        if (
            one.stop is None
            and after is not None
            and one.start < after <= one.start + LONGEST_EVENT
        ):
            one.stop = after
        following[one.channel] = one.start


def _add(one: _Programme, channels: list[str], entries: Entries) -> None:
    titles = [*one.titles, one.name] if one.subtitle else one.titles
    listing = Listing(titles or [""], one.categories, channels, one.repeat)
    given = entries.options.mapping.given_to(listing, Unmatched.DROP)
    if given is None:
        entries.dropped += 1
        return
    kind = one.categories[0] if one.categories else entries.options.default_kind
    data: dict[str, Any] = {"start": one.start, "end": one.stop, "name": one.name, "kind": kind}
    entries.add(merged(data, given), one.place, distinct=one.channel)
