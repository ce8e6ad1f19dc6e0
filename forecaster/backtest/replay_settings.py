"""What all policies of a replay share: the workload, its pods, the HPA and the price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from forecaster.backtest.hpa import ScaleBehavior, StartUpTime
from forecaster.backtest.span import ReplaySpan
from forecaster.planning.capacity import IntArray, ScalingRule, wanted_replicas
from forecaster.planning.limits import MOST_REPLICAS
from forecaster.traffic.history import FloatArray

__all__ = ["ReplaySettings", "auto_capacity"]

# A float's last bit is no shortage; the planner rounds by the same.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ReplaySettings:
    """One workload under an HPA.

    ``capacity_rps`` is what one ready replica serves, and all above it is unserved;
    ``lead_time`` is how long a pod takes from "asked for" to "ready", unless
    ``startup_seconds`` has samples that each pod draws from (``seed``). ``tolerance_ratio`` is the
    HPA's dead band (0.1 in a real cluster, 0 "without its dead band"), ``behavior`` the HPA's, None
    for a manifest without one. ``metric_delay_seconds`` is how old the measured traffic is on top
    of the step. ``max_replicas`` binds the policies, never the oracle. ValueError begins with the
    name of a bad field.
    """

    capacity_rps: float
    lead_time: timedelta = ScalingRule.lead_time
    min_replicas: int = 1
    max_replicas: int = MOST_REPLICAS
    tolerance_ratio: float = 0.1
    behavior: ScaleBehavior | None = None
    metric_delay_seconds: float = 0.0
    startup_seconds: tuple[float, ...] = ()
    seed: int = 7
    price_per_replica_hour: float | None = None

    def __post_init__(self) -> None:
        self.rule()
        if self.min_replicas < 1:
            raise ValueError(
                f"min_replicas must be at least 1 in a replay, not {self.min_replicas}"
            )
        if not 0 <= self.tolerance_ratio < 1:
            raise ValueError(
                f"tolerance_ratio must be 0 or more and below 1, for example 0.1, "
                f"not {self.tolerance_ratio}"
            )
        if not 0 <= self.metric_delay_seconds < math.inf:
            raise ValueError(
                f"metric_delay_seconds must be 0 or more, for example 30, "
                f"not {self.metric_delay_seconds}"
            )
        price = self.price_per_replica_hour
        if price is not None and not 0 <= price < math.inf:
            raise ValueError(
                f"price_per_replica_hour must be 0 or more, for example 0.05, not {price}"
            )
        _ = self.startup

    def rule(
        self, quantile: float = ScalingRule.quantile, hold_down: timedelta = ScalingRule.hold_down
    ) -> ScalingRule:
        """The production planner's rule for this workload."""
        return ScalingRule(
            capacity_rps=self.capacity_rps,
            lead_time=self.lead_time,
            quantile=quantile,
            min_replicas=self.min_replicas,
            max_replicas=self.max_replicas,
            hold_down=hold_down,
        )

    @property
    def startup(self) -> StartUpTime:
        """From "asked for" to "ready"."""
        return StartUpTime(self.startup_seconds or self.lead_time.total_seconds())

    def lead_steps(self, step: timedelta) -> int:
        """The n of the lead window: pods asked for at step i serve the whole of step i + n."""
        return self.rule().lead_steps(step)

    def needed(self, rate_rps: FloatArray) -> FloatArray:
        """Traffic over capacity, not rounded, in the shape of ``rate_rps``; NaN stays NaN."""
        return rate_rps / self.capacity_rps * (1 - _ROUNDING)

    def oracle_replicas(self, span: ReplaySpan) -> IntArray:
        """Exactly what each step needs, shape (steps,); a gap has what the step before it had.

        Gaps at the very beginning have what the first observed step needs.
        """
        rates, seen = span.rate_rps, span.observed
        last_seen = np.maximum.accumulate(np.where(seen, np.arange(len(span)), -1))
        filled = rates[np.where(last_seen < 0, int(np.argmax(seen)), last_seen)]
        return np.maximum(wanted_replicas(filled, self.rule()), self.min_replicas)


def auto_capacity(span: ReplaySpan, replicas: int = 100) -> float:
    """The capacity, in requests per second, at which the span's peak needs ``replicas`` replicas.

    ValueError where all observed traffic is 0.
    """
    peak = float(np.nanmax(span.rate_rps))
    if peak <= 0:
        raise ValueError(
            f"{span.series.series_id} had no traffic from {span.start}; "
            "give the capacity of a replica, for example 120 rps"
        )
    return peak / replicas
