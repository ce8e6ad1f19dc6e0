"""Quantiles of traffic to replicas.

capacity.py, hold.py   the arithmetic, over arrays: the replay's as well
plan.py       the outlook's targets, two days ahead
live.py       the lead peak, while it is fresh
event_floor.py   what events declare as a floor under both
planner.py    which of the two speaks
target.py     the answer, with its reasons
snapshot.py   all that serving reads
"""

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
