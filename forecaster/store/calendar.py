"""The calendar in the store: written by the service, read by the trainer and the refresher."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy import select

from forecaster.errors import StoreError
from forecaster.events import EMPTY_CALENDAR, Calendar, Event, Overlap
from forecaster.programme.document import EventDocument
from forecaster.store.database import guarded, put_rows, shelf_engine, writing
from forecaster.store.schema import event_calendar

__all__ = ["NO_VERSION", "CalendarShelf", "encoded_event", "version_of"]

NO_VERSION = ""
"""The version of a calendar that was never written."""

_PLACE = 0
_DOCUMENTS = TypeAdapter(list[EventDocument])


class CalendarShelf:
    """Where the resolved calendar is kept in the store at ``path``.

    It holds events alone: whoever writes it has made the rules into events. The file is opened for
    each question. Every method may raise StoreError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = shelf_engine(path)

    def version(self) -> str:
        """Another one for another calendar; cheap to ask at each step."""
        with guarded(self._path, "read"), self._engine.begin() as connection:
            found = connection.execute(select(event_calendar.c.version)).scalar_one_or_none()
        return NO_VERSION if found is None else found

    def load(self) -> tuple[str, Calendar]:
        """The calendar and its version; an empty one where none was written."""
        with guarded(self._path, "read"), self._engine.begin() as connection:
            row = connection.execute(select(event_calendar)).one_or_none()
        if row is None:
            return NO_VERSION, EMPTY_CALENDAR
        try:
            documents = _DOCUMENTS.validate_json(zlib.decompress(row.events))
            found = tuple(one.to_event() for one in documents)
            return row.version, Calendar(found, (), Overlap(row.overlap))
        except (ValueError, zlib.error) as error:
            raise StoreError(
                f"store {self._path}: the stored calendar cannot be read: {error}"
            ) from error

    def save(self, encoded: list[str], overlap: Overlap) -> str:
        """Put events, as ``encoded_event`` writes them, in the place of what was; the version."""
        version = version_of(encoded, overlap)
        packed = zlib.compress(f"[{','.join(encoded)}]".encode(), 1)
        row = {"place": _PLACE, "version": version, "overlap": overlap.value, "events": packed}
        with guarded(self._path, "written"), writing(self._engine).begin() as connection:
            put_rows(connection, event_calendar, [row])
        return version


def encoded_event(event: Event) -> str:
    """The event as JSON text; the same text for equal events."""
    return json.dumps(EventDocument.from_event(event).as_written(), ensure_ascii=False)


def version_of(encoded: list[str], overlap: Overlap) -> str:
    """The version that a calendar of these events has, in this order."""
    digest = hashlib.blake2b(overlap.value.encode(), digest_size=12)
    for one in encoded:
        digest.update(one.encode())
        digest.update(b"\n")
    return digest.hexdigest()
