"""The events with a floor, by workload: they are served with or without a plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from forecaster.events import EMPTY_CALENDAR, Calendar, Event
from forecaster.planning.event_floor import declaring
from forecaster.planning.limits import PLAN_HORIZON
from forecaster.settings import WorkloadSettings
from forecaster.worker.known_ahead import AROUND

__all__ = ["FloorsAhead"]

# A floor begins before its event, by the lead time and the start's uncertainty: 12 hours each.
_AHEAD = PLAN_HORIZON + AROUND


class FloorsAhead:
    """What each workload's events declare as floors, around the present.

    The calendar is cut to some days first, anew each day, so that a workload looks at few events.
    """

    def __init__(self, workloads: Mapping[str, WorkloadSettings]) -> None:
        self._workloads = workloads
        self._calendar = EMPTY_CALENDAR
        self._near = EMPTY_CALENDAR
        self._near_until: datetime | None = None
        self._parts: dict[str, tuple[Event, ...]] = {}

    def take(self, calendar: Calendar, now: datetime) -> list[str]:
        """Another calendar; the workloads whose floors are others by it."""
        before, self._calendar = self._near, calendar
        self._cut(now)
        moved = {one.selector for one in {*before.events} ^ {*self._near.events}}
        changed = []
        for name, of in self._workloads.items():
            if any(one.matches(of.namespace, of.name, of.labels) for one in moved):
                self._parts.pop(name, None)
                changed.append(name)
        return changed

    def forget(self, workload: str) -> None:
        """It is gone, or its labels may be others: what concerns it is to be found anew."""
        self._parts.pop(workload, None)

    def of(self, workload: str, now: datetime) -> tuple[Event, ...]:
        """The events with a floor that concern a workload, from a day ago to two days ahead."""
        if self._near_until is not None and now + _AHEAD > self._near_until:
            self._cut(now)
            self._parts.clear()
        if not self._near:
            return ()
        known = self._parts.get(workload)
        if known is None:
            of = self._workloads[workload]
            known = self._near.selecting(of.namespace, of.name, of.labels).events
            self._parts[workload] = known
        return known

    def _cut(self, now: datetime) -> None:
        # A day more: what is cut today lasts until tomorrow.
        self._near_until = now + _AHEAD + timedelta(days=1)
        near = self._calendar.within(now - AROUND, self._near_until)
        self._near = Calendar(declaring(near.events), (), near.overlap)
