"""The stretch of a trace that is replayed, and what was known of it at each step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from forecaster.errors import HistoryTooShort
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["ReplaySpan", "lead_peaks"]


@dataclass(frozen=True, eq=False)
class ReplaySpan:
    """The intervals of ``series`` that start at ``start`` or later; what lies before is history.

    Raises ValueError where ``start`` is naive or outside of the series, HistoryTooShort where
    nothing was observed from then on.
    """

    series: TrafficSeries
    start: datetime

    def __post_init__(self) -> None:
        series = self.series
        if self.start.tzinfo is None:
            raise ValueError(f"start {self.start} has no time zone; use UTC")
        if not series.start <= self.start < series.end:
            raise ValueError(
                f"a replay of {series.series_id} starts within its traffic, for example at "
                f"{series.start}, not at {self.start}"
            )
        if self.first >= len(series):
            raise ValueError(f"no interval of {series.series_id} starts at {self.start} or later")
        if not self.observed.any():
            raise HistoryTooShort(f"{series.series_id}: no traffic was observed from {self.start}")

    def __len__(self) -> int:
        return len(self.series) - self.first

    @cached_property
    def first(self) -> int:
        """The position in the series of the first interval that is replayed."""
        return -((self.series.start - self.start) // self.series.step)

    @property
    def step_seconds(self) -> float:
        """The step in seconds."""
        return self.series.step_seconds

    @property
    def rate_rps(self) -> FloatArray:
        """What came true, requests per second, shape (steps,), NaN in gaps."""
        rates: FloatArray = self.series.rate_rps[self.first :]
        return rates

    @cached_property
    def observed(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which steps count: those that are not gaps, shape (steps,)."""
        seen: np.ndarray[tuple[int], np.dtype[np.bool_]] = ~np.isnan(self.rate_rps)
        return seen

    @cached_property
    def known_rps(self) -> FloatArray:
        """What is known at the start of each step: the step before it; shape (steps,)."""
        rates = self.series.rate_rps
        if self.first > 0:
            known: FloatArray = rates[self.first - 1 : -1]
            return known
        return np.concatenate([[np.nan], rates[:-1]])

    def at(self, seconds: float) -> datetime:
        """The instant so many seconds into the replay."""
        step = self.series.step
        return self.series.start + self.first * step + step * (seconds / self.step_seconds)


def lead_peaks(rate_rps: FloatArray, lead_steps: int) -> FloatArray:
    """The highest of each step and the ``lead_steps`` after it, as far as there are any.

    Gaps are passed over; NaN where all are gaps.

    >>> lead_peaks(np.array([1.0, np.nan, 5.0, 2.0]), 1).tolist()
    [1.0, 5.0, 5.0, 2.0]
    """
    padded = np.concatenate([rate_rps, np.full(lead_steps, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, lead_steps + 1)
    peaks: FloatArray = np.fmax.reduce(windows, axis=1)
    return peaks
