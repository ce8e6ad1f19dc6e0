"""What one metric asks for at one sync.

Values travel as whole thousandths, as Kubernetes' quantities do, so that the edges of the band are
met exactly. Formulas: ``replica_calculator.go`` of Kubernetes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

__all__ = [
    "FAILED",
    "AverageValueMetric",
    "Band",
    "Metric",
    "ResourceMetric",
    "Tolerance",
    "ValueMetric",
    "thousandths",
]

FAILED = -1
"""Stands for a value that could not be read; real values are not negative."""


class Band(StrEnum):
    """How the dead band is compared.

    INCLUSIVE, ``1 - down <= ratio <= 1 + up``: newer controllers, exactly 10 % is ignored.
    DISTANCE, ``|1 - ratio| <= tolerance`` in floating point: older controllers, where 11/10 is a
    hair more than 10 % away and does scale.
    """

    INCLUSIVE = "inclusive"
    DISTANCE = "distance"


@dataclass(frozen=True)
class Tolerance:
    """The dead band around a ratio of 1 in which nothing happens.

    >>> Tolerance(0.1, 0.1).ignores(11 / 10), Tolerance(0.1, 0.1, Band.DISTANCE).ignores(11 / 10)
    (True, False)
    """

    down_ratio: float
    up_ratio: float
    band: Band = Band.INCLUSIVE

    def ignores(self, ratio: float) -> bool:
        """Whether ``ratio`` (value over target) is too near to 1 to act on."""
        if self.band is Band.INCLUSIVE:
            return 1.0 - self.down_ratio <= ratio <= 1.0 + self.up_ratio
        return abs(1.0 - ratio) <= self.up_ratio


def thousandths(value: float) -> int:
    """``value`` to three decimals, as a whole number of thousandths; NaN gives FAILED.

    ValueError where it is negative or infinite.

    >>> thousandths(7.4), thousandths(float("nan"))
    (7400, -1)
    """
    if math.isnan(value):
        return FAILED
    if not 0 <= value < math.inf:
        raise ValueError(f"a metric's value is finite and not negative (7.4) or NaN, not {value}")
    return int(value * 1000 + 0.5)


def _target_thousandths(target: float) -> int:
    if not 0.001 <= target < math.inf:
        raise ValueError(f"a metric's target is at least 0.001, for example 1, not {target}")
    return thousandths(target)


@dataclass(frozen=True)
class AverageValueMetric:
    """An external metric with AverageValue: a total that is shared by all replicas.

    ``ceil(value / target)`` replicas, unless ``value / (target × current)`` lies in the band. With
    a target of 1 the value is a floor in replicas; with a replica's capacity it is a reactive
    trigger on requests. ``cached`` is KEDA's ``useCachedMetrics``: the sync sees what KEDA's own
    last poll saw.

    >>> AverageValueMetric(target=10).replicas(150_000, 12, 12, Tolerance(0.1, 0.1))
    15
    """

    target: float
    cached: bool = False

    def __post_init__(self) -> None:
        _ = self._target

    @cached_property
    def _target(self) -> int:
        return _target_thousandths(self.target)

    def replicas(self, value: int, current: int, ready: int, tolerance: Tolerance) -> int | None:
        """The replicas asked for, from ``value`` in thousandths; None where it cannot be told."""
        del ready
        if tolerance.ignores(value / (self._target * current)):
            return current
        return -(-value // self._target)


@dataclass(frozen=True)
class ValueMetric:
    """An external metric with Value: ``ceil(value / target × ready replicas)`` outside the band.

    What prescaling-exporter is read by: 11 against a target of 10 asks for a tenth more.

    >>> ValueMetric(target=10).replicas(12_000, 10, 10, Tolerance(0.1, 0.1))
    12
    """

    target: float

    def __post_init__(self) -> None:
        _ = self._target

    @cached_property
    def _target(self) -> int:
        return _target_thousandths(self.target)

    def replicas(self, value: int, current: int, ready: int, tolerance: Tolerance) -> int | None:
        """The replicas asked for, from ``value`` in thousandths; None where it cannot be told."""
        ratio = value / self._target
        return current if tolerance.ignores(ratio) else math.ceil(ratio * ready)


@dataclass(frozen=True)
class ResourceMetric:
    """CPU against ``averageUtilization``: whole percent of what a replica requests.

    The value is what all ready replicas use together, in units of one replica's request (12.6
    when 18 replicas use 70 % each). ``limit_percent`` is the most that one replica can use and so
    the most that can be seen; None: no limit. Replicas that are not ready count as idle when the
    answer would be "more", and are left out when it would be "fewer".

    >>> ResourceMetric(target_percent=70).replicas(12_600, 10, 10, Tolerance(0.1, 0.1))
    18
    """

    target_percent: int
    limit_percent: int | None = None

    def __post_init__(self) -> None:
        if self.target_percent < 1:
            raise ValueError(
                f"target_percent is at least 1, for example 70, not {self.target_percent}"
            )
        if self.limit_percent is not None and self.limit_percent < 1:
            raise ValueError(
                f"limit_percent is at least 1, for example 200, not {self.limit_percent}"
            )

    def replicas(self, value: int, current: int, ready: int, tolerance: Tolerance) -> int | None:
        """The replicas asked for, from ``value`` in thousandths; None where it cannot be told."""
        if ready == 0:
            return None
        used = value
        if self.limit_percent is not None:
            used = min(used, ready * self.limit_percent * 10)
        ratio = used // (ready * 10) / self.target_percent
        if ready == current or ratio <= 1.0:
            return current if tolerance.ignores(ratio) else math.ceil(ratio * ready)
        diluted = used // (current * 10) / self.target_percent
        if diluted < 1.0 or tolerance.ignores(diluted):
            return current
        return math.ceil(diluted * current)


Metric = AverageValueMetric | ValueMetric | ResourceMetric
