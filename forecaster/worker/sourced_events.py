"""Events of calendars, which are not ours to write, and what is laid over them."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from forecaster.errors import EventRefused
from forecaster.events import Calendar, Event
from forecaster.store import Patch
from forecaster.worker.event_book import KnownEvent
from forecaster.worker.event_changes import patched

__all__ = ["SETTINGS", "SourcedEvents", "address_of"]

SETTINGS = "settings"
"""The source of events that stand in the settings themselves."""

_PLAIN = re.compile(r"[^A-Za-z0-9._~@+-]")


class SourcedEvents:
    """What each calendar says within a window, by ids that are unique over all of them."""

    def __init__(self) -> None:
        self._by_source: dict[str, dict[str, KnownEvent]] = {}
        self._said: dict[str, KnownEvent] = {}

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._said

    def put(self, source: str, calendar: Calendar, since: datetime, until: datetime) -> None:
        """Take a calendar in the place of what it was; rules are made into events of a window.

        An event that is as it was before stays the same object, and what was made of it as well.
        """
        before, found = self._by_source.get(source, {}), {}
        for event in _within(calendar, since, until):
            event_id = address_of(source, event.event_id)
            named = dataclasses.replace(event, event_id=event_id)
            old = before.get(event_id)
            same = old is not None and old.event == named
            found[event_id] = old if old is not None and same else KnownEvent(named, source)
        self._by_source[source] = found
        self._said = {
            event_id: known
            for events in self._by_source.values()
            for event_id, known in events.items()
        }

    def said(self, event_id: str) -> Event:
        """The event as its calendar says it."""
        return self._said[event_id].event

    def known(self, event_id: str, override: Patch | None) -> KnownEvent:
        """The event with what is laid over it; as it is, with the problem, where that cannot be."""
        known = self._said[event_id]
        if override is None:
            return known
        try:
            event = patched(known.event, override)
        except EventRefused as error:
            return dataclasses.replace(known, problem=str(error))
        return dataclasses.replace(known, event=event, overridden=True)

    def overlaid(self, overrides: Mapping[str, Patch]) -> Iterator[KnownEvent]:
        """Every event, with what is laid over it."""
        for event_id, known in self._said.items():
            yield self.known(event_id, overrides.get(event_id)) if event_id in overrides else known


def address_of(source: str, event_id: str) -> str:
    """The id of a calendar's event among all events, which an address can carry as it is.

    >>> address_of("matches", "final-2026")
    'matches:final-2026'
    """
    plain = _PLAIN.sub("_", event_id)
    if plain != event_id:  # two that look alike without their special characters stay two
        plain += "~" + hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{source}:{plain}"


def _within(calendar: Calendar, since: datetime, until: datetime) -> Iterator[Event]:
    for event in calendar.events:  # cancelled ones too: they are shown
        if event.latest_end > since and event.earliest_start < until:
            yield event
    for rule in calendar.recurring:
        yield from rule.between(since, until)
