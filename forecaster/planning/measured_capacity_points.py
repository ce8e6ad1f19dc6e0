"""Three signals of a workload on one grid, and which steps say something about its capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["LoadPoints", "LoadSteps", "load_points", "load_steps"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK = timedelta(minutes=5)
# A new replica fills its caches, and rates look back over some minutes: what is seen meanwhile is
# of neither number of replicas. A few of many make no difference.
_SETTLING = timedelta(minutes=5)
_STEADY = 1.05
_ONE_READY = 0.01  # of a mean: for a hundredth of a step
_LONGEST_LAG = timedelta(minutes=5)
_WORTH_A_LAG = 0.01
_GROUPS = 50


@dataclass(frozen=True, eq=False)
class LoadSteps:
    """The steps at which all signals have a value: rate per ready replica, and saturation.

    ``steady`` is false where the number of replicas has just changed, or is about to.
    ``position`` counts steps from ``start``. ``lag`` steps later saturation shows what traffic did.
    """

    start: datetime
    step: timedelta
    position: IntArray
    rate_rps: FloatArray
    replicas: FloatArray
    saturation: FloatArray
    steady: BoolArray
    lag: int


@dataclass(frozen=True, eq=False)
class LoadPoints:
    """Means of steady steps over some minutes: what the law is fitted to, in order of time.

    ``at_seconds`` are Unix seconds of each one's start, ``span`` how long one is. ``expected_rps``
    is the rate per replica that goes with the traffic of the hour, see ``expecting``.
    """

    span: timedelta
    at_seconds: FloatArray
    rate_rps: FloatArray
    replicas: FloatArray
    saturation: FloatArray
    expected_rps: FloatArray

    def __len__(self) -> int:
        return len(self.at_seconds)

    def where(self, kept: BoolArray) -> LoadPoints:
        """Those that are ``kept``."""
        return LoadPoints(
            self.span,
            self.at_seconds[kept],
            self.rate_rps[kept],
            self.replicas[kept],
            self.saturation[kept],
            self.expected_rps[kept],
        )

    def expecting(self) -> LoadPoints:
        """With ``expected_rps`` as the mean rate per replica at about that traffic of the hour.

        An autoscaler answers dear requests with replicas, and so makes the rate per replica fall
        where saturation rises by itself: a line through both is too flat. So are lines through
        rates and saturations of windows that do not quite meet. The traffic of a whole hour knows
        of neither. (Grouping by what is free of the error: Wald 1940; an instrument.)
        """
        traffic = self.rate_rps * self.replicas
        hour = _hourly_mean(traffic, self.at_seconds)
        edges = np.quantile(hour, np.linspace(0, 1, _GROUPS + 1)[1:-1])
        group = np.searchsorted(edges, hour, side="right")
        count = np.bincount(group, minlength=_GROUPS)
        mean = np.bincount(group, self.rate_rps, minlength=_GROUPS) / np.maximum(count, 1)
        return replace(self, expected_rps=mean[group])

    @property
    def days(self) -> float:
        """How much time they are, in days."""
        return len(self) * (self.span / timedelta(days=1))

    @property
    def day(self) -> IntArray:
        """The day of each, counted from the epoch, UTC."""
        return (self.at_seconds // 86_400).astype(np.int64)


def load_steps(
    traffic: TrafficSeries, replicas: TrafficSeries, saturation: TrafficSeries, now: datetime
) -> LoadSteps:
    """The signals side by side up to ``now``, at the longest of their steps; may be no step at all.

    A finer series is averaged. Where no replica was ready, there is no point.
    """
    step = max(one.step for one in (traffic, replicas, saturation))
    known = [one.before(now) for one in (traffic, replicas, saturation)]
    if any(one is None for one in known):
        nothing = np.empty(0)
        none = np.empty(0, dtype=np.int64)
        return LoadSteps(_EPOCH, step, none, nothing, nothing, nothing, none > 0, 0)
    first, (rate, ready, used) = _on_one_grid([one for one in known if one is not None], step)
    each = np.full(len(rate), np.nan)
    with np.errstate(invalid="ignore"):
        np.divide(rate, ready, out=each, where=ready >= _ONE_READY)
    steady = _steady(ready, step)
    lag = _lag(each, used, steady, step)
    used = _shifted(used, lag)
    both = np.flatnonzero(~np.isnan(each) & ~np.isnan(used))
    return LoadSteps(
        _EPOCH + first * step, step, both, each[both], ready[both], used[both], steady[both], lag
    )


def load_points(steps: LoadSteps) -> LoadPoints:
    """Five minutes of steady steps as one point: the law is a line, so means lie on it as well."""
    span = max(_BLOCK // steps.step, 1) * steps.step
    kept = steps.steady
    at = steps.start.timestamp() + steps.position[kept] * steps.step.total_seconds()
    block, place = np.unique(at // span.total_seconds(), return_inverse=True)
    count = np.bincount(place, minlength=len(block))
    means = [
        np.bincount(place, values[kept], minlength=len(block)) / np.maximum(count, 1)
        for values in (steps.rate_rps, steps.replicas, steps.saturation)
    ]
    return LoadPoints(span, block * span.total_seconds(), means[0], means[1], means[2], means[0])


def _hourly_mean(values: FloatArray, at_seconds: FloatArray) -> FloatArray:
    """The mean of all values within half an hour of each; instants rise."""
    first = np.searchsorted(at_seconds, at_seconds - 1800.0, side="left")
    end = np.searchsorted(at_seconds, at_seconds + 1800.0, side="right")
    total = np.concatenate([[0.0], np.cumsum(values)])
    mean: FloatArray = (total[end] - total[first]) / (end - first)
    return mean


def _on_one_grid(
    signals: Sequence[TrafficSeries], step: timedelta
) -> tuple[int, tuple[FloatArray, ...]]:
    """The number of the first step since the epoch, and the mean of each signal's values in each.

    >>> from forecaster.traffic.history import TrafficSeries as Of
    >>> halves = Of("a", _EPOCH, timedelta(seconds=30), np.array([1.0, 3.0, 5.0, np.nan]))
    >>> whole = Of("b", _EPOCH, timedelta(minutes=1), np.array([7.0, 8.0]))
    >>> _on_one_grid([halves, whole], timedelta(minutes=1))
    (0, (array([2., 5.]), array([7., 8.])))
    """
    first = max((one.start - _EPOCH) // step for one in signals)
    end = min((one.end - one.step - _EPOCH) // step + 1 for one in signals)
    count = max(end - first, 0)
    placed = []
    for one in signals:
        offset = (one.start - _EPOCH - first * step) / step
        slot = np.floor(offset + np.arange(len(one)) * (one.step / step) + 1e-9).astype(np.int64)
        use = (slot >= 0) & (slot < count) & ~np.isnan(one.rate_rps)
        total = np.bincount(slot[use], one.rate_rps[use], minlength=count)
        number = np.bincount(slot[use], minlength=count)
        with np.errstate(invalid="ignore"):
            placed.append(np.where(number > 0, total / number, np.nan))
    return first, tuple(placed)


def _steady(replicas: FloatArray, step: timedelta) -> BoolArray:
    """Whether replicas stayed within a twentieth from some minutes before to a step after.

    A step that is longer than that is a mean over changes anyway, of replicas as well.
    """
    before = _SETTLING // step
    if before == 0:
        return np.ones(len(replicas), dtype=np.bool_)
    if len(replicas) == 0:
        return np.empty(0, dtype=np.bool_)
    low = np.concatenate([np.full(before, np.inf), np.nan_to_num(replicas, nan=np.inf), [np.inf]])
    high = np.concatenate([np.zeros(before), np.nan_to_num(replicas), [0.0]])
    windows = np.lib.stride_tricks.sliding_window_view
    least = windows(low, before + 2).min(axis=1)
    most = windows(high, before + 2).max(axis=1)
    answer: BoolArray = most <= _STEADY * least
    return answer


def _shifted(values: FloatArray, lag: int) -> FloatArray:
    """``values`` as they come ``lag`` steps later; NaN where that is beyond the end."""
    if lag == 0:
        return values
    answer = np.full(len(values), np.nan)
    if lag > 0:
        answer[:-lag] = values[lag:]
    else:
        answer[-lag:] = values[:lag]
    return answer


def _lag(each: FloatArray, used: FloatArray, steady: BoolArray, step: timedelta) -> int:
    """The steps after which saturation follows traffic best, 0 where it makes no difference."""
    most = _LONGEST_LAG // step
    found = {lag: _correlation(each, _shifted(used, lag), steady) for lag in range(-1, most + 1)}
    best = max(found, key=lambda lag: (found[lag], -abs(lag)))
    return best if found[best] > found[0] + _WORTH_A_LAG * (1 - found[0]) + 1e-9 else 0


def _correlation(one: FloatArray, other: FloatArray, steady: BoolArray) -> float:
    use = steady & ~np.isnan(one) & ~np.isnan(other)
    if np.count_nonzero(use) < 3:
        return 0.0
    ranks = [np.argsort(np.argsort(values[use])) for values in (one, other)]
    if np.ptp(one[use]) == 0 or np.ptp(other[use]) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
