"""One past event as it was seen, and what one event is expected to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from forecaster.events.course import course_knots
from forecaster.events.event import Event
from forecaster.traffic.history import FloatArray

__all__ = ["INSIDE", "EventCurve", "UpliftExample"]

INSIDE = timedelta(minutes=30)
"""An event owns its time, and so much around it."""
_LEVEL = (-45 * 60.0, -8 * 60.0)  # where the level of the day is taken, in seconds from the start
_EARLY = (-5 * 60.0, 10 * 60.0)
_LEAST_JUMP = float(np.log(1.25))
_BEGUN, _THERE = 0.2, 0.85  # parts of the jump: traffic is noisy


@dataclass(frozen=True, eq=False)
class UpliftExample:
    """One past event: ``log_ratio`` (KNOTS,) of traffic to the event-free path, NaN if unknown."""

    start: datetime
    duration: timedelta
    kind: str
    importance: float
    name: str
    log_ratio: FloatArray

    @property
    def settled_at(self) -> datetime:
        """When all of it that counts is known."""
        return self.start + self.duration + INSIDE

    @cached_property
    def jump(self) -> float:
        """How high traffic jumped at its start (``jump.py``), a log; NaN if it is not known.

        The highest place up to ten minutes after the start, less the level before it.
        """
        knots = course_knots(self.duration)
        early = self.log_ratio[(knots >= _EARLY[0]) & (knots <= _EARLY[1])]
        early = early[~np.isnan(early)]
        return float(early.max()) - self._level if len(early) else math.nan

    @cached_property
    def begun(self) -> float:
        """When it began to jump, in seconds from its start as planned.

        NaN where that is not known, and where it did not jump by a quarter.
        """
        if not self.jump >= _LEAST_JUMP:
            return math.nan
        knots = course_knots(self.duration)
        near = (knots > _LEVEL[1]) & (knots <= _EARLY[1]) & ~np.isnan(self.log_ratio)
        times, above = knots[near], self.log_ratio[near] - self._level
        there = int((above >= _THERE * self.jump).argmax())
        before = np.flatnonzero(above[:there] <= _BEGUN * self.jump)
        return float(times[before[-1]] if len(before) else times[0])

    @cached_property
    def _level(self) -> float:
        """How far traffic was above the path before the event; NaN if it is not known."""
        knots = course_knots(self.duration)
        level = self.log_ratio[(knots >= _LEVEL[0]) & (knots <= _LEVEL[1])]
        level = level[~np.isnan(level)]
        return float(np.median(level)) if len(level) else math.nan


@dataclass(frozen=True, eq=False)
class EventCurve:
    """What one event is expected to do: log factors along its course, shape (KNOTS,).

    ``log_uplift`` is the middle, ``spread`` the size of one standard deviation around it, ``peak``
    the (mean, deviation) of the highest place of an example. ``examples`` counts the past events of
    its kind that told it, ``effective`` is what they weigh together.
    """

    event: Event
    log_uplift: FloatArray
    spread: FloatArray
    peak: tuple[float, float]
    examples: int
    effective: float

    def log_quantile(self, quantile: float) -> FloatArray:
        """Log factors at a quantile, not beyond that quantile of an example's highest place.

        With few examples it is as much wider as the mean itself is unsure.
        """
        found: FloatArray = self.log_quantiles(np.array([quantile]))[0]
        return found

    def log_quantiles(self, quantiles: FloatArray) -> FloatArray:
        """:meth:`log_quantile` of each of ``quantiles``, shape (len(quantiles), KNOTS)."""
        z = ndtri(quantiles) * np.sqrt(1 + 1 / max(self.effective, 0.5))
        mean, deviation = self.peak
        most = np.maximum(mean + z * deviation, self.log_uplift.max())
        limit = np.where(quantiles > 0.5, most, np.inf)
        found: FloatArray = np.minimum(self.log_uplift + z[:, None] * self.spread, limit[:, None])
        return found

    @property
    def source(self) -> str:
        """Who told it: "11 past matches", in words."""
        if self.examples == 0:
            return "declared" if self.event.declares_uplift else "no past event of this kind"
        plural = "" if self.examples == 1 else "s"
        said = f"from {self.examples} past event{plural}"
        return f"{said} and what was declared" if self.event.declares_uplift else said
