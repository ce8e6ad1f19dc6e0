"""How high traffic jumps when an event begins: one number for each past one, and its quantiles.

The jump is the log of the highest traffic of the first minutes over the event-free path, less what
traffic was above that path before: the level of a day is no part of it. So it varies less than the
uplift itself, and examples of another time of day or weekday tell of it as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.special import ndtri

from forecaster.events.event import Event
from forecaster.events.event_curve import UpliftExample
from forecaster.events.like_examples import DECLARED_EXAMPLES, DECLARED_SPREAD
from forecaster.traffic.history import FloatArray

__all__ = ["Jump", "likely_jump"]

_EARLY_SECONDS = 10 * 60.0
_DAY = timedelta(days=1)
_HALF_LIFE_DAYS = 28.0
_IMPORTANCE = 2.0
_OTHER_IMPORTANCE = 0.05
_ASSUMED_SPREAD = 0.35
_SPREAD_EXAMPLES = 1.0
_BEYOND = float(np.log(2.0))


@dataclass(frozen=True)
class Jump:
    """The log factor at the onset: normal around ``middle``, no higher than ``highest``.

    ``effective`` is what the ``examples`` and what was declared weigh together.
    """

    middle: float
    spread: float
    effective: float
    examples: int
    highest: float

    def log_quantile(self, quantile: float) -> float:
        """The log factor that is exceeded with probability 1 − ``quantile``.

        With few examples it is as much wider as the middle itself is unsure.
        """
        width = self.spread * np.sqrt(1 + 1 / max(self.effective, 0.5))
        return min(float(self.middle + ndtri(quantile) * width), self.highest)


def likely_jump(event: Event, examples: Sequence[UpliftExample], now: datetime) -> Jump | None:
    """What ``event`` will do at its onset, from the examples that were settled at ``now``.

    A declared uplift counts as two examples. No more than twice the highest that was seen or
    declared is believed. None where nothing is declared and no example is known.
    """
    own = [one for one in examples if one.kind == event.kind and one.settled_at <= now]
    own = [one for one in own if not math.isnan(one.jump)]
    jumps = np.array([one.jump for one in own], dtype=np.float64)
    weight = _likeness(own, event, now)
    prior, declared = 0.0, 0.0
    if event.declares_uplift:
        seconds = np.arange(0.0, _EARLY_SECONDS + 1.0, 15.0)
        prior, declared = DECLARED_EXAMPLES, float(np.log(event.declared_factors(seconds)).max())
    if not len(jumps):
        if not event.declares_uplift:
            return None
        return Jump(declared, DECLARED_SPREAD, prior, 0, declared + _BEYOND)
    total = float(weight.sum())
    middle = (float((weight * jumps).sum()) + prior * declared) / (total + prior)
    square = float((weight * (jumps - middle) ** 2).sum()) + _SPREAD_EXAMPLES * _ASSUMED_SPREAD**2
    # The middle was made of the same examples: one of them is spent.
    spread = np.sqrt(square / (total * (1 - 1 / len(jumps)) + _SPREAD_EXAMPLES))
    highest = max(float(jumps.max()), declared) + _BEYOND
    return Jump(middle, float(spread), total + prior, len(jumps), highest)


def _likeness(examples: Sequence[UpliftExample], event: Event, now: datetime) -> FloatArray:
    importance = np.array([one.importance for one in examples], dtype=np.float64)
    distance = (importance - event.importance) / _IMPORTANCE
    age_days = np.array([(now - one.start) / _DAY for one in examples], dtype=np.float64)
    like = np.exp(-(distance**2)) + _OTHER_IMPORTANCE
    weight: FloatArray = like * 0.5 ** (age_days / _HALF_LIFE_DAYS)
    return weight
