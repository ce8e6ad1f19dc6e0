"""Quantiles from a path's own past errors: conformal, varying over the day, repaired day by day.

A residual is log(y + ε) − log(ŷ + ε) of a rolling-origin forecast. It is divided by the size that
errors usually have at that time of day and by how wrong the last days were (volatility), and the
quantiles of what remains are scaled back. Each level is then adapted as in adaptive conformal
inference: a day on which a quantile covered too little raises it for the next
(Gibbs, Candès 2021: Adaptive Conformal Inference Under Distribution Shift).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtri

from forecaster.traffic.history import FloatArray

__all__ = ["Residuals", "assumed_offsets", "conformal_offsets"]

_HALF_LIFE_DAYS = 28.0
_VOLATILITY_HALF_LIFE_DAYS = 2.5
_VOLATILITY_POWER = 0.7
_SMOOTHING_HOURS = 1.0
_ADAPTATION = 0.05
_ASSUMED_LOG_SPREAD = 0.35


@dataclass(frozen=True, eq=False)
class Residuals:
    """Observed residuals (no NaN) with the row (day) and the column (bin of the day) of each.

    ``days`` is the number of rows of the grid: the forecast starts at row ``days``.
    """

    log_error: FloatArray
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    days: int
    bins: int

    @property
    def observed_days(self) -> int:
        """How many different days have residuals."""
        return len(np.unique(self.row))


def assumed_offsets(quantiles: Sequence[float], bins: int) -> FloatArray:
    """Log offsets, (quantiles, bins), where no error was ever observed: a normal of 0.35."""
    return np.repeat(_ASSUMED_LOG_SPREAD * ndtri(np.array(quantiles))[:, None], bins, axis=1)


def conformal_offsets(residuals: Residuals, quantiles: Sequence[float]) -> FloatArray:
    """What to add to the log path of a day ahead, (quantiles, bins), rising along quantiles.

    With fewer than three days: their plain quantiles, drawn towards :func:`assumed_offsets` by the
    share of days that are missing.
    """
    levels = np.array(quantiles, dtype=np.float64)
    scale = _scale_by_time(residuals)
    volatility = _volatility(residuals)
    unit = residuals.log_error / (scale[residuals.column] * volatility[residuals.row])
    order = np.argsort(unit, kind="stable")
    unit, row = unit[order], residuals.row[order]
    recency = 0.5 ** ((residuals.days - 1 - row) / _HALF_LIFE_DAYS)
    # How far apart a day's errors are is known from that day alone, so days count, not steps.
    days = residuals.observed_days
    used = levels.copy()
    for day in _adaptation_days(residuals):
        before, today = row < day, row == day
        limits = _weighted_quantiles(unit[before], recency[before], used)
        covered = (unit[today][:, None] <= limits[None, :]).mean(axis=0)
        used = used + _ADAPTATION * (levels - covered)
        used = np.clip(used, levels * 0.25, 1 - (1 - levels) * 0.25)
    steps = _weighted_quantiles(unit, recency, np.sort(used))
    offsets: FloatArray = np.sort(steps)[:, None] * (scale * volatility[residuals.days])[None, :]
    if days < 3:
        missing = 1 - days / 3
        offsets = (1 - missing) * offsets + missing * assumed_offsets(quantiles, residuals.bins)
    return offsets


def _adaptation_days(residuals: Residuals) -> NDArray[np.int64]:
    days = np.unique(residuals.row)
    return days[3:][-28:]


def _scale_by_time(residuals: Residuals) -> FloatArray:
    """The usual size of errors by bin of the day, half-way (on the log scale) to the day's mean."""
    weight = 0.5 ** ((residuals.days - 1 - residuals.row) / (_HALF_LIFE_DAYS / 2))
    size = np.bincount(
        residuals.column, weight * np.abs(residuals.log_error), minlength=residuals.bins
    )
    count = np.bincount(residuals.column, weight, minlength=residuals.bins)
    sigma = _SMOOTHING_HOURS * residuals.bins / 24
    if sigma > 0.2:
        size = gaussian_filter1d(size, sigma, mode="wrap")
        count = gaussian_filter1d(count, sigma, mode="wrap")
    mean = max(size.sum() / count.sum(), 1e-6)
    few = 0.05 * count.max()
    result: FloatArray = np.sqrt((size + mean * few) / (count + few) * mean)
    return result


def _volatility(residuals: Residuals) -> FloatArray:
    """How wrong the days before each row, and before the next one, were; shape (days + 1,)."""
    count = np.bincount(residuals.row, minlength=residuals.days)
    total = np.bincount(residuals.row, np.abs(residuals.log_error), minlength=residuals.days)
    mean = np.divide(total, count, out=np.zeros(residuals.days), where=count > 0)
    first = int(residuals.row.min())
    volatility = np.ones(residuals.days + 1)
    for row in range(first + 1, residuals.days + 1):
        past = np.arange(max(first, row - 28), row)
        share = 0.5 ** ((row - 1 - past) / _VOLATILITY_HALF_LIFE_DAYS) * (count[past] > 0)
        volatility[row] = (share * mean[past]).sum() / max(share.sum(), 1e-12)
    volatility[: first + 1] = volatility[min(first + 1, residuals.days)]
    usual = max(float(np.median(volatility[first : residuals.days])), 1e-6)
    powered: FloatArray = (np.maximum(volatility, 0.2 * usual) / usual) ** _VOLATILITY_POWER
    return powered


def _weighted_quantiles(ordered: FloatArray, weight: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of values that are already in order."""
    total = np.cumsum(weight)
    index = np.searchsorted(total, levels * total[-1])
    found: FloatArray = ordered[np.minimum(index, len(ordered) - 1)]
    return found
