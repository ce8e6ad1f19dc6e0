"""Cliffs put into a real trace: events of known size, for scenarios and benchmarks.

A cliff multiplies traffic: a ramp of minutes, a half-time with less, a sudden end. What it did is
known exactly, so a test can say what a forecaster should have made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["Cliff", "with_cliffs"]

_PARTS = 12  # of a step, over which the course is averaged


@dataclass(frozen=True)
class Cliff:
    """Traffic × ``factor`` from ``start`` on, when it really began, for ``duration``.

    It takes ``ramp`` to get there and ``fall`` to come back. From ``dip_start`` to ``dip_end``
    after the start only ``dip`` of the excess is left; the way down and up again takes ``ramp``.
    """

    start: datetime
    factor: float
    duration: timedelta = timedelta(minutes=105)
    ramp: timedelta = timedelta(minutes=2)
    fall: timedelta = timedelta(minutes=1)
    dip_start: timedelta = timedelta(minutes=45)
    dip_end: timedelta = timedelta(minutes=60)
    dip: float = 0.5

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise ValueError(f"factor: above 0, for example 5, not {self.factor:g}")
        down, up = self.dip_start + self.ramp, self.dip_end - self.ramp
        if not self.ramp < self.dip_start < down <= up < self.dip_end < self.duration:
            raise ValueError(f"the half-time does not lie within the event: {self}")

    @property
    def end(self) -> datetime:
        """When traffic begins to fall."""
        return self.start + self.duration

    def factors(self, seconds: FloatArray) -> FloatArray:
        """The factor on traffic so many seconds after the start, in the shape of ``seconds``."""
        times = (
            timedelta(0),
            self.ramp,
            self.dip_start,
            self.dip_start + self.ramp,
            self.dip_end - self.ramp,
            self.dip_end,
            self.duration,
            self.duration + self.fall,
        )
        excess = (0.0, 1.0, 1.0, self.dip, self.dip, 1.0, 1.0, 0.0)
        at = [one.total_seconds() for one in times]
        found: FloatArray = 1.0 + (self.factor - 1.0) * np.interp(seconds, at, excess)
        return found


def with_cliffs(series: TrafficSeries, cliffs: Sequence[Cliff]) -> TrafficSeries:
    """The series with the cliffs in it, each step by the mean factor within it; gaps stay gaps."""
    step = series.step_seconds
    parts = (np.arange(_PARTS) + 0.5) / _PARTS * step
    rates = np.array(series.rate_rps, dtype=np.float64)
    for cliff in cliffs:
        first = max(0, series.index_of(cliff.start) - 1)
        last = max(first, min(len(series), series.index_of(cliff.end + cliff.fall) + 1))
        begin = (series.start - cliff.start).total_seconds() + np.arange(first, last) * step
        rates[first:last] *= cliff.factors(begin[:, None] + parts).mean(axis=1)
    return TrafficSeries(series.series_id, series.start, series.step, rates)
