"""The one place that knows every event: made by REST, of the settings, of calendars.

REST asks it from threads of the server, the conductor once a round, and calendars are handed in by
the thread that fetches them; a lock makes one change after the other. Readers take ``book()``,
which is never changed, and wait for nobody.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from forecaster.errors import EventConflict, EventRefused, FieldProblem, UnknownEvent
from forecaster.events import Calendar, Event
from forecaster.store import Creation, EventShelf, Patch
from forecaster.worker.event_book import REST, EventBook, KnownEvent
from forecaster.worker.event_changes import (
    digest_of,
    event_of,
    extended,
    patch_between,
    patched,
    valid_id,
)
from forecaster.worker.sourced_events import SETTINGS, SourcedEvents

__all__ = ["MOST_EVENTS", "EventDesk"]

MOST_EVENTS = 50_000
"""How many events made by REST are kept at once."""

_KEEP_ENDED = timedelta(days=365)

_log = logging.getLogger(__name__)


class EventDesk:
    """Keeps events in the store at ``path``; see the module's words for who asks.

    Every change raises EventRefused for a field that cannot be used, UnknownEvent, EventConflict,
    and StoreError where it cannot be kept: then nothing has changed.
    """

    def __init__(self, path: Path, settings: Calendar = Calendar()) -> None:
        self._shelf = EventShelf(path)
        self._lock = threading.Lock()
        self._rest: dict[str, KnownEvent] = {}
        self._overrides: dict[str, Patch] = {}
        self._sourced = SourcedEvents()
        self._settings = settings
        self._book: EventBook | None = EventBook()
        self.revision = 0
        """Counts the changes: whoever made something of an older one has to look again."""
        self.unreadable: tuple[str, ...] = ()
        """What the store holds and nobody can use."""

    def load(self, since: datetime, until: datetime) -> None:
        """Take what the store knows and what the settings say; rules are followed in a window.

        Raises StoreError.
        """
        kept = self._shelf.load()
        with self._lock:
            self._rest = {name: KnownEvent(event, REST) for name, event in kept.events.items()}
            self._overrides = dict(kept.overrides)
            self.unreadable = kept.unreadable
            self._sourced.put(SETTINGS, self._settings, since, until)
            self._changed()

    def book(self) -> EventBook:
        """Everything that is known right now."""
        book = self._book
        if book is None:
            with self._lock:
                book = self._book
                if book is None:
                    sourced = self._sourced.overlaid(self._overrides)
                    book = self._book = EventBook([*self._rest.values(), *sourced])
        return book

    def take_calendar(
        self, source: str, calendar: Calendar, since: datetime, until: datetime
    ) -> None:
        """What a calendar says now, in the place of what it said before."""
        with self._lock:
            self._sourced.put(source, calendar, since, until)
            self._changed()

    def move_window(self, since: datetime, until: datetime) -> None:
        """Follow the settings' rules in another window, and forget what ended a year before it.

        Raises StoreError.
        """
        with self._lock:
            self._sourced.put(SETTINGS, self._settings, since, until)
            self._changed()
            for event_id in self._shelf.forget_before(since - _KEEP_ENDED):
                self._rest.pop(event_id, None)
                self._overrides.pop(event_id, None)

    def create(
        self, body: Mapping[str, Any], now: datetime, key: str | None = None
    ) -> tuple[KnownEvent, bool]:
        """Make an event of a JSON object; the event, and whether this call has made it.

        ``id`` in it, or ``key``, make it safe to ask again: the same request makes nothing more,
        and another one under the same id or key is an EventConflict. Where no more are kept, what
        was made already is answered all the same.
        """
        own = body.get("id")
        wished = event_of(body, valid_id(own) if isinstance(own, str) else "")
        digest = digest_of(wished)
        event = wished if wished.event_id else dataclasses.replace(wished, event_id=_new_id())
        with self._lock:
            creation, room = Creation(event, digest, now, key), self._check_room
            event, made = self._shelf.create(creation, lambda: room(creation.event.event_id))
            return (self._keep(event) if made else self._rest[event.event_id]), made

    def put(
        self, event_id: str, body: Mapping[str, Any], matches: Condition = None
    ) -> tuple[KnownEvent, bool]:
        """Make the event of this id, or put it in the place of what it was; whether it is new."""
        if body.get("id", event_id) != event_id:
            message = f"{body['id']!r} is not the id in the address, {event_id!r}"
            raise EventRefused([FieldProblem("id", message, event_id)])
        with self._lock:
            if event_id in self._sourced:
                raise EventConflict(
                    f"event {event_id!r} is in a calendar; PATCH lays something over it"
                )
            event = event_of(body, valid_id(event_id))
            before = self._rest.get(event_id)
            _check(matches, before)
            if before is not None and before.event == event:
                return before, False
            self._check_room(event_id)
            self._shelf.replace(event, digest_of(event))
            return self._keep(event), before is None

    def patch(
        self, event_id: str, patch: Patch, now: datetime, matches: Condition = None
    ) -> KnownEvent:
        """Apply a JSON merge patch; over an event of a calendar it is laid, until it is lifted."""
        return self._change(event_id, lambda event: patched(event, patch), now, matches)

    def extend(
        self, event_id: str, to: timedelta | datetime, now: datetime, matches: Condition = None
    ) -> KnownEvent:
        """Let an event end later."""
        return self._change(event_id, lambda event: extended(event, to, now), now, matches)

    def remove(self, event_id: str, now: datetime, matches: Condition = None) -> KnownEvent | None:
        """Remove an event; one of a calendar is cancelled instead, and returned."""
        with self._lock:
            if event_id in self._rest:
                _check(matches, self._rest[event_id])
                self._shelf.remove(event_id)
                del self._rest[event_id]
                self._changed()
                return None
        return self.patch(event_id, {"cancelled": True}, now, matches)

    def lift(self, event_id: str, matches: Condition = None) -> KnownEvent:
        """Take back what was laid over an event of a calendar: it is what its calendar says."""
        with self._lock:
            known = self._known(event_id)
            _check(matches, known)
            if event_id in self._overrides:
                self._shelf.lift(event_id)
                del self._overrides[event_id]
                self._changed()
            return self._known(event_id)

    def _change(
        self,
        event_id: str,
        change: Callable[[Event], Event],
        now: datetime,
        matches: Condition,
    ) -> KnownEvent:
        with self._lock:
            known = self._known(event_id)
            _check(matches, known)
            event = change(known.event)
            if event == known.event:
                return known
            if event_id in self._rest:
                self._shelf.change(event)
                return self._keep(event)
            override = patch_between(self._sourced.said(event_id), event)
            if override:
                self._shelf.override(event_id, override, now)
                self._overrides[event_id] = override
            else:
                self._shelf.lift(event_id)
                self._overrides.pop(event_id, None)
            self._changed()
            return self._known(event_id)

    def _known(self, event_id: str) -> KnownEvent:
        if event_id in self._rest:
            return self._rest[event_id]
        if event_id in self._sourced:
            return self._sourced.known(event_id, self._overrides.get(event_id))
        raise UnknownEvent(f"there is no event {event_id!r}; GET /v1/events lists them")

    def _keep(self, event: Event) -> KnownEvent:
        known = self._rest[event.event_id] = KnownEvent(event, REST)
        self._changed()
        return known

    def _check_room(self, event_id: str) -> None:
        if len(self._rest) >= MOST_EVENTS and event_id not in self._rest:
            raise EventConflict(
                f"{MOST_EVENTS:,} events are kept already; DELETE some, or give them as a calendar"
            )

    def _changed(self) -> None:
        self._book = None
        self.revision += 1


Condition = Callable[[KnownEvent | None], str | None] | None
"""Why an event, as it is before a change, is not the one that the caller believes it to be."""


def _check(matches: Condition, known: KnownEvent | None) -> None:
    reason = None if matches is None else matches(known)
    if reason is not None:
        raise EventConflict(reason, changed=True)


def _new_id() -> str:
    return uuid.uuid4().hex
