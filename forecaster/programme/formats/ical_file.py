"""A calendar in iCalendar (RFC 5545): single, recurring, moved and cancelled entries.

Recurring ones are made into events within the options' ``since`` and ``until``. An event's id is
its UID, with the day and hour it was first meant for where it recurs, so a moved or cancelled one
stays the same event.
"""

from __future__ import annotations

import threading
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from icalendar.timezone import tzp

from forecaster.events.event import DEFAULT_CEILING
from forecaster.programme.entries import Entries, merged
from forecaster.programme.formats.ical_entry import (
    first_of,
    importance_data,
    inherit,
    instant_of,
    listing_of,
    own_data,
    texts_of,
    times_of,
)
from forecaster.programme.formats.ical_guard import occurrences, rule_problem, steps_of
from forecaster.programme.formats.ical_parsing import (
    LIBRARY_ERRORS,
    Entry,
    as_value_error,
    latest_of,
    learn_zones,
    parsed,
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
        learn_zones(self._text.zones, self._entries)
        series: dict[str, list[Entry]] = {}
        for entry in parsed(self._text.entries, self._entries):
            series.setdefault(entry.uid or f"\x00{entry.line}", []).append(entry)
        for group in series.values():
            if any(one.recurs for one in group):
                self._expand(group)
            else:
                for one in latest_of(group):
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

    def _expand(self, group: list[Entry]) -> None:
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
        except LIBRARY_ERRORS as error:
            self._entries.note(problems_of(as_value_error(error), place=core.place))

    def _may_follow(self, group: list[Entry], until: datetime) -> bool:
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

    def _shifts(self, group: list[Entry]) -> dict[datetime, timedelta]:
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
        core: Entry,
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

    def _add(self, component: icalendar.Event, entry: Entry, event_id: str) -> None:
        title, categories = listing_of(component)
        listing = Listing([title], categories, self._channels)
        given = self._options.mapping.given_to(listing)
        if given is None:
            self._entries.dropped += 1
            return
        try:
            start, end = times_of(component, self._zone)
        except LIBRARY_ERRORS as error:
            self._entries.note(problems_of(as_value_error(error), place=entry.place))
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
