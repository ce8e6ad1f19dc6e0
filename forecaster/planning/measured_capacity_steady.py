"""A workload whose autoscaler keeps it at the target: there is no slope to see, and none needed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from forecaster.planning.measured_capacity_checks import (
    check_width,
    reached_by,
    spread_of,
    sustained,
)
from forecaster.planning.measured_capacity_fit import clusters, log_interval
from forecaster.planning.measured_capacity_points import LoadPoints
from forecaster.planning.measured_capacity_result import CapacityLine, Measured, Refusal, Refused
from forecaster.traffic.history import FloatArray

__all__ = ["measure_steady"]

_NEAR = 0.15
_MOST_IDLE = 0.3
_DRAWS = 200


def measure_steady(
    points: LoadPoints, target: float, lag_seconds: float, notes: tuple[str, ...] = ()
) -> Measured | Refused:
    """Capacity where traffic per replica hardly differs: by proportion, if that is a short way.

    Saturation must be within 15 % of the target in the middle. How much of it an idle replica
    would use cannot be seen: anything up to 30 %; the interval holds all of that. Refused where
    replicas do not follow traffic, for then nothing shows that traffic is what loads them.
    """
    saturation = float(np.median(points.saturation))
    low, high = spread_of(points)
    if abs(saturation / target - 1) > _NEAR or not _follows(points):
        return Refused(
            Refusal.SPREAD,
            f"traffic per replica hardly differs ({low:.4g} to {high:.4g} per second), at a "
            f"saturation of {saturation:.2f}: it does not show what more traffic would do, and the "
            f"target is {target:g}",
            "Nights with a fixed minimum of replicas, or other targets for some days, would show "
            "it",
            at_least_rps=sustained(points, target),
        )
    cluster = clusters(points)
    count = int(cluster.max()) + 1
    ratio = points.rate_rps / np.maximum(points.saturation, 1e-12)
    drawn = _resampled_medians(ratio, cluster, count)
    ends = sorted(_factor(target, saturation, share) for share in (0.0, _MOST_IDLE))
    middle = _factor(target, saturation, _MOST_IDLE / 2)
    by_chance = log_interval(float(np.median(ratio)) * saturation * middle, drawn, count)
    interval = type(by_chance)(
        by_chance.middle,
        by_chance.low * ends[0] / middle,
        by_chance.high * ends[1] / middle,
    )
    idle = _MOST_IDLE / 2 * saturation
    words = (
        f"replicas were kept near a saturation of {saturation:.2f}: capacity follows by "
        f"proportion, with an idle replica at up to {_MOST_IDLE:.0%} of it"
    )
    return check_width(interval) or Measured(
        capacity_rps=interval.middle,
        low_rps=interval.low,
        high_rps=interval.high,
        target=target,
        line=_assumed(points, idle, (target - idle) / interval.middle),
        since=datetime.fromtimestamp(float(points.at_seconds[0]), UTC),
        until=datetime.fromtimestamp(float(points.at_seconds[-1]), UTC) + points.span,
        days=points.days,
        reached=reached_by(points),
        lag_seconds=lag_seconds,
        notes=(*notes, words),
    )


def _assumed(points: LoadPoints, idle: float, slope: float) -> CapacityLine:
    return CapacityLine(idle, slope, float(points.rate_rps.min()), float(points.rate_rps.max()))


def _factor(target: float, saturation: float, share: float) -> float:
    """Capacity by the rate at ``saturation``, of which an idle replica has a ``share``."""
    return (target - share * saturation) / (saturation - share * saturation)


def _follows(points: LoadPoints) -> bool:
    """Whether there were twice as many replicas at some time, always as many as traffic wanted."""
    few, many = np.quantile(points.replicas, [0.05, 0.95])
    return bool(many >= 1.5 * few)


def _resampled_medians(values: FloatArray, cluster: np.ndarray, count: int) -> FloatArray:
    """Medians of clusters drawn with replacement; always the same draws."""
    order = np.argsort(values)
    ordered, place = values[order], cluster[order]
    drawn = np.random.default_rng(_DRAWS).multinomial(count, np.full(count, 1 / count), _DRAWS)
    answer = np.empty(_DRAWS)
    for number, times in enumerate(drawn):
        weight = np.cumsum(times[place])
        answer[number] = ordered[np.searchsorted(weight, weight[-1] / 2)]
    return answer
