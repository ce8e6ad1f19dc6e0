"""An iCalendar text cut into its calendars, time zones and entries, each with its line.

Every VEVENT is then parsed for itself, so that a bad one is known by its line and costs no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forecaster.errors import EventFileError

__all__ = ["ICAL_EXAMPLE", "CalendarText", "EntryText", "cut_calendars"]

ICAL_EXAMPLE = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:match-1@example.com
DTSTART:20260611T190000Z
DTEND:20260611T205500Z
SUMMARY:Mexico v Italy
CATEGORIES:football
END:VEVENT
END:VCALENDAR"""

_LONGEST_ENTRY = 2**20
_LONGEST_ZONE = 2**16


@dataclass(frozen=True)
class EntryText:
    """One VEVENT as it stands in the file."""

    line: int
    text: str


@dataclass
class CalendarText:
    """One VCALENDAR: its own properties, unfolded, and what is in it."""

    properties: dict[str, str] = field(default_factory=dict)
    zones: list[EntryText] = field(default_factory=list)
    entries: list[EntryText] = field(default_factory=list)


def cut_calendars(text: str, source: str) -> list[CalendarText]:
    """The calendars of a text.

    EventFileError, with the line, where it is no iCalendar, or a component is not closed or is
    larger than any honest one.
    """
    calendars: list[CalendarText] = []
    open_since: list[tuple[str, int]] = []
    block: list[str] = []
    for number, line in _content_lines(text):
        word, _, value = line.partition(":")
        word, value = word.strip().upper(), value.strip()
        if not open_since:
            if word == "BEGIN" and value.upper() == "VCALENDAR":
                calendars.append(CalendarText())
                open_since.append(("VCALENDAR", number))
            elif line.strip():
                raise EventFileError(
                    source,
                    f"not iCalendar: {line[:40]!r} stands where BEGIN:VCALENDAR should",
                    place=f"line {number}",
                    example=ICAL_EXAMPLE,
                )
            continue
        if word == "BEGIN":
            open_since.append((value.upper(), number))
            if len(open_since) > 20:
                raise EventFileError(source, "components nested too deep", place=f"line {number}")
        if len(open_since) > 1:
            alarm = len(open_since) > 2 and open_since[1][0] == "VEVENT"
            if not alarm:  # what is inside an entry says nothing of its times, and may be broken
                block.append(line)
        elif word != "END":
            name = word.split(";", 1)[0]
            calendars[-1].properties.setdefault(name, value)
        if word == "END":
            kind, since = open_since.pop()
            if value.upper() != kind:
                raise EventFileError(
                    source,
                    f"END:{value[:40]} closes {kind}, which began in line {since}",
                    place=f"line {number}",
                )
            if len(open_since) == 1:
                _keep(calendars[-1], kind, EntryText(since, "\r\n".join(block)), source)
                block = []
    if open_since:
        kind, since = open_since[0]
        raise EventFileError(
            source, f"{kind} is not closed: the file ends too early", place=f"line {since}"
        )
    if not calendars:
        raise EventFileError(source, "the calendar is empty", example=ICAL_EXAMPLE)
    return calendars


def _content_lines(text: str) -> list[tuple[int, str]]:
    """Lines put together where they were folded, each with the number of its first."""
    lines: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line[:1] in (" ", "\t") and lines:
            lines[-1][1].append(line[1:])
        else:
            lines.append((number, [line]))
    return [(number, "".join(parts)) for number, parts in lines]


def _keep(calendar: CalendarText, kind: str, entry: EntryText, source: str) -> None:
    if kind not in ("VEVENT", "VTIMEZONE"):
        return
    longest = _LONGEST_ENTRY if kind == "VEVENT" else _LONGEST_ZONE
    if len(entry.text) > longest:
        raise EventFileError(
            source,
            f"a {kind} of more than {longest // 1024} KiB",
            place=f"line {entry.line}",
        )
    (calendar.entries if kind == "VEVENT" else calendar.zones).append(entry)
