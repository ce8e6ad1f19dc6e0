"""Examples of what events did, taken from past traffic over the event-free path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from forecaster.events.course import AFTER, BEFORE, sample_course
from forecaster.events.event import Event
from forecaster.events.event_curve import INSIDE, UpliftExample
from forecaster.events.uplift import UpliftModel
from forecaster.traffic.history import FloatArray

__all__ = ["learn_uplift"]

_LEAST_PLACES = 10


def learn_uplift(
    centres: FloatArray,
    log_ratio: FloatArray,
    step: timedelta,
    events: Sequence[Event],
    now: datetime,
    timezone: str = "UTC",
) -> UpliftModel:
    """Examples from the past events that were over at ``now``.

    ``log_ratio`` is log(traffic + ε) − log(event-free path + ε) for intervals whose middles are
    ``centres`` (seconds since 1970, rising), NaN where either is unknown. Time that another event
    owns teaches nothing of this one.
    """
    past = [one for one in events if one.planned_end + INSIDE <= now]
    examples = []
    for event in past:
        low = np.searchsorted(centres, (event.start - BEFORE).timestamp() - 300)
        high = np.searchsorted(centres, (event.planned_end + AFTER).timestamp() + 300)
        inside = slice(int(low), int(high))
        values = np.where(
            _owned_by_others(event, events, centres[inside]), np.nan, log_ratio[inside]
        )
        if (~np.isnan(values)).sum() < 2:
            continue
        sampled = sample_course(event, centres[inside], values, step.total_seconds())
        if (~np.isnan(sampled)).sum() >= _LEAST_PLACES:
            examples.append(
                UpliftExample(
                    event.start, event.duration, event.kind, event.importance, event.name, sampled
                )
            )
    return UpliftModel(tuple(sorted(examples, key=lambda one: one.start)), timezone)


def _owned_by_others(event: Event, events: Sequence[Event], centres: FloatArray) -> np.ndarray:
    """Where another event goes on, and this one does not."""
    others = np.zeros(len(centres), dtype=bool)
    if not len(centres):
        return others
    first, last = centres[0], centres[-1]
    for other in events:
        begin, end = _owned(other)
        if other.start == event.start or end < first or begin > last:
            continue
        others |= (centres >= begin) & (centres < end)
    begin, end = _owned(event)
    mine = (centres >= begin) & (centres < end)
    return np.asarray(others & ~mine)


def _owned(event: Event) -> tuple[float, float]:
    return (event.start - INSIDE).timestamp(), (event.planned_end + INSIDE).timestamp()
