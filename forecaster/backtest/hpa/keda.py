"""What stands between a trigger and the HPA: KEDA's polls and its fallback.

Facts: KEDA's ``pkg/fallback`` and observation. A failed reading is an error for the HPA until the
fallback speaks; failures are counted over KEDA's own polls and the HPA's syncs alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = ["BoolArray", "Fallback", "FallbackBehavior", "Keda", "falls_back"]

BoolArray = NDArray[np.bool_]


class FallbackBehavior(StrEnum):
    """What KEDA says in place of a trigger that keeps failing."""

    STATIC = "static"
    CURRENT_REPLICAS = "currentReplicas"
    CURRENT_REPLICAS_IF_HIGHER = "currentReplicasIfHigher"
    CURRENT_REPLICAS_IF_LOWER = "currentReplicasIfLower"


@dataclass(frozen=True)
class Fallback:
    """KEDA's ``fallback``: so many replicas once **more** than ``failure_threshold`` reads failed.

    >>> Fallback(3, 8, FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER).replicas_at(14)
    14
    """

    failure_threshold: int
    replicas: int
    behavior: FallbackBehavior = FallbackBehavior.STATIC

    def __post_init__(self) -> None:
        if self.failure_threshold < 0 or self.replicas < 0:
            raise ValueError(
                "failure_threshold and replicas are not negative, for example 3 and 8, "
                f"not {self.failure_threshold} and {self.replicas}"
            )

    def replicas_at(self, current: int) -> int:
        """The replicas that the fallback stands for while ``current`` are asked for."""
        match self.behavior:
            case FallbackBehavior.STATIC:
                return self.replicas
            case FallbackBehavior.CURRENT_REPLICAS:
                return current
            case FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER:
                return max(current, self.replicas)
            case FallbackBehavior.CURRENT_REPLICAS_IF_LOWER:
                return min(current, self.replicas)


@dataclass(frozen=True)
class Keda:
    """The ScaledObject's part: how often KEDA polls by itself, and what it falls back to."""

    polling_interval_seconds: float = 30.0
    fallback: Fallback | None = None

    def __post_init__(self) -> None:
        if not 0 < self.polling_interval_seconds < math.inf:
            raise ValueError(
                "polling_interval_seconds is above 0, for example 30, "
                f"not {self.polling_interval_seconds}"
            )

    def last_poll_seconds(self, at_seconds: FloatArray) -> FloatArray:
        """The instant of KEDA's last poll at or before each instant; the first poll is at 0."""
        interval = self.polling_interval_seconds
        return np.floor(at_seconds / interval + 1e-9) * interval

    def polls(self, first_seconds: float, last_seconds: float) -> FloatArray:
        """The instants of KEDA's own polls from ``first_seconds`` to ``last_seconds``, both in."""
        first = math.ceil(first_seconds / self.polling_interval_seconds - 1e-9)
        last = math.floor(last_seconds / self.polling_interval_seconds + 1e-9)
        return np.arange(first, last + 1, dtype=np.float64) * self.polling_interval_seconds


def falls_back(failed: BoolArray, failure_threshold: int) -> BoolArray:
    """Whether KEDA speaks for the trigger at each reading, from which readings failed, in order.

    Both arrays have shape (readings,). It does from the reading on by which more than
    ``failure_threshold`` failed in a row, until one succeeds.

    >>> falls_back(np.array([True, True, True, True, False, True]), 3).tolist()
    [False, False, False, True, False, False]
    """
    position = np.arange(1, len(failed) + 1)
    last_success = np.maximum.accumulate(np.where(failed, 0, position))
    speaks: BoolArray = position - last_success > failure_threshold
    return speaks & failed
