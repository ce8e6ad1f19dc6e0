"""Events that came too late: they were announced less than a lead time before they begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.cluster.lead_time import announced_late
from forecaster.events import Calendar, Event
from forecaster.settings import Fleet

__all__ = ["LateEvent", "LateEvents"]

_LONGEST_LEAD = timedelta(days=1)


@dataclass(frozen=True)
class LateEvent:
    """An event, whom it concerns that takes longest to get ready, and what is to be expected."""

    event: Event
    workload: str
    text: str


class LateEvents:
    """Compares calendars as they come: what is new in one was announced at that moment.

    What is known at the first look was announced while nobody watched, and is passed over.
    """

    def __init__(self) -> None:
        self._known: set[tuple[object, ...]] | None = None
        self._late: tuple[LateEvent, ...] = ()

    def take(self, calendar: Calendar, fleet: Fleet, now: datetime) -> None:
        """The calendar at ``now``; an event that was moved counts as a new one."""
        coming = [one for one in calendar.events if one.latest_end > now and not one.cancelled]
        keys = {_key(one): one for one in coming}
        if self._known is not None:
            new = [one for key, one in keys.items() if key not in self._known]
            found = [late for one in new if (late := _late(one, fleet, now)) is not None]
            self._late = (*self._late, *found)
        self._known = set(keys)
        self._late = tuple(one for one in self._late if _key(one.event) in keys)

    def told(self, now: datetime) -> tuple[LateEvent, ...]:
        """Those that are not over yet."""
        return tuple(one for one in self._late if one.event.latest_end > now)


def _late(event: Event, fleet: Fleet, now: datetime) -> LateEvent | None:
    earliest = event.start - event.start_uncertainty
    if earliest - now > _LONGEST_LEAD:  # time first: a calendar has many events
        return None
    concerned = [
        one
        for one in fleet.active.values()
        if event.selector.matches(one.namespace, one.name, one.labels)
    ]
    if not concerned:
        return None
    slowest = max(concerned, key=lambda one: one.rule.lead_time)
    told = announced_late(earliest, now, slowest.rule.lead_time)
    if told is None:
        return None
    called = event.name or event.kind
    return LateEvent(event, slowest.workload, f"{called} ({slowest.workload}): {told}")


def _key(event: Event) -> tuple[object, ...]:
    return event.event_id, event.name, event.kind, event.start, event.selector
