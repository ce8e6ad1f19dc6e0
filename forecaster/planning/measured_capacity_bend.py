"""Where saturation leaves the line: it runs away under contention, or is held at a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.planning.measured_capacity_points import LoadPoints
from forecaster.traffic.history import FloatArray

__all__ = ["Bend", "find_bend"]

_BINS = 30
_FEWEST_IN_BIN = 6
_FEWEST_BINS = 8
_FEWEST_BESIDE = 3
_FEWEST_DAYS = 2
_CLEAR = 4.0
_LEAST_GAP = 0.08
_ALIKE = 1.5
_FLAT = 0.25
_TO_SIGMA = 1.4826 * 1.2533  # of a median, from the median error


@dataclass(frozen=True)
class Bend:
    """The slope is ``below`` up to ``rate_rps`` per replica, where saturation is ``saturation``.

    From there on it is ``above``.
    """

    rate_rps: float
    saturation: float
    below: float
    above: float

    @property
    def flat(self) -> bool:
        """Whether saturation hardly grows beyond it."""
        return self.above < _FLAT * self.below


def find_bend(points: LoadPoints) -> Bend | None:
    """The one bend that explains most, or None where a line does.

    Of medians in groups of equal width. It counts where it is clear above chance (a group is worth
    its days, not its points), where the slopes differ by half, and where saturation at the end
    leaves the first line by a twelfth.
    """
    x, u, error = _medians(points)
    if len(x) < _FEWEST_BINS:
        return None
    best, least = None, np.inf
    for hinge in x[_FEWEST_BESIDE : len(x) - _FEWEST_BESIDE + 1]:
        basis = np.column_stack([np.ones(len(x)), x, np.maximum(x - hinge, 0)]) / error[:, None]
        solved, *_ = np.linalg.lstsq(basis, u / error, rcond=None)
        left = float(np.sum((u / error - basis @ solved) ** 2))
        if left < least:
            best, least = (float(hinge), solved, basis), left
    if best is None:
        return None
    hinge, (idle, below, more), basis = best
    # What the bent line leaves over is at least as large as chance makes it.
    excess = max(least / max(len(x) - 4, 1), 1.0)
    spread = float(np.sqrt(np.linalg.pinv(basis.T @ basis)[2, 2] * excess))
    above = below + more
    gap = abs(more) * (x[-1] - hinge)
    at_end = abs(idle + below * x[-1])
    alike = below > 0 and above > 0 and 1 / _ALIKE <= above / below <= _ALIKE
    if alike or abs(more) < _CLEAR * spread or gap < _LEAST_GAP * max(at_end, 1e-12):
        return None
    return Bend(hinge, float(idle + below * hinge), float(below), float(above))


def _medians(points: LoadPoints) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rate and saturation of each group, and how far chance may move its saturation."""
    low, high = float(points.expected_rps.min()), float(points.expected_rps.max())
    if high <= low:
        return np.empty(0), np.empty(0), np.empty(0)
    place = np.floor((points.expected_rps - low) / (high - low) * _BINS)
    found = []
    for number in range(_BINS + 1):
        inside = place == number
        days = len(np.unique(points.day[inside]))
        if np.count_nonzero(inside) < _FEWEST_IN_BIN or days < _FEWEST_DAYS:
            continue
        u = points.saturation[inside]
        middle = float(np.median(u))
        error = _TO_SIGMA * float(np.median(np.abs(u - middle))) / np.sqrt(days)
        error = max(error, 1e-3 * middle, 1e-9)
        found.append((float(np.median(points.rate_rps[inside])), middle, error))
    columns = np.array(sorted(found), dtype=np.float64).reshape(-1, 3).T
    return columns[0], columns[1], columns[2]
