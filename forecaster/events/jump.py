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

__all__ = ["Jump", "JumpExamples"]

_EARLY_SECONDS = 10 * 60.0
_DAY = timedelta(days=1)
_HALF_LIFE_DAYS = 28.0
_IMPORTANCE = 2.0
_OTHER_IMPORTANCE = 0.05
_ASSUMED_SPREAD = 0.35
_SPREAD_EXAMPLES = 1.0
_PARENT_EXAMPLES = 4.0
_RARE = 0.05
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


@dataclass(frozen=True, eq=False)
class JumpExamples:
    """The jumps of examples that were settled at an instant, as arrays (n,).

    ``begun`` is when each began to jump, in seconds from its start as planned, NaN if unknown.
    """

    kind: np.ndarray
    jump: FloatArray
    importance: FloatArray
    age_days: FloatArray
    begun: FloatArray

    @classmethod
    def of(cls, examples: Sequence[UpliftExample], now: datetime) -> JumpExamples:
        """Those whose jump is known, of those that were over at ``now``."""
        known = [one for one in examples if one.settled_at <= now and not math.isnan(one.jump)]
        return cls(
            np.array([one.kind for one in known], dtype=str),
            np.array([one.jump for one in known], dtype=np.float64),
            np.array([one.importance for one in known], dtype=np.float64),
            np.array([(now - one.start) / _DAY for one in known], dtype=np.float64),
            np.array([one.begun for one in known], dtype=np.float64),
        )

    def likely(self, event: Event) -> Jump | None:
        """What ``event`` will do at its onset.

        A declared uplift counts as two examples. With few examples the spread is drawn to that of
        other kinds, each about its own middle. No more than twice the highest that was seen or
        declared is believed. None where nothing is declared and no example is known.
        """
        own = self.kind == event.kind
        jumps, weight = self.jump[own], self._likeness(event)[own]
        prior, declared = 0.0, 0.0
        if event.declares_uplift:
            seconds = np.arange(0.0, _EARLY_SECONDS + 1.0, 15.0)
            factors = event.declared_factors(seconds)
            prior, declared = DECLARED_EXAMPLES, float(np.log(factors).max())
        if not len(jumps):
            if not event.declares_uplift:
                return None
            return Jump(declared, DECLARED_SPREAD, prior, 0, declared + _BEYOND)
        total = float(weight.sum())
        middle = (float((weight * jumps).sum()) + prior * declared) / (total + prior)
        variance, strength = self._variance_of_others(event.kind)
        square = float((weight * (jumps - middle) ** 2).sum()) + strength * variance
        # The middle was made of the same examples: one of them is spent.
        spread = np.sqrt(square / (total * (1 - 1 / len(jumps)) + strength))
        highest = max(float(jumps.max()), declared) + _BEYOND
        return Jump(middle, float(spread), total + prior, len(jumps), highest)

    def earliest(self, kind: str) -> float | None:
        """When traffic begins to jump at an event of a kind, but for the rarest twentieth.

        In seconds from its start as planned; None where fewer than two examples tell it.
        """
        begun = self.begun[self.kind == kind]
        begun = begun[~np.isnan(begun)]
        return float(np.quantile(begun, _RARE)) if len(begun) > 1 else None

    def _variance_of_others(self, kind: str) -> tuple[float, float]:
        """The variance of other kinds, each about its middle, and how many examples it weighs."""
        others = self.kind != kind
        square, count = _SPREAD_EXAMPLES * _ASSUMED_SPREAD**2, _SPREAD_EXAMPLES
        if others.any():
            _, place = np.unique(self.kind[others], return_inverse=True)
            size = np.bincount(place)
            middle = np.bincount(place, self.jump[others]) / size
            square += float(((self.jump[others] - middle[place]) ** 2).sum())
            count += float(len(place) - len(size))
        return square / count, min(count, _PARENT_EXAMPLES)

    def _likeness(self, event: Event) -> FloatArray:
        distance = (self.importance - event.importance) / _IMPORTANCE
        like = np.exp(-(distance**2)) + _OTHER_IMPORTANCE
        weight: FloatArray = like * 0.5 ** (self.age_days / _HALF_LIFE_DAYS)
        return weight
