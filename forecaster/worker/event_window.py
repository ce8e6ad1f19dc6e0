"""The calendar that planning is given: the events of a window, resolved and kept in the store."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

from forecaster.errors import StoreError
from forecaster.events import EMPTY_CALENDAR, Calendar, Overlap
from forecaster.store import NO_VERSION, CalendarShelf, version_of
from forecaster.worker.event_book import EventQuery
from forecaster.worker.event_desk import EventDesk

__all__ = ["AHEAD", "EventWindow", "window_at"]

AHEAD = timedelta(days=60)
"""How far ahead events are resolved: far beyond a plan, and enough to see what was typed."""

_DAY = timedelta(days=1)
# While events come in by the thousand, resolving them takes a sixth of the time at the most.
_REST_FACTOR = 5
_NEVER = -1

_log = logging.getLogger(__name__)


def window_at(now: datetime, history: timedelta) -> tuple[datetime, datetime]:
    """From before the past that a training sees to ``AHEAD``; it moves at midnight UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - history - 2 * _DAY, midnight + AHEAD + _DAY


class EventWindow:
    """Makes a calendar of what the desk knows, each time that has changed, and keeps it.

    ``trouble`` is why the store could not be written, or None: then it is tried again, and the
    trainer and the refresher go by the calendar before.
    """

    def __init__(
        self, desk: EventDesk, shelf: CalendarShelf, overlap: Overlap, history: timedelta
    ) -> None:
        self._desk = desk
        self._shelf = shelf
        self._overlap = overlap
        self._history = history
        self._bounds: tuple[datetime, datetime] | None = None
        self._revision = _NEVER
        self._version = NO_VERSION
        self._stored = True
        self._next_look = 0.0
        self.calendar = EMPTY_CALENDAR
        self.trouble: str | None = None

    def resume(self) -> None:
        """Go on from the calendar of before a restart, where there is one that can be read."""
        try:
            self._version, self.calendar = self._shelf.load()
        except StoreError as error:
            _log.error("calendar unreadable", extra={"error": str(error)})

    def look(self, now: datetime) -> bool:
        """Take what has changed; whether ``calendar`` is another one now."""
        bounds = window_at(now, self._history)
        if bounds != self._bounds:
            self._move(bounds)
        if self._desk.revision == self._revision and self._stored:
            return False
        began = time.monotonic()
        if began < self._next_look:
            return False
        try:
            return self._resolve(*bounds)
        finally:
            ended = time.monotonic()
            self._next_look = ended + _REST_FACTOR * (ended - began)

    def _move(self, bounds: tuple[datetime, datetime]) -> None:
        try:
            self._desk.move_window(*bounds)
        except StoreError as error:
            _log.error("old events stay", extra={"error": str(error)})
        self._bounds, self._revision = bounds, _NEVER

    def _resolve(self, since: datetime, until: datetime) -> bool:
        self._revision = self._desk.revision  # first: what changes meanwhile is another change
        query = EventQuery(since, until)
        known = [
            one
            for one in self._desk.book().near(since, until)
            if not one.event.cancelled and query.takes(one)
        ]
        encoded = [one.encoded for one in known]
        version = version_of(encoded, self._overlap)
        changed = version != self._version
        if changed or not self._stored:
            self._keep(encoded)
        if changed:
            if known or self.calendar:
                _log.info("calendar made", extra={"events": len(known), "version": version})
            self._version = version
            self.calendar = Calendar(tuple(one.event for one in known), (), self._overlap)
        return changed

    def _keep(self, encoded: list[str]) -> None:
        try:
            self._shelf.save(encoded, self._overlap)
            self._stored, self.trouble = True, None
        except StoreError as error:
            if self.trouble is None:
                _log.error("calendar not stored", extra={"error": str(error)})
            self._stored, self.trouble = False, str(error)
