"""Quantiles of traffic to replicas."""

from forecaster.planning.capacity import IntArray, Mode, ScalingRule, replicas_for
from forecaster.planning.plan import Plan, build_plan
from forecaster.planning.target import Held, Source, Target

__all__ = [
    "Held",
    "IntArray",
    "Mode",
    "Plan",
    "ScalingRule",
    "Source",
    "Target",
    "build_plan",
    "replicas_for",
]
