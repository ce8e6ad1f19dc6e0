"""The ``events`` section, looked at before anything runs on it: calendars in files are read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from forecaster.events import Calendar, Event
from forecaster.planning.event_floor import declaring, wanted_floor
from forecaster.programme.fetch import SourceReader
from forecaster.programme.source import NOT_READ_YET, CalendarSource
from forecaster.settings import EventSettings, Fleet

__all__ = ["event_warnings", "events_line"]

_MOST_TOLD = 20
_YEAR = timedelta(days=366)


def events_line(events: EventSettings) -> str:
    """What is known ahead, in a line."""
    parts = [
        f"{len(found)} {word}{'' if len(found) == 1 else 's'}"
        for found, word in (
            (events.events, "event"),
            (events.recurring, "rule"),
            (events.sources, "calendar"),
        )
        if found
    ]
    return f"{', '.join(parts)}; {events.overlap.value} where they overlap" if parts else "none"


def event_warnings(events: EventSettings, fleet: Fleet, now: datetime) -> list[str]:
    """What is wrong with calendars in files, whom events miss, and which floors are above a
    workload's maximum; a sentence each."""
    warnings = list(_misses(events, fleet))
    warnings += _too_high("events", events.calendar, fleet, now)
    for source in events.sources:
        if not isinstance(source.location, str):
            warnings += _file(source, fleet, now)
    return warnings


def _too_high(where: str, calendar: Calendar, fleet: Fleet, now: datetime) -> list[str]:
    """Of each rule its next event is looked at: all of them declare the same."""
    following = (rule.between(now, now + _YEAR)[:1] for rule in calendar.recurring)
    events = (*calendar.events, *itertools.chain.from_iterable(following))
    told = list(_limited(where, events, fleet))
    more = len(told) - _MOST_TOLD
    return [*told[:_MOST_TOLD], f"{where}: and {more} more such floors"] if more > 0 else told


def _limited(where: str, events: Iterable[Event], fleet: Fleet) -> Iterator[str]:
    """Each event whose floor is above the maximum of a workload that it selects."""
    for one in declaring(events):
        above = [
            w
            for w in fleet.workloads
            if wanted_floor(one, w.rule) > w.rule.max_replicas
            and one.selector.matches(w.namespace, w.name, w.labels)
        ]
        if above:
            first, others = above[0], len(above) - 1
            also = f", and so for {others} more workload{'s'[: others > 1]}" if others else ""
            yield (
                f"{where}: {one.label()} ({one.event_id}) declares a floor of "
                f"{wanted_floor(one, first.rule):,} replicas, and {first.workload} gets "
                f"{first.rule.max_replicas:,}, its max_replicas{also}"
            )


def _file(source: CalendarSource, fleet: Fleet, now: datetime) -> list[str]:
    state = SourceReader(source).read(NOT_READ_YET, now)
    called = f"events.sources {source.name}"
    if state.error is not None:
        return [f"{called}: {state.error}"]
    told = [f"{called}: {source.shown}, {one}" for one in state.problems[:_MOST_TOLD]]
    if len(state.problems) > _MOST_TOLD:
        told.append(f"{called}: and {len(state.problems) - _MOST_TOLD} more bad entries")
    told += _too_high(called, state.calendar, fleet, now)
    if not state.calendar:
        dropped = f"; {state.dropped} were dropped by the mapping" if state.dropped else ""
        told.append(f"{called}: {source.shown} has no events{dropped}")
    return told


def _misses(events: EventSettings, fleet: Fleet) -> Sequence[str]:
    workloads = fleet.workloads
    return [
        f"events.events: {one.label()} ({one.event_id}) selects none of the workloads"
        for one in events.events
        if not any(one.selector.matches(w.namespace, w.name, w.labels) for w in workloads)
    ]
