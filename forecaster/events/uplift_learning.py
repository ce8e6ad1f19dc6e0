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
    owned = np.array([_owned(one) for one in events]).reshape(len(events), 2)
    starts = np.array([one.start.timestamp() for one in events])
    examples = []
    for place, event in enumerate(events):
        if event.planned_end + INSIDE > now:
            continue
        low = np.searchsorted(centres, (event.start - BEFORE).timestamp() - 300)
        high = np.searchsorted(centres, (event.planned_end + AFTER).timestamp() + 300)
        inside = slice(int(low), int(high))
        others = owned[starts != starts[place]]
        values = np.where(
            _owned_by_others(owned[place], others, centres[inside]), np.nan, log_ratio[inside]
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


def _owned_by_others(own: FloatArray, others: FloatArray, centres: FloatArray) -> np.ndarray:
    """Where another event goes on, and this one does not; by what each owns: (2,) and (n, 2)."""
    owned = np.zeros(len(centres), dtype=bool)
    if not len(centres):
        return owned
    begins, ends = others.T
    for begin, end in others[(ends >= centres[0]) & (begins <= centres[-1])]:
        owned |= (centres >= begin) & (centres < end)
    mine = (centres >= own[0]) & (centres < own[1])
    return np.asarray(owned & ~mine)


def _owned(event: Event) -> tuple[float, float]:
    return (event.start - INSIDE).timestamp(), (event.planned_end + INSIDE).timestamp()
