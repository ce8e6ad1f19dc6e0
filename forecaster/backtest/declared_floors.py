"""The floors that events declare, for a replay: whose they are, and when they could hold."""

from __future__ import annotations

from datetime import timedelta

from forecaster.backtest.span import ReplaySpan
from forecaster.events import Calendar, Event
from forecaster.planning.event_floor import declaring

__all__ = ["floor_events", "workload_calendar"]


def workload_calendar(calendar: Calendar, series_id: str) -> Calendar:
    """The events that concern a series, taken for the workload of its id, ``namespace/name``."""
    namespace, _, name = series_id.rpartition("/")
    return calendar.selecting(namespace, name)


def floor_events(calendar: Calendar, span: ReplaySpan, lead_time: timedelta) -> tuple[Event, ...]:
    """Those of a workload's calendar that declare a floor in the span, rules made into events."""
    return declaring(calendar.between(span.at(0.0), span.series.end + lead_time))
