"""Capacity from history: the rate per ready replica at which saturation reaches the target.

The utilisation law (saturation = service demand × rate) with what an idle replica uses: a line,
fitted to steady steps only, of the time since a request costs what it costs now. Where the line
bends, the part counts in which the target lies. Time, queues and models stay out of it.

measured_capacity_points.py   three signals to points
measured_capacity_fit.py      the line and its uncertainty
measured_capacity_bend.py     where it does not hold
measured_capacity_change.py   since when a request costs what it costs
measured_capacity_checks.py   what no line can be trusted with
measured_capacity_settle.py   from day to day
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from forecaster.planning.measured_capacity_bend import Bend, find_bend
from forecaster.planning.measured_capacity_change import CostChange, last_change
from forecaster.planning.measured_capacity_checks import (
    check_change,
    check_extent,
    check_present,
    check_reach,
    check_related,
    check_units,
    check_width,
    instant_text,
    reached_by,
    spread_of,
    too_narrow,
)
from forecaster.planning.measured_capacity_fit import (
    clusters,
    fit_line,
    line_variances,
    log_interval,
    resampled_lines,
)
from forecaster.planning.measured_capacity_points import LoadPoints, load_points, load_steps
from forecaster.planning.measured_capacity_result import CapacityLine, Measured, Refusal, Refused
from forecaster.planning.measured_capacity_steady import measure_steady
from forecaster.traffic.history import TrafficSeries

__all__ = ["Measured", "Refusal", "Refused", "measure_capacity"]

_DRAWS = 200
_EXTRAPOLATED = 0.98
_MOST_BENDS = 3


def measure_capacity(
    traffic: TrafficSeries | None,
    replicas: TrafficSeries | None,
    saturation: TrafficSeries | None,
    target: float,
    now: datetime,
) -> Measured | Refused:
    """The traffic per second that one ready replica serves at a saturation of ``target``.

    ``traffic`` is per second, ``replicas`` counts those that are ready, ``saturation`` is a ratio
    (CPU use by request) of the mean replica; None where there is no such series. Steps may differ.
    What ends after ``now`` is left out. Raises ValueError where the target is not above 0.
    """
    if not 0 < target < np.inf:
        raise ValueError(f"target must be above 0, for example 0.7, not {target:g}")
    if traffic is None or replicas is None or saturation is None:
        return check_present(traffic, replicas, saturation)
    steps = load_steps(traffic, replicas, saturation, now)
    points = load_points(steps)
    refused = check_extent(steps, points) or check_units(points, target)
    if refused is not None:
        return refused
    change = last_change(points)
    if change is not None:
        after = points.where(points.at_seconds >= change.at_seconds)
        refused = check_change(change, after)
        if refused is not None:
            return refused
        points = after
    points = points.expecting()
    lag = steps.lag * steps.step.total_seconds()
    notes = [] if change is None else [_change_note(change)]
    if too_narrow(points):
        return measure_steady(points, target, lag, tuple(notes))
    return _by_line(points, target, lag, notes)


def _by_line(
    points: LoadPoints, target: float, lag_seconds: float, notes: list[str]
) -> Measured | Refused:
    part = _straight(points, target, notes)
    if isinstance(part, Refused):
        return part
    line = fit_line(part)
    refused = check_related(part, line, target)
    if refused is not None:
        return refused
    capacity = (target - line.idle) / line.slope
    refused = check_reach(points, target, capacity)
    if refused is not None:
        return refused
    idle, slope = resampled_lines(part, line, _DRAWS)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = (target - idle) / slope
    count = int(clusters(part).max()) + 1
    interval = log_interval(capacity, drawn, count)
    reached = reached_by(points)
    if reached < _EXTRAPOLATED * target:
        notes.append(
            f"saturation was {reached:.2f} at the most for long: the way from there to "
            f"{target:g} is the line's, nobody saw it"
        )
    fitted = CapacityLine(
        line.idle,
        line.slope,
        float(part.rate_rps.min()),
        float(part.rate_rps.max()),
        line_variances(idle, slope, count),
    )
    return check_width(interval) or Measured(
        capacity_rps=interval.middle,
        low_rps=interval.low,
        high_rps=interval.high,
        target=target,
        line=fitted,
        since=datetime.fromtimestamp(float(points.at_seconds[0]), UTC),
        until=datetime.fromtimestamp(float(points.at_seconds[-1]), UTC) + points.span,
        days=part.days,
        reached=reached,
        lag_seconds=lag_seconds,
        notes=tuple(notes),
    )


def _straight(points: LoadPoints, target: float, notes: list[str]) -> LoadPoints | Refused:
    """The part in which the target lies, and no bend; what bends again is parted again."""
    part = points
    for _ in range(_MOST_BENDS):
        bend = find_bend(part)
        if bend is None:
            break
        if bend.saturation < target and bend.flat:
            return _held(bend, points, target)
        below = target <= bend.saturation
        part = part.where((part.expected_rps <= bend.rate_rps) == below)
        notes.append(_bend_note(bend, below))
        refused = _too_little(part, bend)
        if refused is not None:
            return refused
    return part


def _held(bend: Bend, points: LoadPoints, target: float) -> Refused:
    return Refused(
        Refusal.SATURATED,
        f"saturation stops to grow at {bend.saturation:.2f}, below the target of {target:g}, while "
        f"traffic goes on from {bend.rate_rps:.4g} to {spread_of(points)[1]:.4g} per second and "
        "replica: a limit holds it (CPU throttling, a pool of threads or connections)",
        "Raise that limit, or measure by what is short there",
        at_least_rps=None,
        at_most_rps=bend.rate_rps,
    )


def _too_little(part: LoadPoints, bend: Bend) -> Refused | None:
    if len(part) >= 24 and len(np.unique(part.day)) >= 2:
        return None
    return Refused(
        Refusal.SHORT,
        f"the line bends at {bend.rate_rps:.4g} per second and replica, and only {len(part)} "
        "points lie on the side of the target",
        "Wait for more hours at that load",
    )


def _bend_note(bend: Bend, below: bool) -> str:
    way = "steeper" if bend.above > bend.below else "flatter"
    side = "below" if below else "above"
    return (
        f"saturation grows {way} from {bend.rate_rps:.4g} per second and replica on, at "
        f"{bend.saturation:.2f}; the target lies {side} that, and so only what is {side} counts"
    )


def _change_note(change: CostChange) -> str:
    more = "more" if change.ratio > 1 else "less"
    return (
        f"a request costs {abs(change.ratio - 1):.0%} {more} since about "
        f"{instant_text(change.at_seconds)}: only what is after it counts"
    )
