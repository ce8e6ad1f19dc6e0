"""Events on a grid: what all that go on together do to traffic, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.events.calendar import Calendar, Overlap
from forecaster.events.course import AFTER, BEFORE, rows_on_course
from forecaster.events.event import Event
from forecaster.events.uplift import EventCurve, UpliftModel
from forecaster.traffic.history import FloatArray

__all__ = ["Effects", "centres_of", "effects_between", "events_around"]

_SHIFTS = np.linspace(-1.0, 1.0, 9)
_LEAST = 1e-3  # what several that lower traffic leave of it
_LEAST_LOG = np.log(_LEAST)


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
        found: FloatArray = self.log_factor_rows((quantile,))[0]
        return found

    def log_factor_rows(self, quantiles: Sequence[float | None]) -> FloatArray:
        """:meth:`log_factors` of each of ``quantiles``, shape (len(quantiles), steps)."""
        levels = np.array([0.5 if one is None else one for one in quantiles])
        middle = np.array([one is None for one in quantiles])
        shape = (len(quantiles), len(self.centres))
        groups: dict[str, FloatArray] = {}
        for one in self.curves:
            part = self._inside(one.event)
            centres = self.centres[part]
            if not len(centres):
                continue
            curves = one.log_quantiles(levels)
            curves[middle] = one.log_uplift
            found = rows_on_course(one.event, curves, centres, -np.inf)
            unsure = one.event.start_uncertainty.total_seconds()
            above = ~middle & (levels > 0.5)
            for shift in _SHIFTS if unsure and above.any() else ():
                moved = rows_on_course(one.event, curves[above], centres + shift * unsure, -np.inf)
                found[above] = np.fmax(found[above], moved)
            group = groups.get(one.event.group)
            if group is None:
                group = groups[one.event.group] = np.full(shape, -np.inf)
            np.fmax(group[:, part], found, out=group[:, part])
        if not groups:
            return np.zeros(shape)
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

    Events that nothing is known of, no example and nothing declared, do nothing, and neither do
    those of kinds that are ordinary traffic.
    """
    around = events_around(calendar, start, start + steps * step)
    curves = model.curves([event for event in around if model.moves(event)], now)
    return Effects(curves, calendar.overlap, centres_of(start, step, steps))


def _together(logs: Sequence[FloatArray], overlap: Overlap) -> FloatArray:
    """Log factors of several audiences, (rows, steps) each, 0 where nothing is on."""
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
    # Where one goes on alone nothing is to be added up, and that is nearly everywhere.
    several = ((stacked != 0).any(axis=1).sum(axis=0)) > 1
    added: FloatArray = np.maximum(stacked.sum(axis=0), _LEAST_LOG)
    if several.any():
        excess = np.expm1(stacked[:, :, several]).sum(axis=0)
        added[:, several] = np.log(np.maximum(1.0 + excess, _LEAST))
    return added
