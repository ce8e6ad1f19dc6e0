"""From what is known of an event to what the endpoint says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from api.event_schemas import EventState, EventView, EventWarningView, ToldEventView
from api.schemas import EventBand
from forecaster.events import Event
from forecaster.programme.document import EventDocument
from forecaster.worker.event_book import KnownEvent
from forecaster.worker.event_warnings import EventWarning

__all__ = ["band_of", "event_view", "told_event_view"]


def event_view(known: KnownEvent, now: datetime) -> EventView:
    """Everything that is known of an event."""
    return EventView(**_said(known, now))


def told_event_view(
    known: KnownEvent, now: datetime, warnings: Iterable[EventWarning]
) -> ToldEventView:
    """The same, with what should be known of it."""
    told = [EventWarningView(**asdict(one)) for one in warnings]
    return ToldEventView(**_said(known, now), warnings=told)


def _said(known: KnownEvent, now: datetime) -> dict[str, Any]:
    event = known.event
    said = dict(EventDocument.from_event(event))
    del said["timezone"]
    return said | {
        "source": known.source,
        "state": _state(event, now),
        "planned_end": event.planned_end,
        "overridden": known.overridden,
        "problem": known.problem,
    }


def band_of(known: KnownEvent) -> EventBand:
    """An event as a band over a forecast."""
    event = known.event
    return EventBand(
        id=event.event_id,
        name=event.name,
        kind=event.kind,
        importance=event.importance,
        start=event.start,
        end=event.planned_end,
        open=event.end is None,
        source=known.source,
        uplift=event.uplift,
        floor_replicas=event.floor_replicas,
        floor_rps=event.floor_rps,
        start_uncertainty_seconds=event.start_uncertainty.total_seconds(),
        latest_end=event.latest_end,
    )


def _state(event: Event, now: datetime) -> EventState:
    if event.cancelled:
        return EventState.CANCELLED
    if now < event.start:
        return EventState.AHEAD
    return EventState.ON if now < event.latest_end else EventState.OVER
