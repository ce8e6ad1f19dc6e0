"""What a measurement of capacity says: a number with its interval, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["CapacityLine", "Measured", "Refusal", "Refused", "capacity_text"]

_DIGITS = 3


def capacity_text(rate_rps: float) -> str:
    """A capacity as it is written down: three digits, rounded down.

    >>> capacity_text(118.97), capacity_text(1234.9), capacity_text(0.04567)
    ('118', '1230', '0.0456')
    """
    digits = _DIGITS - 1 - math.floor(math.log10(rate_rps))
    scale = 10.0**digits
    return f"{math.floor(rate_rps * scale * (1 + 1e-12)) / scale:.{max(digits, 0)}f}"


class Refusal(StrEnum):
    """Why history cannot tell a capacity."""

    MISSING = "missing"
    """One of the three signals is not there, or they never meet."""
    UNITS = "units"
    """Saturation is in per cent, or a sum over replicas."""
    SHORT = "short"
    """Too few steps or days."""
    UNLOADED = "unloaded"
    """Replicas never had enough to do."""
    SPREAD = "spread"
    """Traffic per replica hardly changes, at another utilisation than the target."""
    UNRELATED = "unrelated"
    """Something else than traffic loads the replicas."""
    SATURATED = "saturated"
    """Saturation stops to grow below the target, while traffic goes on."""
    CHANGED = "changed"
    """A request costs another amount than before, and not long enough."""
    UNCERTAIN = "uncertain"
    """The interval is too wide to plan with."""


@dataclass(frozen=True)
class CapacityLine:
    """Saturation against traffic per replica: ``idle + per_rps × rate``, where it was fitted.

    ``from_rps`` and ``to_rps`` bound the traffic per replica that it was fitted to. ``variances``
    are those of idle, of both together and of the slope, so large that their roots are half of a
    90 % interval; None where the line was not fitted but assumed.
    """

    idle: float
    per_rps: float
    from_rps: float
    to_rps: float
    variances: tuple[float, float, float] | None = None

    def saturation(self, rate_rps: float) -> float:
        """The saturation at a rate per replica."""
        return self.idle + self.per_rps * rate_rps

    def half_width(self, rate_rps: float) -> float | None:
        """Half of the 90 % interval of the line's saturation at a rate per replica."""
        if self.variances is None:
            return None
        idle, both, slope = self.variances
        return math.sqrt(max(idle + 2 * rate_rps * both + rate_rps**2 * slope, 0.0))

    def rate_rps(self, saturation: float) -> float:
        """The rate per replica at which the line reaches ``saturation``."""
        return (saturation - self.idle) / self.per_rps


@dataclass(frozen=True)
class Measured:
    """The traffic per second that one ready replica serves at the ``target`` utilisation.

    ``capacity_rps`` is the middle, ``low_rps`` and ``high_rps`` the ends of its 90 % interval.
    ``since`` and ``until`` bound the history that it rests on, ``days`` is how much of it was used,
    in days of kept steps. ``reached`` is the highest sustained saturation. ``lag_seconds`` is how
    much later saturation shows what traffic did. ``notes`` are sentences worth knowing.
    """

    capacity_rps: float
    low_rps: float
    high_rps: float
    target: float
    line: CapacityLine
    since: datetime
    until: datetime
    days: float
    reached: float
    lag_seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def planned_rps(self) -> float:
        """What to plan with: the lower end, for a capacity too high is short at every peak."""
        return self.low_rps


@dataclass(frozen=True)
class Refused:
    """No capacity can be told: ``reason`` with its numbers, and what would ``help``, sentences.

    ``at_least_rps`` and ``at_most_rps`` are what history does tell. Of a change, ``changed_at`` is
    when, and ``cost_ratio`` what a request costs since, by what it cost before.
    """

    refusal: Refusal
    reason: str
    help: str
    at_least_rps: float | None = None
    at_most_rps: float | None = None
    changed_at: datetime | None = None
    cost_ratio: float | None = None

    def __str__(self) -> str:
        return f"{self.reason}. {self.help}"
