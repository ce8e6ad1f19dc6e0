"""Events on a grid: what all that go on together do to traffic, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.events.calendar import Calendar, Overlap
from forecaster.events.course import AFTER, BEFORE, on_course
from forecaster.events.event import Event
from forecaster.events.uplift import EventCurve, UpliftModel
from forecaster.traffic.history import FloatArray

__all__ = ["Effects", "centres_of", "effects_between", "events_around"]

_SHIFTS = np.linspace(-1.0, 1.0, 9)


def centres_of(start: datetime, step: timedelta, steps: int) -> FloatArray:
    """The middles of intervals, in seconds since 1970, shape (steps,)."""
    seconds = step.total_seconds()
    return start.timestamp() + seconds * (np.arange(steps, dtype=np.float64) + 0.5)


def events_around(calendar: Calendar, since: datetime, until: datetime) -> tuple[Event, ...]:
    """The events whose course, from before their start to after their end, meets [since, until)."""
    return calendar.between(since - AFTER, until + BEFORE)


@dataclass(frozen=True, eq=False)
class Effects:
    """The curves of the events around some intervals, whose middles are ``centres``."""

    curves: tuple[EventCurve, ...]
    overlap: Overlap
    centres: FloatArray

    def log_factors(self, quantile: float | None = None) -> FloatArray:
        """log factor of each interval, (steps,), 0 without an event; the middle, or a quantile.

        Of one audience the larger wins. Above the middle, an event whose start is uncertain is
        taken to be at every place that it may be at.
        """
        groups: dict[str, FloatArray] = {}
        for one in self.curves:
            curve = one.log_uplift if quantile is None else one.log_quantile(quantile)
            unsure = (
                one.event.start_uncertainty if quantile is not None and quantile > 0.5 else None
            )
            part = self._inside(one.event)
            centres = self.centres[part]
            if not len(centres):
                continue
            found = on_course(one.event, curve, centres, -np.inf)
            for shift in _SHIFTS if unsure else ():
                moved = centres + shift * one.event.start_uncertainty.total_seconds()
                found = np.fmax(found, on_course(one.event, curve, moved, -np.inf))
            group = groups.setdefault(one.event.group, np.full(len(self.centres), -np.inf))
            group[part] = np.fmax(group[part], found)
        if not groups:
            return np.zeros(len(self.centres))
        logs = [np.where(np.isneginf(one), 0.0, one) for one in groups.values()]
        return _together(logs, self.overlap)

    def _inside(self, event: Event) -> slice:
        unsure = event.start_uncertainty
        first = (event.start - BEFORE - unsure).timestamp()
        last = (event.planned_end + AFTER + unsure).timestamp()
        return slice(
            int(np.searchsorted(self.centres, first)), int(np.searchsorted(self.centres, last))
        )


def effects_between(
    model: UpliftModel,
    calendar: Calendar,
    now: datetime,
    start: datetime,
    step: timedelta,
    steps: int,
) -> Effects:
    """What the calendar's events do to the intervals from ``start`` on, as it is known at ``now``.

    Events that nothing is known of, no example and nothing declared, do nothing.
    """
    around = events_around(calendar, start, start + steps * step)
    curves = tuple(
        model.curve(event, now)
        for event in around
        if event.declares_uplift or model.knows(event.kind)
    )
    return Effects(curves, calendar.overlap, centres_of(start, step, steps))


def _together(logs: Sequence[FloatArray], overlap: Overlap) -> FloatArray:
    if len(logs) == 1:
        return logs[0]
    stacked = np.stack(logs)
    if overlap is Overlap.MULTIPLY:
        total: FloatArray = stacked.sum(axis=0)
        return total
    if overlap is Overlap.LARGEST:
        largest = stacked.max(axis=0)
        lowest = stacked.min(axis=0)
        chosen: FloatArray = np.where(largest > 0, largest, lowest)
        return chosen
    added: FloatArray = np.log(np.maximum(1.0 + np.expm1(stacked).sum(axis=0), 1e-3))
    return added
