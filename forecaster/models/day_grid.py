"""Traffic as a matrix of days by bins of the day, counted back from the cutoff.

Every row is one day of the audience's wall clock that ends at the cutoff's time of day, so a
day-ahead forecast is a function of whole rows, a rolling origin is a row boundary, and a DST
change moves no one's evening: the missing hour is a gap, the repeated one is averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecaster.durations import format_duration
from forecaster.errors import ForecastError
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["DAY", "DayGrid", "bin_size", "make_day_grid"]

DAY = timedelta(days=1)
_SECONDS_A_DAY = 86_400
_BIN_SECONDS = (300, 600, 900, 1200, 1800, 3600, 7200, 10800, 14400, 21600)
_MAX_DAYS = 84
_ZERO_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class DayGrid:
    """The last days of one series.

    ``rates`` has shape (days, bins): the mean traffic per second of each bin, NaN for a gap; the
    last row ends at ``cutoff``. ``row`` and ``column`` place each value of ``native_rps`` (one per
    step of the series, in order) in it. ``epsilon`` is what is added before logarithms: one request
    per step, or a hundredth of the usual traffic, so that a zero among hundreds is no abyss.
    """

    cutoff: datetime
    step: timedelta
    bin: timedelta
    timezone: str
    rates: FloatArray
    native_rps: FloatArray
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    epsilon: float

    @property
    def days(self) -> int:
        """How many rows; the oldest may be partly empty."""
        return int(self.rates.shape[0])

    @property
    def bins(self) -> int:
        """How many bins a day has."""
        return int(self.rates.shape[1])

    def ahead(self, steps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each of the next ``steps`` steps: the day ahead (1 = the first) and its bin."""
        local = _local_seconds(self.cutoff, self.step, steps, self.timezone)
        past = np.maximum(local - _wall_clock(self.cutoff, self.timezone), 0)
        bins = (past // self.bin.seconds).astype(np.int64)
        return 1 + bins // self.bins, bins % self.bins


def bin_size(step: timedelta) -> timedelta:
    """The bin for a step: 5 minutes or more, a part of the day, if possible a multiple of the step.

    Raises ForecastError for a step above 6 hours: a day ahead has no shape left then.
    """
    seconds = step.total_seconds()
    wide = [size for size in _BIN_SECONDS if size >= seconds]
    if not wide:
        raise ForecastError(
            f"a step of {format_duration(step)} is too coarse for a day-ahead outlook; "
            "use 1h or less"
        )
    even = [size for size in wide if size % seconds == 0]
    return timedelta(seconds=(even or wide)[0])


def make_day_grid(known: TrafficSeries, timezone: str = "UTC") -> DayGrid:
    """The last 84 days of ``known``, which ends at the cutoff, by the wall clock there."""
    size = bin_size(known.step)
    bins = _SECONDS_A_DAY // size.seconds
    keep = min(len(known), int(np.ceil(_MAX_DAYS * DAY / known.step)))
    native = known.rate_rps[-keep:]
    first = known.end - keep * known.step
    local = _local_seconds(first, known.step, keep, timezone)
    # On the wall clock a value may lie after the cutoff (the hour that repeats in autumn).
    offset = np.floor_divide(local - _wall_clock(known.end, timezone), size.seconds)
    offset = np.minimum(offset.astype(np.int64), -1)
    days = int(-(offset.min() // bins))
    row, column = days + offset // bins, offset % bins
    cell = row * bins + column
    observed = ~np.isnan(native)
    count = np.bincount(cell[observed], minlength=days * bins)
    total = np.bincount(cell[observed], weights=native[observed], minlength=days * bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = np.where(count > 0, total / count, np.nan).reshape(days, bins)
    usual = float(np.median(native[observed])) if observed.any() else 0.0
    epsilon = max(1.0 / known.step_seconds, _ZERO_SHARE * usual)
    return DayGrid(known.end, known.step, size, timezone, rates, native, row, column, epsilon)


def _wall_clock(instant: datetime, timezone: str) -> float:
    stamp = pd.Timestamp(instant).tz_convert(timezone).tz_localize(None)
    return stamp.value / 1e9


def _local_seconds(
    start: datetime, step: timedelta, steps: int, timezone: str
) -> NDArray[np.float64]:
    """The wall clock at the start of each step, as seconds since 1970 were it UTC."""
    seconds = start.timestamp() + step.total_seconds() * np.arange(steps, dtype=np.float64)
    if timezone == "UTC":
        return np.asarray(seconds, dtype=np.float64)
    stamps = pd.date_range(start, periods=steps, freq=step, tz="UTC", unit="ns")
    naive = stamps.tz_convert(timezone).tz_localize(None)
    return np.asarray(naive.asi8 / 1e9, dtype=np.float64)
