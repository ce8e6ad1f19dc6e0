"""Where a request began to cost another amount: a release, most of the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.planning.measured_capacity_fit import fit_line
from forecaster.planning.measured_capacity_points import LoadPoints
from forecaster.traffic.history import FloatArray

__all__ = ["CostChange", "last_change"]

_PERIOD = 4 * 3600
_LEAST_LOAD = 1800.0  # seconds in a period
_FEWEST_PERIODS = 3  # on either side of a change: an evening and a noon of load
_MANY_PERIODS = 5
_LOADED = 0.4  # of the highest traffic per replica
_MOST_IDLE = 0.3  # of saturation
_LEAST_CHANGE = 0.08
_CLEAR, _VERY_CLEAR = 6.0, 10.0  # for few periods, as one odd evening is no release
_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class CostChange:
    """At ``at_seconds``, a Unix second, a request began to cost ``ratio`` times what it had."""

    at_seconds: float
    ratio: float


def last_change(points: LoadPoints) -> CostChange | None:
    """The last lasting change of saturation at equal traffic per replica, or None.

    What a request costs is saturation, less what an idle replica uses, by traffic per replica; its
    median over each four hours with load is a series that a release shifts. The split that leaves
    least on both sides counts where they differ by a twelfth at least, clear above what neighbours
    differ by; what is after it is looked at again.
    """
    found = None
    while True:
        seconds, level = _levels(points)
        split = _split(level)
        if split is None:
            return found
        ratio = float(np.exp(np.median(level[split:]) - np.median(level[:split])))
        found = CostChange(float(seconds[split]), ratio)
        points = points.where(points.at_seconds >= found.at_seconds)


def _levels(points: LoadPoints) -> tuple[FloatArray, FloatArray]:
    """Starts of periods, and the log of the median cost in each; those with load alone."""
    if len(points) == 0 or float(points.rate_rps.max()) <= 0:
        return np.empty(0), np.empty(0)
    points = points.where(points.rate_rps >= _LOADED * np.quantile(points.rate_rps, 0.98))
    work = points.saturation - _idle(points)
    use = (work > 0) & (points.rate_rps > 0)
    points, work = points.where(use), work[use]
    period, place, count = np.unique(
        points.at_seconds // _PERIOD, return_inverse=True, return_counts=True
    )
    groups = np.split(np.log(work / points.rate_rps), np.flatnonzero(np.diff(place)) + 1)
    median = np.array([np.median(one) for one in groups if len(one)])
    enough = count >= max(2.0, _LEAST_LOAD / points.span.total_seconds())
    return (period * _PERIOD)[enough], median[enough]


def _idle(points: LoadPoints) -> float:
    """What an idle replica uses, by the line of each day: a release moves no day's but its own."""
    found = []
    for day in np.unique(points.day):
        one = points.where(points.day == day)
        if len(one) > 2 and np.ptp(one.rate_rps) > 0:
            found.append(fit_line(one).idle)
    most = _MOST_IDLE * float(np.median(points.saturation))
    return float(np.clip(np.median(found), 0.0, most)) if found else 0.0


def _split(level: FloatArray) -> int | None:
    count = len(level)
    if count < 2 * _FEWEST_PERIODS:
        return None
    # Neighbours differ by chance, and by the shift once: the median does not see that.
    step = _TO_SIGMA * float(np.median(np.abs(np.diff(level)))) / np.sqrt(2)
    splits = range(_FEWEST_PERIODS, count - _FEWEST_PERIODS + 1)
    best = min(splits, key=lambda at: _off(level[:at]) + _off(level[at:]))
    gap = abs(float(np.median(level[best:]) - np.median(level[:best])))
    clear = gap / (max(step, 1e-3) * np.sqrt(1 / best + 1 / (count - best)))
    few = min(best, count - best) < _MANY_PERIODS
    needed = _VERY_CLEAR if few else _CLEAR
    return best if gap >= np.log1p(_LEAST_CHANGE) and clear >= needed else None


def _off(level: FloatArray) -> float:
    """How far values are from their median, in all."""
    return float(np.abs(level - np.median(level)).sum())
