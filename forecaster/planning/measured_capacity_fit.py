"""The line of saturation against traffic per replica: fitted robustly, with its uncertainty.

Points are means of some minutes. Errors of neighbouring points hang together, and those of one
hour of the day may differ from those of another, so whole days are drawn with replacement (or
quarters of them, where days are few), never single points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # scipy.stats takes a second to load, in every process

from forecaster.planning.measured_capacity_points import IntArray, LoadPoints
from forecaster.traffic.history import FloatArray

__all__ = [
    "Interval",
    "Line",
    "clusters",
    "fit_line",
    "line_variances",
    "log_interval",
    "resampled_lines",
]

_BINS = 60
_TUKEY = 4.685  # 95 % efficient where errors are normal
_TO_SIGMA = 1.4826
_LEAST_LEVEL, _TINY = 0.1, 1e-300
_SETTLED = 1e-9
_SYSTEMATIC = 0.01
_ROUNDS, _MORE_ROUNDS = 30, 6
_FEW_DAYS = 10
_QUARTER = 21_600
_SEED = 20_260_101


@dataclass(frozen=True)
class Line:
    """``idle + slope × rate``; ``scale`` is the relative size of an error."""

    idle: float
    slope: float
    scale: float

    def at(self, rate_rps: FloatArray) -> FloatArray:
        """The saturation at rates per replica."""
        answer: FloatArray = self.idle + self.slope * rate_rps
        return answer


@dataclass(frozen=True)
class Interval:
    """A middle, and the ends of its 90 % interval."""

    middle: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """How far the lower end is off, by the middle."""
        return 1 - self.low / self.middle


def fit_line(points: LoadPoints) -> Line:
    """The line through most of the points: a batch job or a restart in some does not bend it.

    Tukey's biweight from a Theil-Sen start, over medians of ``_BINS`` groups of like expected
    rates. Errors are judged by the level of the line, for they grow with it; none of them may go
    with the expected rate (see ``LoadPoints.expecting``). Without two different rates the slope
    is 0.
    """
    return _biweight(points, np.ones(len(points)), _theil_sen(points), None, _ROUNDS)


def resampled_lines(points: LoadPoints, line: Line, draws: int) -> tuple[FloatArray, FloatArray]:
    """Idle and slope of ``draws`` lines, each through clusters drawn with replacement."""
    cluster = clusters(points)
    count = int(cluster.max()) + 1
    drawn = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), size=draws)
    idle, slope = np.empty(draws), np.empty(draws)
    for number, times in enumerate(drawn):
        weight = times[cluster].astype(np.float64)
        one = _biweight(points, weight, line, line.scale, _MORE_ROUNDS)
        idle[number], slope[number] = one.idle, one.slope
    return idle, slope


def clusters(points: LoadPoints) -> IntArray:
    """The cluster of each point, 0 to their number less one: days, or quarters of few days."""
    days = len(np.unique(points.day))
    seconds = 86_400 if days >= _FEW_DAYS else _QUARTER
    _, place = np.unique(points.at_seconds // seconds, return_inverse=True)
    answer: NDArray[np.int64] = place.astype(np.int64)
    return answer


def log_interval(middle: float, drawn: FloatArray, count: int) -> Interval:
    """The 90 % interval of a positive number from what resampling of ``count`` clusters drew.

    Student's t of count - 1 and the factor count / (count - 1) of the variance: resampling few
    clusters finds too little spread (Cameron, Gelbach and Miller 2008). A draw that is no positive
    number makes it endless.
    """
    if count < 2 or not np.all(np.isfinite(drawn) & (drawn > 0)):
        return Interval(middle, 0.0, float("inf"))
    variance = float(np.var(np.log(drawn))) * count / (count - 1)
    reach = float(np.hypot(stdtrit(count - 1, 0.95) * np.sqrt(variance), _SYSTEMATIC))
    return Interval(middle, middle * float(np.exp(-reach)), middle * float(np.exp(reach)))


def line_variances(idle: FloatArray, slope: FloatArray, count: int) -> tuple[float, float, float]:
    """Variances of resampled lines, as large as ``CapacityLine`` wants them; as in log_interval."""
    factor = float(stdtrit(count - 1, 0.95)) ** 2 * count / (count - 1)
    spread = np.cov(idle, slope, bias=True) * factor
    return float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1])


def _theil_sen(points: LoadPoints) -> Line:
    order = np.argsort(points.expected_rps, kind="stable")
    groups = np.array_split(order, min(_BINS, len(order)))
    x = np.array([np.median(points.rate_rps[one]) for one in groups])
    u = np.array([np.median(points.saturation[one]) for one in groups])
    first, second = np.triu_indices(len(x), 1)
    apart = x[second] - x[first]
    use = apart != 0
    if not use.any():
        return Line(float(np.median(u)), 0.0, 0.0)
    slopes = (u[second] - u[first])[use] / apart[use]
    order = np.argsort(slopes)
    weight = np.cumsum(np.abs(apart[use])[order])
    slope = float(slopes[order][np.searchsorted(weight, weight[-1] / 2)])
    return Line(float(np.median(u - slope * x)), slope, 0.0)


def _biweight(
    points: LoadPoints, times: FloatArray, start: Line, scale: float | None, rounds: int
) -> Line:
    """Weighted moments again and again; without a ``scale``, that of each round's errors."""
    rate_rps, saturation, expected = points.rate_rps, points.saturation, points.expected_rps
    idle, slope = start.idle, start.slope
    known = scale
    for _ in range(rounds):
        fitted = idle + slope * rate_rps
        level = np.maximum(fitted, max(_LEAST_LEVEL * float(fitted.max()), _TINY))
        error = (saturation - fitted) / level
        if scale is None:
            known = _TO_SIGMA * float(np.median(np.abs(error)))
        if not known:
            break
        weight = times * np.clip(1 - (error / (_TUKEY * known)) ** 2, 0, None) ** 2
        total = weight.sum()
        if total <= 0:
            break
        x_mean = float(weight @ rate_rps) / total
        u_mean = float(weight @ saturation) / total
        off = weight * (expected - float(weight @ expected) / total)
        together = float(off @ rate_rps)
        if together <= 0:
            break
        before, slope = slope, float(off @ saturation) / together
        idle = u_mean - slope * x_mean
        if abs(slope - before) <= _SETTLED * abs(slope):
            break
    return Line(float(idle), float(slope), known or 0.0)
