"""Events that were made by REST, what is laid over those of calendars, and calendars' contents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select

from forecaster.errors import EventConflict, StoreError
from forecaster.events import Event
from forecaster.programme.document import EventDocument
from forecaster.store.database import guarded, put_rows, shelf_engine, writing
from forecaster.store.schema import event_keys, event_overrides, event_sources, events

__all__ = ["KEYS_ARE_KEPT", "Creation", "EventShelf", "KeptEvents", "Patch"]

KEYS_ARE_KEPT = timedelta(days=7)
"""How long an idempotency key is known: longer than anybody tries again."""

Patch = Mapping[str, Any]
"""A JSON merge patch (RFC 7396) of an ``EventDocument``."""


@dataclass(frozen=True)
class Creation:
    """An event that is to be made, by which request, and when.

    ``digest`` is of what was asked for, not of what an event has become since. ``key`` is the
    caller's own name for the request, if it has one.
    """

    event: Event
    digest: str
    at: datetime
    key: str | None = None


@dataclass(frozen=True)
class KeptEvents:
    """What a restart finds: events and overrides by id; ``unreadable`` says what it cannot use."""

    events: Mapping[str, Event]
    overrides: Mapping[str, Patch]
    unreadable: tuple[str, ...] = ()


class EventShelf:
    """Keeps events in the store at ``path``; each write is one transaction, on the disk when done.

    The file is opened for each of them, so any thread may ask. Every method may raise StoreError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = shelf_engine(path)

    def load(self) -> KeptEvents:
        """Every event and every override; what cannot be read is left out, and said."""
        found: dict[str, Event] = {}
        overrides: dict[str, Patch] = {}
        unreadable = []
        with self._reading() as connection:
            for row in connection.execute(select(events)):
                try:
                    found[row.event_id] = _event_of(row.document)
                except ValueError as error:
                    unreadable.append(f"event {row.event_id}: {error}")
            for row in connection.execute(select(event_overrides)):
                try:
                    overrides[row.event_id] = dict(json.loads(row.patch))
                except (ValueError, TypeError) as error:
                    unreadable.append(f"what is laid over event {row.event_id}: {error}")
        return KeptEvents(found, overrides, tuple(unreadable))

    def create(
        self, creation: Creation, check_room: Callable[[], None] | None = None
    ) -> tuple[Event, bool]:
        """Keep a new event; the event as it is now, and whether this call has made it.

        The same request again, by its key or by the event's id, makes nothing. EventConflict where
        the key or the id belongs to another request, and where the key's event was removed since.
        ``check_room`` is asked before a new one is kept; what it raises keeps nothing.
        """
        event, key = creation.event, creation.key
        with self._writing() as connection:
            if key is not None:
                used = connection.execute(select(event_keys).where(event_keys.c.key == key)).first()
                if used is not None:
                    return self._made_by_key(connection, used, creation), False
            kept = connection.execute(
                select(events).where(events.c.event_id == event.event_id)
            ).first()
            if kept is not None:
                if kept.creation != creation.digest:
                    raise EventConflict(
                        f"event {event.event_id!r} was made from another body; PUT replaces it, "
                        "PATCH changes it"
                    )
                event = _readable(kept.document, kept.event_id)
            else:
                if check_room is not None:
                    check_room()
                put_rows(connection, events, [_row(event, creation.digest)])
            if key is not None:
                made = {
                    "key": key,
                    "creation": creation.digest,
                    "event_id": event.event_id,
                    "at": creation.at,
                }
                connection.execute(
                    delete(event_keys).where(event_keys.c.at < creation.at - KEYS_ARE_KEPT)
                )
                put_rows(connection, event_keys, [made])
        return event, kept is None

    def replace(self, event: Event, digest: str) -> None:
        """Put an event in the place of one with its id, if there is one; by another request."""
        with self._writing() as connection:
            put_rows(connection, events, [_row(event, digest)])

    def change(self, event: Event) -> None:
        """Keep an event as it has become; the request that made it stays known."""
        values = {"document": _text_of(event), "ends": event.latest_end}
        with self._writing() as connection:
            connection.execute(
                events.update().where(events.c.event_id == event.event_id).values(values)
            )

    def remove(self, event_id: str) -> None:
        """Forget an event; its idempotency key is remembered."""
        with self._writing() as connection:
            connection.execute(delete(events).where(events.c.event_id == event_id))

    def override(self, event_id: str, patch: Patch, at: datetime) -> None:
        """Keep what is laid over an event of a calendar, in the place of what was."""
        row = {"event_id": event_id, "patch": json.dumps(patch, ensure_ascii=False), "at": at}
        with self._writing() as connection:
            put_rows(connection, event_overrides, [row])

    def lift(self, event_id: str) -> None:
        """Take back what is laid over an event."""
        with self._writing() as connection:
            connection.execute(
                delete(event_overrides).where(event_overrides.c.event_id == event_id)
            )

    def forget_before(self, instant: datetime) -> list[str]:
        """Forget events that ended before an instant, and overrides as old; the ids of both."""
        old_events, old_overrides = events.c.ends < instant, event_overrides.c.at < instant
        with self._writing() as connection:
            gone = list(connection.scalars(select(events.c.event_id).where(old_events)))
            gone += connection.scalars(select(event_overrides.c.event_id).where(old_overrides))
            connection.execute(delete(events).where(old_events))
            connection.execute(delete(event_overrides).where(old_overrides))
        return gone

    def sources(self) -> dict[str, bytes]:
        """What is kept of each calendar (``SourceState.to_bytes``), by its name."""
        with self._reading() as connection:
            return {row.source: row.state for row in connection.execute(select(event_sources))}

    def keep_source(self, source: str, state: bytes) -> None:
        """Put what is known of a calendar in the place of what was."""
        with self._writing() as connection:
            put_rows(connection, event_sources, [{"source": source, "state": state}])

    def forget_sources_but(self, names: list[str]) -> None:
        """Forget the calendars that are not in the settings any more."""
        with self._writing() as connection:
            connection.execute(delete(event_sources).where(event_sources.c.source.not_in(names)))

    def _made_by_key(self, connection: Connection, used: Any, creation: Creation) -> Event:
        if used.creation != creation.digest:
            raise EventConflict(
                f"the idempotency key {creation.key!r} was used for another event, "
                f"{used.event_id!r}; a new event needs a new key"
            )
        kept = connection.execute(select(events).where(events.c.event_id == used.event_id)).first()
        if kept is None:
            raise EventConflict(
                f"event {used.event_id!r}, which the idempotency key {creation.key!r} has made, "
                "was removed since; a new event needs a new key"
            )
        return _readable(kept.document, kept.event_id)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with guarded(self._path, "written"), writing(self._engine).begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with guarded(self._path, "read"), self._engine.begin() as connection:
            yield connection


def _row(event: Event, digest: str) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "document": _text_of(event),
        "creation": digest,
        "ends": event.latest_end,
    }


def _text_of(event: Event) -> str:
    return json.dumps(EventDocument.from_event(event).as_written(), ensure_ascii=False)


def _event_of(text: str) -> Event:
    return EventDocument.model_validate_json(text).to_event()


def _readable(text: str, event_id: str) -> Event:
    try:
        return _event_of(text)
    except ValueError as error:
        raise StoreError(f"the stored event {event_id!r} cannot be read: {error}") from error
