"""Preroll: the lead peak's quantile and declared floors through the production planner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import numpy as np

from forecaster.backtest.hpa import (
    DEFAULT_SCALE_UP,
    PolicyType,
    ScaleBehavior,
    ScalePolicy,
)
from forecaster.backtest.policies.base import Floor, Setting, check_utilisation, served_floor
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.events import Event
from forecaster.planning.capacity import ScalingRule, replicas_for
from forecaster.planning.event_floor import served_floors
from forecaster.planning.hold import hold
from forecaster.traffic.history import FloatArray

__all__ = ["EXAMPLE_BEHAVIOR", "Preroll"]

EXAMPLE_BEHAVIOR = ScaleBehavior(
    scale_up=replace(
        DEFAULT_SCALE_UP,
        policies=(ScalePolicy(PolicyType.PODS, 1000, 15),),
        tolerance_ratio=0.0,
    )
)
"""The behavior of deploy/examples/scaledobject.yaml: no dead band upwards, all pods at once."""


@dataclass(frozen=True, eq=False)
class Preroll:
    """The lead peak's ``quantile`` as a floor, and an HPA for what it did not foresee.

    ``lead_peak_rps`` has shape (steps of the span,): at the start of each step, that quantile of
    the lead window's highest traffic, from what had ended by then. 0 is "no floor", NaN "I don't
    know": the metric fails, as on a 503. ``hold_down`` is the planner's, on top of the HPA's own
    window on the way down. ``behavior`` is its own ScaledObject's, for example
    :data:`EXAMPLE_BEHAVIOR`; None: the same as all others.

    The HPA beneath acts at a replica's whole capacity, as in the example ScaledObject, where the
    CPU trigger stands at the utilisation that capacity was measured at: at the usual one it would
    ask for more than the floor does at nearly all times.

    ``events`` are those of the workload in the span: what they declare as floors raises what is
    needed, and is served where the forecast does not know, as the planner does it.
    """

    quantile: float
    lead_peak_rps: FloatArray
    utilisation: float | None = 1.0
    hold_down: timedelta = ScalingRule.hold_down
    behavior: ScaleBehavior | None = None
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1:
            raise ValueError(f"quantile must lie between 0 and 1, not {self.quantile}")
        check_utilisation(self.utilisation)

    @property
    def name(self) -> str:
        """``preroll``."""
        return "preroll"

    @property
    def setting(self) -> Setting:
        """The quantile, the utilisation of the HPA beneath, and the planner's hold-down."""
        return {
            "quantile": self.quantile,
            "utilisation": self.utilisation,
            "hold_down_seconds": self.hold_down.total_seconds(),
        }

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        """The planner's replicas, held down; ValueError where the row has another length."""
        if self.lead_peak_rps.shape != (len(span),):
            raise ValueError(
                f"lead_peak_rps: one value for each of {len(span)} steps is needed, "
                f"not the shape {self.lead_peak_rps.shape}"
            )
        rule = settings.rule(self.quantile, self.hold_down)
        unknown = np.isnan(self.lead_peak_rps)
        needed = replicas_for(np.where(unknown, 0.0, self.lead_peak_rps), rule)
        step = span.series.step
        declared = served_floors(self.events, rule, span.at(0.0), step, span.known_rps)
        needed = np.maximum(needed, declared)
        floor = served_floor(hold(needed, rule.hold_steps(step)), unknown & (declared == 0))
        return replace(floor, behavior=self.behavior)

    def variants(self) -> tuple[Self, ...]:
        """Itself: each quantile is a forecast of its own, given as a policy of its own."""
        return (self,)
