"""The calendar as plans take it: of each plan, the part that concerns its workload and its time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from forecaster.events import EMPTY_CALENDAR, EVERY_WORKLOAD, Calendar, Selector
from forecaster.settings import WorkloadSettings

__all__ = ["AROUND", "KnownAhead"]

AROUND = timedelta(days=1)
"""How long before it starts, and after it has ended, an event may still move traffic."""


class KnownAhead:
    """The part of the calendar that each plan was built with.

    The whole is cut to the time around the plans first, so that a workload looks at few events.
    """

    def __init__(self) -> None:
        self._calendar = EMPTY_CALENDAR
        self._near = EMPTY_CALENDAR
        self._near_bounds: tuple[datetime, datetime] | None = None
        self._parts: dict[str, Calendar] = {}

    def part(self, workload: WorkloadSettings, since: datetime, until: datetime) -> Calendar:
        """What concerns a workload within [since, until) or ``AROUND`` it, and is remembered."""
        part = self._part(workload, since, until)
        self._parts[workload.workload] = part
        return part

    def take(
        self, calendar: Calendar, spans: Mapping[str, tuple[WorkloadSettings, datetime, datetime]]
    ) -> list[str]:
        """Another calendar; the workloads whose part, within these spans, is another one by it.

        ``spans`` are those of all parts that still matter.
        """
        before, self._calendar, self._near_bounds = self._calendar, calendar, None
        if not spans:
            return []
        self._cut(
            min(since for _, since, _ in spans.values()),
            max(until for _, _, until in spans.values()),
        )
        moved = self._moved_since(before)
        changed = []
        for name, (workload, since, until) in spans.items():
            of = workload.namespace, workload.name, workload.labels
            if not any(one.matches(*of) for one in moved):
                continue  # a thousand workloads, one event: hardly any is looked at
            part, known = self._part(workload, since, until), self._parts.get(name)
            if known is None or (part.events, part.overlap) != (known.events, known.overlap):
                changed.append(name)
        return changed

    def _moved_since(self, before: Calendar) -> set[Selector]:
        """Whom those events concern that came, went, or are others now."""
        if before.overlap != self._calendar.overlap:
            return {EVERY_WORKLOAD}
        bounds = self._near_bounds
        old = before.within(*bounds).events if bounds is not None else ()
        return {one.selector for one in {*old} ^ {*self._near.events}}

    def _part(self, workload: WorkloadSettings, since: datetime, until: datetime) -> Calendar:
        self._cut(since, until)
        mine = self._near.selecting(workload.namespace, workload.name, workload.labels)
        return mine.within(since - AROUND, until + AROUND)

    def _cut(self, since: datetime, until: datetime) -> None:
        """See to it that ``near`` holds what goes on ``AROUND`` [since, until)."""
        bounds = self._near_bounds
        if bounds is not None and bounds[0] <= since - AROUND and until + AROUND <= bounds[1]:
            return
        # A day more: outlooks of the next trainings will reach as far.
        self._near_bounds = since - AROUND, until + 2 * AROUND
        self._near = self._calendar.within(*self._near_bounds)
