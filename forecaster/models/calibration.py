"""Quantiles from a path's own past errors: conformal, varying over the day, repaired day by day.

A residual is log(y + ε) − log(ŷ + ε) of a rolling-origin forecast. It is divided by the size that
errors on its side usually have at that time of day and by how wrong the last days were there
(volatility), and the quantiles of what remains are scaled back. Each level is then adapted as in
adaptive conformal inference: a day on which a quantile covered too little raises it for the next
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
_MOST_VOLATILITY = 3.0  # one wild day is not the end of all knowledge
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


def conformal_offsets(
    residuals: Residuals, quantiles: Sequence[float], lead: int = 1
) -> FloatArray:
    """What to add to the log path ``lead`` days ahead, (quantiles, bins), rising along quantiles.

    A row is judged by what was known ``lead`` rows before it. With fewer than three days: their
    plain quantiles, drawn towards :func:`assumed_offsets` by the share of days that are missing.
    """
    levels = np.array(quantiles, dtype=np.float64)
    above, below = _side(residuals, 1.0, lead), _side(residuals, -1.0, lead)
    scale = np.where(residuals.log_error >= 0, above.of(residuals), below.of(residuals))
    unit = residuals.log_error / scale
    order = np.argsort(unit, kind="stable")
    unit, row = unit[order], residuals.row[order]
    recency = 0.5 ** ((residuals.days - 1 - row) / _HALF_LIFE_DAYS)
    # How far apart a day's errors are is known from that day alone, so days count, not steps.
    days = residuals.observed_days
    used = levels.copy()
    for day in np.unique(residuals.row)[2 + lead :][-28:]:
        before, today = row <= day - lead, row == day
        limits = _weighted_quantiles(unit[before], recency[before], used)
        covered = (unit[today][:, None] <= limits[None, :]).mean(axis=0)
        used = used + _ADAPTATION * (levels - covered)
        used = np.clip(used, levels * 0.25, 1 - (1 - levels) * 0.25)
    steps = np.sort(_weighted_quantiles(unit, recency, np.sort(used)))
    offsets: FloatArray = (
        np.maximum(steps, 0.0)[:, None] * above.next[None, :]
        + np.minimum(steps, 0.0)[:, None] * below.next[None, :]
    )
    if days < 3:
        missing = 1 - days / 3
        offsets = (1 - missing) * offsets + missing * assumed_offsets(quantiles, residuals.bins)
    return offsets


@dataclass(frozen=True, eq=False)
class _Side:
    """The usual size of errors on one side: by bin of the day, and a factor for each row.

    An outage says how far traffic can fall short of the path and nothing about how far it can
    exceed it, so the two sides are measured apart.
    """

    by_bin: FloatArray
    by_row: FloatArray

    def of(self, residuals: Residuals) -> FloatArray:
        """The size for each residual."""
        size: FloatArray = self.by_bin[residuals.column] * self.by_row[residuals.row]
        return size

    @property
    def next(self) -> FloatArray:
        """The size by bin for the day that is foretold."""
        size: FloatArray = self.by_bin * self.by_row[-1]
        return size


def _side(residuals: Residuals, sign: float, lead: int) -> _Side:
    error = np.maximum(sign * residuals.log_error, 0.0)
    return _Side(_size_by_bin(residuals, error), _size_by_row(residuals, error, lead))


def _size_by_bin(residuals: Residuals, error: FloatArray) -> FloatArray:
    """The mean error by bin of the day, half-way (on the log scale) to the mean of all."""
    weight = 0.5 ** ((residuals.days - 1 - residuals.row) / (_HALF_LIFE_DAYS / 2))
    size = np.bincount(residuals.column, weight * error, minlength=residuals.bins)
    count = np.bincount(residuals.column, weight, minlength=residuals.bins)
    sigma = _SMOOTHING_HOURS * residuals.bins / 24
    if sigma > 0.2:
        size = gaussian_filter1d(size, sigma, mode="wrap")
        count = gaussian_filter1d(count, sigma, mode="wrap")
    mean = max(size.sum() / count.sum(), 1e-6)
    few = 0.05 * count.max()
    result: FloatArray = np.sqrt((size + mean * few) / (count + few) * mean)
    return result


def _size_by_row(residuals: Residuals, error: FloatArray, lead: int) -> FloatArray:
    """For each row, and the next: how wrong the days known by then were, against the usual.

    Shape (days + 1,); the last is for the day that is foretold, which knows all of them.
    """
    count = np.bincount(residuals.row, minlength=residuals.days)
    total = np.bincount(residuals.row, error, minlength=residuals.days)
    mean = np.divide(total, count, out=np.zeros(residuals.days), where=count > 0)
    first, days = int(residuals.row.min()), residuals.days
    recent = np.full(days + 1, np.nan)
    for row in range(first + lead, days + 1):
        known = row - lead + 1 if row < days else days
        past = np.arange(max(first, known - 28), known)
        share = 0.5 ** ((known - 1 - past) / _VOLATILITY_HALF_LIFE_DAYS) * (count[past] > 0)
        recent[row] = (share * mean[past]).sum() / max(share.sum(), 1e-12)
    seen = recent[~np.isnan(recent)]
    if not len(seen):
        return np.ones(days + 1)
    usual = max(float(np.median(seen)), 1e-6)
    recent = np.where(np.isnan(recent), usual, recent)
    factor: FloatArray = np.clip(recent / usual, 0.2, _MOST_VOLATILITY) ** _VOLATILITY_POWER
    return factor


def _weighted_quantiles(ordered: FloatArray, weight: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of values that are already in order."""
    total = np.cumsum(weight)
    index = np.searchsorted(total, levels * total[-1])
    found: FloatArray = ordered[np.minimum(index, len(ordered) - 1)]
    return found
