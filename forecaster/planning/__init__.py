"""Quantiles of traffic to replicas."""

from forecaster.planning.capacity import IntArray, Mode, ScalingRule, replicas_for
from forecaster.planning.plan import Held, Plan, Target, build_plan

__all__ = [
    "Held",
    "IntArray",
    "Mode",
    "Plan",
    "ScalingRule",
    "Target",
    "build_plan",
    "replicas_for",
]
