"""The course of an event: places in its time at which events of different lengths are compared.

Before it and around its start time counts in minutes from the start, around its end and after it
in minutes from the end, and between them in parts of what is left.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import numpy as np

from forecaster.events.event import Event
from forecaster.traffic.history import FloatArray

__all__ = [
    "AFTER",
    "BEFORE",
    "KNOTS",
    "course_knots",
    "on_course",
    "rows_on_course",
    "sample_course",
]

_BEFORE = (-60, -45, -30, -20, -15, -10, -8, -6, -5, -4, -3, -2, -1)
_EARLY = (0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30)
_MIDDLE = 13
_LATE = (-15, -10, -5, -3, -2, -1, 0)
_AFTER = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120)
BEFORE = timedelta(minutes=-_BEFORE[0])
"""How long before its start an event may move traffic."""
AFTER = timedelta(minutes=_AFTER[-1])
"""How long after its end an event may move traffic."""
KNOTS = len(_BEFORE) + len(_EARLY) + _MIDDLE + len(_LATE) + len(_AFTER)


@lru_cache(maxsize=1024)
def course_knots(duration: timedelta) -> FloatArray:
    """Seconds from the start of each place on the course of an event so long, shape (KNOTS,).

    Start and end of an event shorter than an hour move together in proportion.
    """
    minutes = duration / timedelta(minutes=1)
    shrink = min(1.0, minutes / 60.0)
    early = np.array(_EARLY) * shrink
    late = minutes + np.array(_LATE) * shrink
    middle = np.linspace(early[-1], late[0], _MIDDLE + 2)[1:-1]
    after = minutes + np.array(_AFTER)
    knots: FloatArray = np.concatenate([_BEFORE, early, middle, late, after]) * 60.0
    knots.setflags(write=False)
    return knots


def sample_course(event: Event, centres: FloatArray, values: FloatArray, step: float) -> FloatArray:
    """Values at the places of an event's course, (KNOTS,), NaN where nothing is known nearby.

    ``centres`` are seconds since 1970 of the middles of intervals, rising, ``step`` their length;
    a place is known where an interval within two steps of it is.
    """
    at = event.start.timestamp() + course_knots(event.duration)
    known = ~np.isnan(values)
    if not known.any():
        return np.full(KNOTS, np.nan)
    times = centres[known]
    found = np.interp(at, times, values[known])
    right = np.clip(np.searchsorted(times, at), 0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.minimum(np.abs(times[right] - at), np.abs(times[left] - at))
    sampled: FloatArray = np.where(nearest <= 2 * step, found, np.nan)
    return sampled


def on_course(event: Event, curve: FloatArray, centres: FloatArray, outside: float) -> FloatArray:
    """A curve (KNOTS,) at instants, straight between its places, ``outside`` beyond them."""
    found: FloatArray = rows_on_course(event, curve[None, :], centres, outside)[0]
    return found


def rows_on_course(
    event: Event, curves: FloatArray, centres: FloatArray, outside: float
) -> FloatArray:
    """:func:`on_course` of several curves (n, KNOTS) at once, shape (n, len(centres))."""
    knots = course_knots(event.duration)
    seconds = centres - event.start.timestamp()
    left = np.searchsorted(knots, seconds, side="right") - 1
    left = np.minimum(np.maximum(left, 0), KNOTS - 2)
    slopes = (curves[:, 1:] - curves[:, :-1]) / (knots[1:] - knots[:-1])
    found: FloatArray = slopes[:, left] * (seconds - knots[left]) + curves[:, left]
    beyond = (seconds < knots[0]) | (seconds > knots[-1])
    if beyond.any():
        found[:, beyond] = outside
    return found
