"""Where traffic stood above what was expected, long enough and by enough to be an event.

The log of traffic over what was expected is smoothed, and the day's own level is taken out of it: a
day that was busier throughout is no peak. What is left counts against its spread at that time of
day, which is told from below, for peaks only push up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = ["ExpectedTraffic", "Peak", "PeakRules", "find_peaks"]

_SMOOTHED = timedelta(minutes=5)
_RISE = 0.75
_CALM = timedelta(minutes=15)
_LEVEL = timedelta(hours=24)
_CLOCK_BINS = 48
_NEAR_BINS = 2  # an hour to either side
_LEAST_SPREAD = 0.02
_MAD_TO_SIGMA = 1.4826
_LEAST_RATE = 0.02  # of the mean: what is added before logarithms


@dataclass(frozen=True)
class PeakRules:
    """What makes a peak.

    Traffic is at least ``least_uplift`` times what was expected, and ``spreads`` spreads of that
    time of day above it, for ``least_length`` or longer; it brings at least so many requests more
    as come in ``least_excess`` of mean traffic. Pieces less than ``gap`` apart are one.
    ``longest`` is where a peak ends and another level begins.
    """

    least_uplift: float = 1.4
    spreads: float = 3.0
    least_length: timedelta = timedelta(minutes=10)
    least_excess: timedelta = timedelta(minutes=10)
    gap: timedelta = timedelta(minutes=20)
    longest: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        if not self.least_uplift > 1:
            raise ValueError(
                f"least_uplift: a factor above 1, for example 1.4, not {self.least_uplift:g}"
            )


@dataclass(frozen=True)
class Peak:
    """Traffic from ``start`` to ``end`` was ``uplift`` times what was expected.

    ``excess`` is how many requests that were more than expected, at the day's own level.
    """

    start: datetime
    end: datetime
    uplift: float
    excess: float

    @property
    def duration(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class ExpectedTraffic:
    """Traffic, and what was expected of it, both per second, (steps,), NaN where unknown.

    ``explained`` marks the steps that known events answer for, (steps,): no peak lies there.
    """

    start: datetime
    step: timedelta
    rate_rps: FloatArray
    expected_rps: FloatArray
    explained: NDArray[np.bool_]

    def at(self, index: int) -> datetime:
        """The start of an interval."""
        return self.start + index * self.step

    def steps_in(self, span: timedelta, least: int = 1) -> int:
        """How many intervals a span has, at least ``least``."""
        return max(least, round(span / self.step))


def find_peaks(
    traffic: ExpectedTraffic, timezone: str = "UTC", rules: PeakRules = PeakRules()
) -> tuple[Peak, ...]:
    """The peaks, by start. ``timezone`` is where the audience lives, for the time of day."""
    mean = float(np.nanmean(traffic.rate_rps)) if np.isfinite(traffic.rate_rps).any() else 0.0
    if mean <= 0:
        return ()
    raw, level = _raised(traffic, mean)
    smooth = _smoothed(raw, traffic.steps_in(_SMOOTHED))
    threshold = np.maximum(
        np.log(rules.least_uplift), rules.spreads * _spread(traffic, smooth, timezone)
    )
    calm = _smoothed(raw, traffic.steps_in(_CALM))
    base = traffic.expected_rps * np.exp(level)
    gap, rise = traffic.steps_in(rules.gap), _RISE * float(np.log(rules.least_uplift))
    found, taken = [], 0
    for first, last in _pieces(smooth, threshold, gap):
        for cut in _split(calm, first, last, rise):
            begin, end = _edges(raw, smooth, cut, slice(max(taken, first - gap), last + gap))
            taken = end
            one = _measured(traffic, base, begin, end)
            long_enough = rules.least_length <= one.duration <= rules.longest
            enough = one.excess >= mean * rules.least_excess.total_seconds()
            if long_enough and enough and one.uplift >= rules.least_uplift:
                found.append(one)
    return tuple(found)


def _raised(traffic: ExpectedTraffic, mean: float) -> tuple[FloatArray, FloatArray]:
    """How far the log of traffic lies above what was expected and the day's level, and the level.

    NaN where that is unknown or explained.
    """
    epsilon = max(1.0 / traffic.step.total_seconds(), _LEAST_RATE * mean)
    ratio = np.log(traffic.rate_rps + epsilon) - np.log(traffic.expected_rps + epsilon)
    ratio = np.where(traffic.explained, np.nan, ratio)
    level = _levels(ratio, traffic.steps_in(_LEVEL, 3))
    return ratio - level, level


def _smoothed(values: FloatArray, steps: int) -> FloatArray:
    """The mean of the values around each, where half of them are known."""
    windows = pd.Series(values).rolling(steps, center=True, min_periods=max(1, steps // 2))
    return np.asarray(windows.mean(), dtype=np.float64)


def _levels(values: FloatArray, steps: int) -> FloatArray:
    """The median of the values around each, where an eighth of them is known."""
    windows = pd.Series(values).rolling(steps, center=True, min_periods=max(1, steps // 8))
    return np.asarray(windows.median(), dtype=np.float64)


def _spread(traffic: ExpectedTraffic, smooth: FloatArray, timezone: str) -> FloatArray:
    """The usual distance from what was expected at each step's time of day, (steps,)."""
    stamps = pd.date_range(traffic.start, periods=len(smooth), freq=traffic.step)
    local = stamps.tz_convert(ZoneInfo(timezone))
    clock = ((local.hour * 60 + local.minute) * _CLOCK_BINS // 1440).to_numpy()
    below = smooth < 0
    spreads = np.full(_CLOCK_BINS, _LEAST_SPREAD)
    for one in range(_CLOCK_BINS):
        apart = np.abs(clock - one)
        near = below & (np.minimum(apart, _CLOCK_BINS - apart) <= _NEAR_BINS)
        if near.any():
            spreads[one] += _MAD_TO_SIGMA * float(np.median(-smooth[near]))
    found: FloatArray = spreads[clock]
    return found


def _pieces(smooth: FloatArray, threshold: FloatArray, gap: int) -> Sequence[tuple[int, int]]:
    """Where it stands above the threshold, [first, last), near ones together."""
    above = np.concatenate([[False], np.nan_to_num(smooth, nan=-np.inf) >= threshold, [False]])
    edges = np.flatnonzero(np.diff(above.astype(np.int8)))
    pieces: list[tuple[int, int]] = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if pieces and first - pieces[-1][1] < gap:
            pieces[-1] = (pieces[-1][0], int(last))
        else:
            pieces.append((int(first), int(last)))
    return pieces


def _split(
    calm: FloatArray, first: int, last: int, rise: float
) -> list[tuple[int, int, float, float]]:
    """Parts [first, last) of a piece, cut where it falls and then rises again by ``rise``.

    With each part what it stands on to its left and to its right: 0, or the valley's height.
    """
    edges, bases = [first], [0.0]
    top, valley, at = -np.inf, np.inf, first
    for index in range(first, last):
        value = calm[index]
        if np.isnan(value):
            continue
        if value < valley:
            valley, at = value, index
        if min(top, value) - valley >= rise:
            edges.append(at)
            bases.append(max(valley, 0.0))
            top, valley = value, value
        elif value > top:
            top, valley = value, value
    edges.append(last)
    bases.append(0.0)
    return [
        (edges[i], edges[i + 1], bases[i], bases[i + 1])
        for i in range(len(edges) - 1)
        if edges[i + 1] > edges[i]
    ]


def _edges(
    raw: FloatArray, smooth: FloatArray, cut: tuple[int, int, float, float], part: slice
) -> tuple[int, int]:
    """Where it crosses half of its height: on a steep side that is the side itself."""
    first, last, left, right = cut
    if np.isnan(smooth[first:last]).all():
        return first, last
    height = float(np.nanquantile(smooth[first:last], 0.75))
    values = np.nan_to_num(smooth, nan=-np.inf)
    begin, end = (height + left) / 2, (height + right) / 2
    while left == 0.0 and first > part.start and values[first - 1] >= begin:
        first -= 1
    while right == 0.0 and last < min(part.stop, len(values)) and values[last] >= end:
        last += 1
    exact = np.nan_to_num(raw[first:last], nan=-np.inf)
    rises, falls = np.flatnonzero(exact >= begin), np.flatnonzero(exact >= end)
    if not len(rises) or not len(falls) or falls[-1] < rises[0]:
        return first, last
    return first + int(rises[0]), first + int(falls[-1]) + 1


def _measured(traffic: ExpectedTraffic, base: FloatArray, begin: int, end: int) -> Peak:
    rates, usual = traffic.rate_rps[begin:end], base[begin:end]
    known = ~np.isnan(rates) & ~np.isnan(usual)
    expected = float(usual[known].sum())
    more = float(rates[known].sum()) - expected
    uplift = 1.0 + more / expected if expected > 0 else 1.0
    return Peak(traffic.at(begin), traffic.at(end), uplift, more * traffic.step.total_seconds())
