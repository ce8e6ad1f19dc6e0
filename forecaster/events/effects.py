"""Events on a grid: what all that go on together do to traffic, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.ndimage import maximum_filter1d

from forecaster.events.calendar import Calendar, Overlap
from forecaster.events.course import AFTER, BEFORE, rows_on_course
from forecaster.events.event import Event
from forecaster.events.uplift import EventCurve, UpliftModel
from forecaster.traffic.history import FloatArray

__all__ = ["Effects", "centres_of", "effects_between", "events_around", "join_logs"]

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
class _Audience:
    """Log factors (rows, steps) of events that share an audience; ``on`` where one may go on."""

    logs: FloatArray
    on: np.ndarray


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
        audiences: dict[str, _Audience] = {}
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
            if unsure and above.any():
                found[above] = _anywhere(one.event, curves[above], centres)
            audience = audiences.get(one.event.group)
            if audience is None:
                audience = audiences[one.event.group] = _Audience(
                    np.full(shape, -np.inf), np.zeros(len(self.centres), dtype=bool)
                )
            logs = audience.logs[:, part]
            np.fmax(logs, found, out=logs)
            audience.on[part] = True
        if not audiences:
            return np.zeros(shape)
        for audience in audiences.values():
            np.copyto(audience.logs, 0.0, where=audience.logs == -np.inf)
        return _together(list(audiences.values()), self.overlap)

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


def join_logs(first: FloatArray, second: FloatArray, overlap: Overlap) -> FloatArray:
    """Log factors of two events that go on together, any shape, as one."""
    if overlap is Overlap.LARGEST:
        joined: FloatArray = np.maximum(first, second)
    elif overlap is Overlap.MULTIPLY:
        joined = first + second
    else:
        joined = np.log(np.maximum(np.exp(first) + np.exp(second) - 1.0, _LEAST))
    return joined


def _anywhere(event: Event, curves: FloatArray, centres: FloatArray) -> FloatArray:
    """The highest that curves (n, KNOTS) reach at ``centres``, wherever the event may begin.

    Starts are tried a step apart, and at both ends of what is uncertain.
    """
    unsure = event.start_uncertainty.total_seconds()
    step = centres[1] - centres[0] if len(centres) > 1 else 2 * unsure
    reach = int(unsure // step)
    wide = centres[0] + step * np.arange(-reach, len(centres) + reach)
    tried = maximum_filter1d(rows_on_course(event, curves, wide, -np.inf), 2 * reach + 1, axis=1)
    found: FloatArray = tried[:, reach : reach + len(centres)]
    for at in (centres - unsure, centres + unsure):
        found = np.fmax(found, rows_on_course(event, curves, at, -np.inf))
    return found


def _together(audiences: Sequence[_Audience], overlap: Overlap) -> FloatArray:
    if len(audiences) == 1:
        return audiences[0].logs
    if overlap is Overlap.LARGEST:
        stacked = np.stack([one.logs for one in audiences])
        largest = stacked.max(axis=0)
        chosen: FloatArray = np.where(largest > 0, largest, stacked.min(axis=0))
        return chosen
    total = audiences[0].logs.copy()
    for one in audiences[1:]:
        total += one.logs
    if overlap is Overlap.MULTIPLY:
        return total
    np.maximum(total, _LEAST_LOG, out=total)
    # Where one goes on alone that is all, and that is nearly everywhere.
    several = np.sum([one.on for one in audiences], axis=0) > 1
    if several.any():
        excess = np.expm1([one.logs[:, several] for one in audiences]).sum(axis=0)
        total[:, several] = np.log(np.maximum(1.0 + excess, _LEAST))
    return total
