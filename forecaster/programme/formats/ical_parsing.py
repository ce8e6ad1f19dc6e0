"""VEVENTs and VTIMEZONEs parsed by the library, each for itself; what it refuses, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import icalendar

from forecaster.programme.entries import Entries
from forecaster.programme.formats.ical_entry import NEEDED, first_of, texts_of
from forecaster.programme.formats.ical_guard import zone_problem
from forecaster.programme.formats.ical_text import EntryText

__all__ = ["LIBRARY_ERRORS", "Entry", "as_value_error", "latest_of", "learn_zones", "parsed"]

# What the two libraries raise for input that is wrong in ways they did not think of.
LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)
_UID = re.compile(r"^UID:(.*\S)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One VEVENT, its line in the file and its UID, which may be empty."""

    component: icalendar.Event
    line: int
    uid: str

    @property
    def place(self) -> str:
        """As problems say it."""
        return f"line {self.line}, UID {self.uid[:60]}" if self.uid else f"line {self.line}"

    @property
    def recurs(self) -> bool:
        """Whether more than one event may come of it and its kin."""
        return any(name in self.component for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def parsed(texts: Iterable[EntryText], entries: Entries) -> Iterator[Entry]:
    """Those that can be read; the others become problems."""
    for text in texts:
        try:
            component: Any = icalendar.Event.from_ical(text.text)
        except LIBRARY_ERRORS as error:
            uid = _UID.search(text.text)
            told = f", UID {uid[1][:60]}" if uid else ""
            entries.problem(f"line {text.line}{told}", f"not an entry: {_told(error)}")
            continue
        uids = texts_of(component, "UID")
        entry = Entry(component, text.line, uids[0] if uids else "")
        bad = [(name, told) for name, told in component.errors if name in NEEDED]
        for name, told in bad:
            entries.problem(entry.place, told, field=str(name))
        if not bad:
            yield entry


def learn_zones(texts: Iterable[EntryText], entries: Entries) -> None:
    """Teach the library the zones that a calendar describes; it keeps them for what comes next."""
    for zone in texts:
        problem = zone_problem(zone.text)
        if problem is None:
            try:
                icalendar.Timezone.from_ical(zone.text)
            except LIBRARY_ERRORS as error:
                problem = f"it cannot be read: {_told(error)}"
        if problem is not None:
            entries.problem(f"line {zone.line}", f"this VTIMEZONE is not used: {problem}")


def latest_of(group: list[Entry]) -> list[Entry]:
    """Of single entries with one UID the one of the highest SEQUENCE, the last of equals."""
    if not group[0].uid:
        return group
    return [max(reversed(group), key=_sequence)]


def _sequence(entry: Entry) -> int:
    value = first_of(entry.component, "SEQUENCE")
    return value if isinstance(value, int) else 0


def as_value_error(error: Exception) -> ValueError:
    """The error as one that ``problems_of`` understands."""
    if isinstance(error, ValueError):
        return error
    return ValueError(f"it cannot be followed: {_told(error)}")


def _told(error: Exception) -> str:
    if isinstance(error, OSError):  # zones are files: the name of a folder of them, or too long
        return "a TZID in it is no time zone; write for example TZID=Europe/Paris"
    return f"{type(error).__name__}: {str(error)[:120]}"
