"""From day to day: a capacity in use changes when a measurement contradicts it, and seldom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forecaster.planning.measured_capacity_result import Measured, Refused

__all__ = ["CapacityInUse", "settle_capacity"]

_PAUSE = timedelta(hours=20)  # once a day, at whatever minute of it a training runs
_LEAST_MOVE = 0.05
_WORTH_AN_ANSWER = 1.05


@dataclass(frozen=True)
class CapacityInUse:
    """``capacity_rps`` since ``since``, and why: a sentence. ``provisional`` until it is measured.

    ``reason`` also says why it stays as it is, where the last look did not change it.
    """

    capacity_rps: float
    since: datetime
    reason: str
    provisional: bool = False


def settle_capacity(
    before: CapacityInUse | None, measured: Measured | Refused, now: datetime
) -> CapacityInUse | None:
    """The capacity from ``now`` on; None where none was in use and none can be told.

    It changes where the new interval does not hold the one in use and the move is 5 % or more,
    once a day at the most; at once where the one in use is above the interval, for then replicas
    lack. Where a release made requests dearer and there is too little since to measure it, the
    capacity falls in proportion, provisionally; where it made them cheaper, that waits.
    """
    if isinstance(measured, Refused):
        return None if before is None else _refused(before, measured, now)
    planned = measured.planned_rps
    interval = f"{measured.low_rps:.4g} to {measured.high_rps:.4g}"
    if before is None:
        return CapacityInUse(planned, now, f"measured: {interval}, the lower end is used")
    used = before.capacity_rps
    if measured.low_rps <= used <= measured.high_rps:
        return replace(before, reason=f"kept: {interval} holds it", provisional=False)
    if abs(planned / used - 1) < _LEAST_MOVE:
        return replace(
            before, reason=f"kept: {planned:.4g} is less than 5 % away", provisional=False
        )
    if used < measured.low_rps and now - before.since < _PAUSE and not before.provisional:
        return replace(before, reason=f"kept for a day: measured {interval}")
    return CapacityInUse(planned, now, f"measured: {interval}, no more {used:.4g}")


def _refused(before: CapacityInUse, refused: Refused, now: datetime) -> CapacityInUse:
    changed, ratio = refused.changed_at, refused.cost_ratio
    if (
        changed is not None
        and ratio is not None
        and ratio > _WORTH_AN_ANSWER
        and before.since < changed
    ):
        return CapacityInUse(
            before.capacity_rps / ratio,
            now,
            f"{before.capacity_rps:.4g} by {ratio:.3g}, until it can be measured: {refused.reason}",
            provisional=True,
        )
    return replace(before, reason=f"kept: {refused.reason}")
