"""The calendar as plans take it: of each plan, the part that concerns its workload and its time."""

from __future__ import annotations

from datetime import datetime, timedelta

from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.settings import WorkloadSettings

__all__ = ["AROUND", "KnownAhead"]

AROUND = timedelta(days=1)
"""How long before it starts, and after it has ended, an event may still move traffic."""


class KnownAhead:
    """The part of the calendar that each plan was built with.

    The whole is cut to the time of all plans first, so that a workload looks at few events.
    """

    def __init__(self) -> None:
        self._calendar = EMPTY_CALENDAR
        self._parts: dict[str, Calendar] = {}

    def take(self, calendar: Calendar) -> None:
        """Another calendar."""
        self._calendar = calendar

    def part(self, workload: WorkloadSettings, since: datetime, until: datetime) -> Calendar:
        """What concerns a workload within [since, until) or ``AROUND`` it, and is remembered."""
        part = self._of(self._calendar, workload, since, until)
        self._parts[workload.workload] = part
        return part

    def changed(self, spans: dict[str, tuple[WorkloadSettings, datetime, datetime]]) -> list[str]:
        """The workloads whose part, within these spans, is another one than is remembered."""
        if not spans:
            return []
        first = min(since for _, since, _ in spans.values())
        last = max(until for _, _, until in spans.values())
        near = self._calendar.within(first - AROUND, last + AROUND)
        changed = []
        for name, (workload, since, until) in spans.items():
            part, before = self._of(near, workload, since, until), self._parts.get(name)
            if before is None or (part.events, part.overlap) != (before.events, before.overlap):
                changed.append(name)
        return changed

    @staticmethod
    def _of(
        calendar: Calendar, workload: WorkloadSettings, since: datetime, until: datetime
    ) -> Calendar:
        near = calendar.within(since - AROUND, until + AROUND)
        return near.selecting(workload.namespace, workload.name, workload.labels)
