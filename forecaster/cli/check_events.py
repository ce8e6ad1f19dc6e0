"""The ``events`` section, looked at before anything runs on it: calendars in files are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from forecaster.programme.fetch import SourceReader
from forecaster.programme.source import NOT_READ_YET, CalendarSource
from forecaster.settings import EventSettings, Fleet

__all__ = ["event_warnings", "events_line"]

_MOST_TOLD = 20


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
    """What is wrong with calendars in files, and whom events miss; a sentence each."""
    warnings = list(_misses(events, fleet))
    for source in events.sources:
        if not isinstance(source.location, str):
            warnings += _file(source, now)
    return warnings


def _file(source: CalendarSource, now: datetime) -> list[str]:
    state = SourceReader(source).read(NOT_READ_YET, now)
    called = f"events.sources {source.name}"
    if state.error is not None:
        return [f"{called}: {state.error}"]
    told = [f"{called}: {source.shown}, {one}" for one in state.problems[:_MOST_TOLD]]
    if len(state.problems) > _MOST_TOLD:
        told.append(f"{called}: and {len(state.problems) - _MOST_TOLD} more bad entries")
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
