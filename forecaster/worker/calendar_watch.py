"""The calendar as the refresher has it: read from the store whenever it is another one there."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from forecaster.errors import StoreError
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import NO_VERSION, CalendarShelf

__all__ = ["AHEAD", "BACK", "CalendarWatch"]

BACK, AHEAD = timedelta(days=2), timedelta(days=3)
"""Which events a lead peak may look at: those that go on so long before now and after."""

_HOUR = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)

_log = logging.getLogger(__name__)


class CalendarWatch:
    """The events near now of each workload, by the last calendar that could be read.

    ``trouble`` is why it could not be read the last time, or None.
    """

    def __init__(self, fleet: Fleet, shelf: CalendarShelf) -> None:
        self._workloads: dict[str, WorkloadSettings] = {}
        self._shelf = shelf
        self._version = NO_VERSION
        self._calendar = self._near = EMPTY_CALENDAR
        self._hour = _NEVER
        self._parts: dict[str, Calendar] = {}
        self.trouble: str | None = None
        self.take_fleet(fleet)

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads, or other labels of them."""
        self._workloads = fleet.active
        self._parts = {name: self._selecting(one) for name, one in self._workloads.items()}

    def of(self, workload: str) -> Calendar:
        """The events near now that concern ``namespace/name``."""
        return self._parts.get(workload, EMPTY_CALENDAR)

    def look(self, now: datetime | None = None) -> list[str]:
        """Take the calendar where it has changed, and go on to ``now``.

        Returns the workloads that other events concern than before. Where nothing has changed it
        costs a millisecond.
        """
        changed = self._read()
        if now is not None and not timedelta(0) <= now - self._hour < _HOUR:
            self._hour, changed = now.replace(minute=0, second=0, microsecond=0), True
        if not changed or self._hour == _NEVER:
            return []
        near = self._calendar.within(self._hour - BACK, self._hour + AHEAD)
        if (near.events, near.overlap) == (self._near.events, self._near.overlap):
            return []
        self._near = near
        before, self._parts, others = self._parts, {}, []
        for name, one in self._workloads.items():
            part, known = self._selecting(one), before.get(name, EMPTY_CALENDAR)
            if part.events != known.events:
                others.append(name)
            elif part.overlap == known.overlap and name in before:
                part = known  # the same object: what was made of it may be kept
            self._parts[name] = part
        return others

    def _selecting(self, one: WorkloadSettings) -> Calendar:
        return self._near.selecting(one.namespace, one.name, one.labels)

    def _read(self) -> bool:
        try:
            changed = self._shelf.version() != self._version
            if changed:
                self._version, self._calendar = self._shelf.load()
        except StoreError as error:
            if self.trouble is None:
                _log.error("calendar unreadable", extra={"error": str(error)})
            self.trouble = str(error)
            return False
        self.trouble = None
        return changed
