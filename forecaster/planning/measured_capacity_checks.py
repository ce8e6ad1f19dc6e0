"""What no line can be trusted with: each check gives None, or the refusal in words."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from forecaster.planning.measured_capacity_change import CostChange
from forecaster.planning.measured_capacity_fit import Interval, Line
from forecaster.planning.measured_capacity_points import LoadPoints, LoadSteps
from forecaster.planning.measured_capacity_result import Refusal, Refused
from forecaster.traffic.history import TrafficSeries

__all__ = [
    "check_change",
    "check_extent",
    "check_present",
    "check_reach",
    "check_related",
    "check_units",
    "check_width",
    "instant_text",
    "reached_by",
    "spread_of",
    "sustained",
    "too_narrow",
]

_FEWEST_DAYS = 3
_LEAST_TIME = 1.0  # days of kept steps
_PER_CENT = 5.0
_NARROW = 1.4
_LEAST_SHARE = 0.35
_FIVE_TO_95 = 2 * 1.645 * 1.4826  # of an error of normal shape, by the median one
_LEAST_REACH = 0.6
_FARTHEST = 1.8
_WIDEST = 0.25
_A_SUM = 0.6
_MORE_REPLICAS = 2.0
_SUSTAINED_SECONDS = 3600.0


def check_present(
    traffic: TrafficSeries | None, replicas: TrafficSeries | None, saturation: TrafficSeries | None
) -> Refused:
    """Which of the signals are not there."""
    named = {"traffic": traffic, "count of ready replicas": replicas, "saturation": saturation}
    absent = [name for name, one in named.items() if one is None]
    return Refused(
        Refusal.MISSING,
        f"there is no {' and no '.join(absent)} of it",
        "See that the queries, or the files, have a series by the name of the workload",
    )


def check_extent(steps: LoadSteps, points: LoadPoints) -> Refused | None:
    """Steps at which all three are known and replicas are steady: a day of them, on three days."""
    if len(steps.position) == 0:
        return Refused(
            Refusal.MISSING,
            "there is no step at which traffic, a ready replica and saturation are all known",
            "See that the three signals cover the same days",
        )
    days = len(np.unique(points.day))
    if days >= _FEWEST_DAYS and points.days >= _LEAST_TIME:
        return None
    known = len(steps.position) * (steps.step.total_seconds() / 86_400)
    unsteady = 1 - len(points) * points.span / max(len(steps.position) * steps.step, points.span)
    moving = f"; replicas had just changed in {unsteady:.0%} of it" if unsteady > 0.5 else ""
    return Refused(
        Refusal.SHORT,
        f"only {_amount(points.days)} on {days} day{'' if days == 1 else 's'} can be used, of "
        f"{_amount(known)} in which all is known{moving}",
        f"It takes {_FEWEST_DAYS} days, and {_amount(_LEAST_TIME)} in all: bring more history",
    )


def check_units(points: LoadPoints, target: float) -> Refused | None:
    """Saturation as a ratio of the mean replica, neither per cent nor a sum."""
    high = float(np.quantile(points.saturation, 0.99))
    if high <= 0:
        return Refused(
            Refusal.UNITS,
            "saturation is 0 all the time",
            "See whether the query divides by what it should",
        )
    if high > _PER_CENT and target <= _PER_CENT / 2:
        return Refused(
            Refusal.UNITS,
            f"saturation goes up to {high:.3g} where the target is {target:g}: it looks like per "
            "cent",
            "Divide it by 100, so that 1 is all that was requested",
        )
    share = _share_of_replicas(points)
    if share is not None and share > _A_SUM:
        return Refused(
            Refusal.UNITS,
            "saturation grows with the number of replicas, not with traffic per replica: it looks "
            f"like a sum over replicas (from {points.replicas.min():g} to "
            f"{points.replicas.max():g} of them)",
            "Divide use by request, sum(…) / sum(…), or write avg",
        )
    return None


def check_change(change: CostChange, after: LoadPoints) -> Refused | None:
    """Whether enough has come since a request began to cost something else."""
    days = len(np.unique(after.day))
    if days >= _FEWEST_DAYS and after.days >= _LEAST_TIME:
        return None
    more = "more" if change.ratio > 1 else "less"
    return Refused(
        Refusal.CHANGED,
        f"a request costs {abs(change.ratio - 1):.0%} {more} since about "
        f"{instant_text(change.at_seconds)}, a release most likely, and {_amount(after.days)} "
        "since then are too few",
        f"Wait until there are {_FEWEST_DAYS} days, {_amount(_LEAST_TIME)} in all",
        changed_at=datetime.fromtimestamp(change.at_seconds, UTC),
        cost_ratio=change.ratio,
    )


def check_related(points: LoadPoints, line: Line, target: float) -> Refused | None:
    """Whether saturation follows traffic at all: along the line, far more than off it."""
    along = float(np.ptp(np.quantile(line.at(points.expected_rps), [0.05, 0.95])))
    off = points.saturation - line.at(points.rate_rps)
    beside = _FIVE_TO_95 * float(np.median(np.abs(off - np.median(off))))
    share = along**2 / max(along**2 + beside**2, 1e-300)
    if line.slope > 0 and share >= _LEAST_SHARE and line.idle < target:
        return None
    known = sustained(points, target)
    if line.slope > 0 and share >= _LEAST_SHARE:
        return Refused(
            Refusal.UNRELATED,
            f"an idle replica is at a saturation of {line.idle:.2f} already, and the target is "
            f"{target:g}",
            "See what else uses the resource, measure by another one, or set a higher target",
            at_most_rps=spread_of(points)[0],
        )
    return Refused(
        Refusal.UNRELATED,
        f"saturation does not follow traffic per replica, which explains {max(share, 0):.0%} of "
        f"it{' and with a slope below 0' if line.slope <= 0 else ''}; "
        f"{_LEAST_SHARE:.0%} is the least",
        "See what else uses the resource (batch work, other callers), or measure by another one",
        at_least_rps=known,
    )


def check_reach(points: LoadPoints, target: float, capacity_rps: float) -> Refused | None:
    """Whether replicas were ever loaded enough to know what they bear."""
    low, high = spread_of(points)
    reached = reached_by(points)
    if reached >= _LEAST_REACH * target and capacity_rps <= _FARTHEST * high:
        if capacity_rps >= low / 2:
            return None
        return Refused(
            Refusal.UNCERTAIN,
            f"traffic per replica was always above {low:.4g} per second, far beyond what fits "
            f"the target of {target:g}",
            "Add replicas for some days, or set a higher target",
            at_most_rps=low,
        )
    return Refused(
        Refusal.UNLOADED,
        f"replicas were never loaded enough: the most for an hour or longer was {high:.4g} per "
        f"second and replica, at a saturation of {reached:.2f}, and the target is {target:g}",
        f"A capacity is at least {high:.4g}: set that for now, run fewer replicas for a while, or "
        "test one under load",
        at_least_rps=high,
    )


def check_width(interval: Interval) -> Refused | None:
    """Whether the interval is narrow enough to plan with."""
    if interval.half_width <= _WIDEST:
        return None
    known = bool(interval.low > 0 and np.isfinite(interval.high))
    ends = f"from {interval.low:.4g} to {interval.high:.4g}" if known else "without ends"
    return Refused(
        Refusal.UNCERTAIN,
        f"about {interval.middle:.4g} per second and replica, but with an interval {ends}; the "
        f"lower end may be {_WIDEST:.0%} off at the most",
        "Bring more days, or days with more load",
        at_least_rps=interval.low if known else None,
        at_most_rps=interval.high if known else None,
    )


def too_narrow(points: LoadPoints) -> bool:
    """Whether traffic makes the rate per replica differ too little to tell a slope from it."""
    low, high = np.quantile(points.expected_rps, [0.05, 0.95])
    return bool(high < _NARROW * low)


def spread_of(points: LoadPoints) -> tuple[float, float]:
    """The lowest and the highest traffic per replica that lasted: for an hour in all, or 1 %."""
    share = _SUSTAINED_SECONDS / points.span.total_seconds() / len(points)
    share = min(max(share, 0.01), 0.5)
    low, high = np.quantile(points.rate_rps, [share, 1 - share])
    return float(low), float(high)


def reached_by(points: LoadPoints) -> float:
    """The saturation at the highest traffic per replica that lasted."""
    return float(np.median(points.saturation[points.rate_rps >= spread_of(points)[1]]))


def sustained(points: LoadPoints, target: float) -> float | None:
    """The highest lasting traffic per replica, where saturation was within the target there."""
    return spread_of(points)[1] if reached_by(points) <= target else None


def instant_text(seconds: float) -> str:
    """A Unix second as text, to the minute, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _share_of_replicas(points: LoadPoints) -> float | None:
    """The power of the number of replicas in saturation, at equal traffic per replica."""
    use = (points.rate_rps > 0) & (points.saturation > 0)
    few, many = np.quantile(points.replicas, [0.05, 0.95])
    if many < _MORE_REPLICAS * few or np.count_nonzero(use) < 10:
        return None
    logs = [np.log(one[use]) for one in (points.rate_rps, points.replicas, points.saturation)]
    basis = np.column_stack([np.ones(len(logs[0])), logs[0], logs[1]])
    solved, *_ = np.linalg.lstsq(basis, logs[2], rcond=None)
    return float(solved[2])


def _amount(days: float) -> str:
    return f"{days:.1f} days" if days >= 2 else f"{days * 24:.0f} hours"
