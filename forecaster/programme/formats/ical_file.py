"""A calendar in iCalendar (RFC 5545): single, recurring, moved and cancelled entries.

Recurring ones are made into events within the options' ``since`` and ``until``. An event's id is
its UID, with the day and hour it was first meant for where it recurs, so a moved or cancelled one
stays the same event.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from icalendar.timezone import tzp

from forecaster.events.event import DEFAULT_CEILING
from forecaster.programme.entries import Entries, merged
from forecaster.programme.formats.ical_entry import (
    NEEDED,
    first_of,
    importance_data,
    inherit,
    instant_of,
    listing_of,
    own_data,
    texts_of,
    times_of,
)
from forecaster.programme.formats.ical_guard import (
    occurrences,
    rule_problem,
    steps_of,
    zone_problem,
)
from forecaster.programme.formats.ical_text import CalendarText, cut_calendars
from forecaster.programme.identity import fitting_id
from forecaster.programme.mapping import Listing
from forecaster.programme.options import ReadCalendar, ReadOptions
from forecaster.programme.problems import problems_of
from forecaster.programme.times import LAST_YEAR, zone_named

__all__ = ["read_icalendar"]

_WITHOUT_BOUNDS = timedelta(days=3653)
_MARGIN = timedelta(days=2)
_MOST_STEPS = 1_000_000
# What the two libraries raise for input that is wrong in ways they did not think of.
_LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
# icalendar keeps the zones that a calendar describes for the next one to be read: one at a time.
_ONE_AT_A_TIME = threading.Lock()


def read_icalendar(text: str, source: str, options: ReadOptions) -> ReadCalendar:
    """The events of an iCalendar text; the mapping's rules see SUMMARY and CATEGORIES.

    EventFileError for what is no iCalendar, or where an entry is bad and the options refuse that.
    """
    entries = Entries(source, options)
    for calendar in cut_calendars(text, source):
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # guesses at vendors' zone names are right enough
            tzp.use_zoneinfo()  # forgets the zones of the calendar before
            _Reading(calendar, entries).read()
    return entries.finish()


@dataclass(frozen=True)
class _Entry:
    component: icalendar.Event
    line: int
    uid: str

    @property
    def place(self) -> str:
        return f"line {self.line}, UID {self.uid[:60]}" if self.uid else f"line {self.line}"

    @property
    def recurs(self) -> bool:
        return any(name in self.component for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


class _Reading:
    def __init__(self, calendar: CalendarText, entries: Entries) -> None:
        self._text = calendar
        self._entries = entries
        self._options = entries.options
        self._steps = 0
        self._cancelled = calendar.properties.get("METHOD", "").upper() == "CANCEL"
        self._zone = self._calendar_zone() or self._options.timezone
        name = calendar.properties.get("X-WR-CALNAME", "")
        self._channels = [name[:300]] if name else []

    def read(self) -> None:
        self._learn_zones()
        series: dict[str, list[_Entry]] = {}
        for entry in self._parsed():
            series.setdefault(entry.uid or f"\x00{entry.line}", []).append(entry)
        for group in series.values():
            if any(one.recurs for one in group):
                self._expand(group)
            else:
                for one in _latest(group):
                    self._add(one.component, one, fitting_id(one.uid) if one.uid else "")

    def _calendar_zone(self) -> str | None:
        name = self._text.properties.get("X-WR-TIMEZONE")
        if not name:
            return None
        try:
            zone_named(name)
        except ValueError as error:
            self._entries.problem("X-WR-TIMEZONE", str(error))
            return None
        return name

    def _learn_zones(self) -> None:
        for zone in self._text.zones:
            problem = zone_problem(zone.text)
            if problem is None:
                try:
                    icalendar.Timezone.from_ical(zone.text)
                except _LIBRARY_ERRORS as error:
                    problem = f"it cannot be read: {error}"
            if problem is not None:
                self._entries.problem(f"line {zone.line}", f"this VTIMEZONE is not used: {problem}")

    def _parsed(self) -> Iterator[_Entry]:
        for text in self._text.entries:
            place = f"line {text.line}"
            try:
                component: Any = icalendar.Event.from_ical(text.text)
            except _LIBRARY_ERRORS as error:
                self._entries.problem(place, f"not an entry: {str(error)[:120]}")
                continue
            uids = texts_of(component, "UID")
            entry = _Entry(component, text.line, uids[0] if uids else "")
            bad = [(name, told) for name, told in component.errors if name in NEEDED]
            for name, told in bad:
                self._entries.problem(entry.place, told, field=str(name))
            if not bad:
                yield entry

    def _expand(self, group: list[_Entry]) -> None:
        core = next((one for one in group if "RECURRENCE-ID" not in one.component), group[0])
        try:
            start, _ = times_of(core.component, self._zone)
            since = (self._options.since or start) - _MARGIN
            until = self._options.until or max(since, start) + _WITHOUT_BOUNDS
            until = min(until, datetime(LAST_YEAR, 12, 1, tzinfo=UTC))
            if not self._may_follow(group, until):
                return
            calendar = icalendar.Calendar()
            for one in group:
                inherit(one.component, core.component)
                calendar.add_component(one.component)
            if "X-WR-TIMEZONE" in self._text.properties and self._zone:
                calendar.add("X-WR-TIMEZONE", self._zone)
            shifts = self._shifts(group)
            for occurrence in occurrences(calendar, since, until + _MARGIN):
                self._add_occurrence(occurrence, core, until, shifts)
        except _LIBRARY_ERRORS as error:
            self._entries.note(problems_of(_as_value_error(error), place=core.place))

    def _may_follow(self, group: list[_Entry], until: datetime) -> bool:
        for one in group:
            rules: Any = one.component.get("RRULE", [])
            for rule in rules if isinstance(rules, list) else [rules]:
                start = first_of(one.component, "DTSTART").dt
                problem = rule_problem(rule, start)
                self._steps += 0 if problem else steps_of(rule, start, until)
                if problem is None and self._steps > _MOST_STEPS:
                    problem = "too much is to be followed in this calendar; bound it by UNTIL"
                if problem is not None:
                    self._entries.problem(
                        one.place,
                        problem,
                        field="RRULE",
                        value=rule.to_ical().decode()[:80],
                        example="FREQ=WEEKLY;BYDAY=SA",
                    )
                    return False
        return True

    def _shifts(self, group: list[_Entry]) -> dict[datetime, timedelta]:
        """By how much a change of one occurrence and all later ones (RANGE) moves them."""
        shifts = {}
        for one in group:
            meant = first_of(one.component, "RECURRENCE-ID")
            if meant is not None and meant.params.get("RANGE"):
                at = instant_of(meant.dt, self._zone, "RECURRENCE-ID")
                shifts[at] = times_of(one.component, self._zone)[0] - at
        return shifts

    def _add_occurrence(
        self,
        found: icalendar.Event,
        core: _Entry,
        until: datetime,
        shifts: dict[datetime, timedelta],
    ) -> None:
        start, end = times_of(found, self._zone)
        since = self._options.since
        if start >= until or (since is not None and (end or start + DEFAULT_CEILING) <= since):
            return
        meant = instant_of(first_of(found, "RECURRENCE-ID").dt, self._zone, "RECURRENCE-ID")
        if meant in shifts:  # the library gives all later occurrences the id of the first
            meant = start - shifts[meant]
        uid = core.uid or f"line-{core.line}"
        self._add(found, core, fitting_id(f"{uid}@{meant:%Y%m%dT%H%MZ}"))

    def _add(self, component: icalendar.Event, entry: _Entry, event_id: str) -> None:
        title, categories = listing_of(component)
        listing = Listing([title], categories, self._channels)
        given = self._options.mapping.given_to(listing)
        if given is None:
            self._entries.dropped += 1
            return
        try:
            start, end = times_of(component, self._zone)
        except _LIBRARY_ERRORS as error:
            self._entries.note(problems_of(_as_value_error(error), place=entry.place))
            return
        status = texts_of(component, "STATUS")
        cancelled = self._cancelled or bool(status and status[0].upper() == "CANCELLED")
        data: dict[str, Any] = {
            "start": start,
            "end": end,
            "name": title,
            "kind": categories[0] if categories else self._options.default_kind,
            "cancelled": cancelled,
            **importance_data(component),
        }
        own = {**given, **own_data(component)}
        self._entries.add(merged(data, own), entry.place, event_id=event_id)


def _latest(group: list[_Entry]) -> list[_Entry]:
    """Of single entries with one UID the one of the highest SEQUENCE, the last of equals."""
    if not group[0].uid:
        return group
    return [max(reversed(group), key=_sequence)]


def _sequence(entry: _Entry) -> int:
    value = first_of(entry.component, "SEQUENCE")
    return value if isinstance(value, int) else 0


def _as_value_error(error: Exception) -> ValueError:
    if isinstance(error, ValueError):
        return error
    return ValueError(f"it cannot be followed: {type(error).__name__}: {str(error)[:120]}")
