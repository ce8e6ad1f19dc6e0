"""What a HorizontalPodAutoscaler is told: the specification, as frozen values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from forecaster.backtest.hpa.keda import Keda
from forecaster.backtest.hpa.metrics import Band, Metric, Tolerance

__all__ = [
    "DEFAULT_SCALE_DOWN",
    "DEFAULT_SCALE_UP",
    "HpaSpec",
    "PolicyType",
    "ScaleBehavior",
    "ScalePolicy",
    "ScaleRules",
    "SelectPolicy",
]


class PolicyType(StrEnum):
    """What a policy counts in."""

    PODS = "Pods"
    PERCENT = "Percent"


class SelectPolicy(StrEnum):
    """Which of several policies rules: the largest change, the smallest, or none at all."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


@dataclass(frozen=True)
class ScalePolicy:
    """At most ``value`` pods (or percent) of change within any ``period_seconds``."""

    type: PolicyType
    value: int
    period_seconds: int

    def __post_init__(self) -> None:
        if self.value < 1:
            raise ValueError(f"a policy's value is at least 1, for example 4, not {self.value}")
        if not 1 <= self.period_seconds <= 1800:
            raise ValueError(
                f"period_seconds is 1 to 1800, for example 15, not {self.period_seconds}"
            )


@dataclass(frozen=True)
class ScaleRules:
    """One direction of ``behavior``. All fields are written out, as the API server would.

    ``tolerance_ratio`` None: the controller's own. To change one field of the defaults:
    ``dataclasses.replace(DEFAULT_SCALE_UP, tolerance_ratio=0.0)``.
    """

    policies: tuple[ScalePolicy, ...]
    stabilization_window_seconds: float
    select_policy: SelectPolicy = SelectPolicy.MAX
    tolerance_ratio: float | None = None

    def __post_init__(self) -> None:
        if not self.policies:
            raise ValueError("policies needs at least one, for example 4 Pods in 15 s")
        if not 0 <= self.stabilization_window_seconds <= 3600:
            raise ValueError(
                "stabilization_window_seconds is 0 to 3600, for example 300, "
                f"not {self.stabilization_window_seconds}"
            )
        if self.tolerance_ratio is not None:
            _check_tolerance(self.tolerance_ratio)

    @property
    def longest_period_seconds(self) -> int:
        """The longest period of the policies."""
        return max(policy.period_seconds for policy in self.policies)


DEFAULT_SCALE_UP = ScaleRules(
    (ScalePolicy(PolicyType.PODS, 4, 15), ScalePolicy(PolicyType.PERCENT, 100, 15)), 0
)
"""Kubernetes' default: 4 pods or 100 % in 15 s, whichever is more, at once."""

DEFAULT_SCALE_DOWN = ScaleRules((ScalePolicy(PolicyType.PERCENT, 100, 15),), 300)
"""Kubernetes' default: all of them in 15 s, to the highest recommendation of 300 s."""


@dataclass(frozen=True)
class ScaleBehavior:
    """``behavior``: a direction that is not written has Kubernetes' defaults."""

    scale_up: ScaleRules = DEFAULT_SCALE_UP
    scale_down: ScaleRules = DEFAULT_SCALE_DOWN


@dataclass(frozen=True)
class HpaSpec:
    """An HPA and the settings of the controller that runs it.

    ``metrics``: the highest wins. ``behavior`` None is not "the defaults" but another, older code
    path: up by ``max(2 × current, 4)`` a sync, and the highest recommendation of the last
    ``downscale_stabilization_seconds`` rules in **both** directions. ``sync_seconds``,
    ``tolerance_ratio`` and ``downscale_stabilization_seconds`` are the controller's flags. ``keda``
    concerns AverageValue metrics only. ``min_replicas`` is at least 1: to and from zero is KEDA's
    work, not the HPA's, and is not simulated. ValueError names a bad field.
    """

    metrics: tuple[Metric, ...]
    min_replicas: int = 1
    max_replicas: int = 100
    behavior: ScaleBehavior | None = None
    sync_seconds: float = 15.0
    tolerance_ratio: float = 0.1
    band: Band = Band.INCLUSIVE
    downscale_stabilization_seconds: float = 300.0
    keda: Keda = field(default_factory=Keda)

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError("metrics needs at least one, for example AverageValueMetric(1)")
        if not 1 <= self.min_replicas <= self.max_replicas:
            raise ValueError(
                "1 <= min_replicas <= max_replicas is needed, for example 1 and 100, "
                f"not {self.min_replicas} and {self.max_replicas}"
            )
        if not 0 < self.sync_seconds < math.inf:
            raise ValueError(f"sync_seconds is above 0, for example 15, not {self.sync_seconds}")
        if not 0 <= self.downscale_stabilization_seconds < math.inf:
            raise ValueError(
                "downscale_stabilization_seconds is not negative, for example 300, "
                f"not {self.downscale_stabilization_seconds}"
            )
        _check_tolerance(self.tolerance_ratio)
        if self.band is Band.DISTANCE and self.tolerance != Tolerance(
            self.tolerance_ratio, self.tolerance_ratio, self.band
        ):
            raise ValueError(
                "controllers that compare by Band.DISTANCE know no tolerance in behavior; "
                "leave ScaleRules.tolerance_ratio None"
            )

    @property
    def tolerance(self) -> Tolerance:
        """The band of each direction: the behavior's where it has one, else the controller's."""
        up = down = self.tolerance_ratio
        if self.behavior is not None:
            if self.behavior.scale_up.tolerance_ratio is not None:
                up = self.behavior.scale_up.tolerance_ratio
            if self.behavior.scale_down.tolerance_ratio is not None:
                down = self.behavior.scale_down.tolerance_ratio
        return Tolerance(down, up, self.band)


def _check_tolerance(ratio: float) -> None:
    if not 0 <= ratio < 1:
        raise ValueError(f"tolerance_ratio is 0 or more and below 1, for example 0.1, not {ratio}")
