"""How a workload turns traffic into replicas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from forecaster.durations import format_duration
from forecaster.planning.limits import LONGEST_HOLD_DOWN, MOST_REPLICAS
from forecaster.traffic.history import FloatArray

__all__ = ["IntArray", "Mode", "ScalingRule", "replicas_for", "wanted_replicas"]

IntArray = NDArray[np.int64]

# 4,120 / 120 * 120 must not become one replica more by the last bit of a float.
_ROUNDING = 1e-9
# A power of two that int64 holds, however absurd the capacity; 2**63 - 1 as a float is too much.
_COUNTABLE = 2.0**62


class Mode(StrEnum):
    """What is done with a target: serve it, only show it, or do nothing."""

    ACTIVE = "active"
    SHADOW = "shadow"
    OFF = "off"


@dataclass(frozen=True)
class ScalingRule:
    """One workload's way from traffic to replicas.

    ``capacity_rps`` is the traffic that one replica serves at its target utilisation;
    ``lead_time`` runs from "value served" to "pod ready"; ``quantile`` is the risk;
    ``hold_down`` is how long a higher target outlives the need, 24 h at the most; 0 by default, for
    the HPA's own window of 300 s on the way down comes on top, and both together cost slack.
    ValueError begins with the name of a bad field.
    """

    capacity_rps: float
    lead_time: timedelta = timedelta(minutes=5)
    quantile: float = 0.98
    min_replicas: int = 1
    max_replicas: int = 100
    hold_down: timedelta = timedelta(0)
    mode: Mode = Mode.ACTIVE

    def __post_init__(self) -> None:
        if not (math.isfinite(self.capacity_rps) and self.capacity_rps > 0):
            raise ValueError(f"capacity_rps must be above 0, not {self.capacity_rps:g}")
        if not 0 < self.quantile < 1:
            raise ValueError(f"quantile must lie between 0 and 1, not {self.quantile}")
        if self.lead_time <= timedelta(0):
            raise ValueError(f"lead_time must be above 0, not {format_duration(self.lead_time)}")
        if self.hold_down < timedelta(0):
            raise ValueError(f"hold_down must be 0s or more, not {format_duration(self.hold_down)}")
        if self.hold_down > LONGEST_HOLD_DOWN:
            raise ValueError(
                f"hold_down must be at most {format_duration(LONGEST_HOLD_DOWN)}, "
                f"not {format_duration(self.hold_down)}"
            )
        if self.min_replicas < 0:
            raise ValueError(f"min_replicas must be 0 or more, not {self.min_replicas}")
        if not 1 <= self.max_replicas <= MOST_REPLICAS:
            raise ValueError(
                f"max_replicas must lie between 1 and {MOST_REPLICAS:,}, not {self.max_replicas:,}"
            )
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"min_replicas must not be above max_replicas, "
                f"not {self.min_replicas} and {self.max_replicas}"
            )

    def lead_steps(self, step: timedelta) -> int:
        """The n of the lead window, max(1, ceil(lead_time / step)); it has n + 1 intervals.

        >>> ScalingRule(1.0, timedelta(minutes=5)).lead_steps(timedelta(minutes=2))
        3
        """
        return max(1, -(-self.lead_time // step))

    def hold_steps(self, step: timedelta) -> int:
        """How many steps a higher target is held: ceil(hold_down / step)."""
        return -(-self.hold_down // step)


def replicas_for(rate_rps: FloatArray, rule: ScalingRule) -> IntArray:
    """ceil(traffic / capacity), within the minimum and the maximum.

    >>> replicas_for(np.array([0.0, 4120.0, 4200.0]), ScalingRule(capacity_rps=120)).tolist()
    [1, 35, 35]
    """
    within: IntArray = np.clip(
        wanted_replicas(rate_rps, rule), rule.min_replicas, rule.max_replicas
    )
    return within


def wanted_replicas(rate_rps: FloatArray, rule: ScalingRule) -> IntArray:
    """ceil(traffic / capacity), whatever the limits; a number beyond 2^62 counts as 2^62.

    >>> wanted_replicas(np.array([0.0, 4120.0, np.inf]), ScalingRule(capacity_rps=120)).tolist()
    [0, 35, 4611686018427387904]
    """
    with np.errstate(over="ignore"):  # beyond all floats is infinite, and clipped
        wanted = np.ceil(np.asarray(rate_rps) / rule.capacity_rps * (1 - _ROUNDING))
    return np.clip(wanted, 0.0, _COUNTABLE).astype(np.int64)
