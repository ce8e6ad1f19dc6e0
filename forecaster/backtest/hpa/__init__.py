"""A simulated Horizontal Pod Autoscaler with KEDA in front, true to a recorded one.

``simulate`` runs one over a trace; ``HpaController`` is the rule itself, one sync at a time.
"""

from forecaster.backtest.hpa.controller import HpaController
from forecaster.backtest.hpa.keda import Fallback, FallbackBehavior, Keda
from forecaster.backtest.hpa.metrics import (
    AverageValueMetric,
    Band,
    Metric,
    ResourceMetric,
    ValueMetric,
)
from forecaster.backtest.hpa.pods import Pods, StartUpTime
from forecaster.backtest.hpa.signals import Feedback, Signal, Source
from forecaster.backtest.hpa.simulation import Simulation, simulate
from forecaster.backtest.hpa.spec import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    HpaSpec,
    PolicyType,
    ScaleBehavior,
    ScalePolicy,
    ScaleRules,
    SelectPolicy,
)
from forecaster.backtest.hpa.timeline import ReplicaTimeline

__all__ = [
    "DEFAULT_SCALE_DOWN",
    "DEFAULT_SCALE_UP",
    "AverageValueMetric",
    "Band",
    "Fallback",
    "FallbackBehavior",
    "Feedback",
    "HpaController",
    "HpaSpec",
    "Keda",
    "Metric",
    "Pods",
    "PolicyType",
    "ReplicaTimeline",
    "ResourceMetric",
    "ScaleBehavior",
    "ScalePolicy",
    "ScaleRules",
    "SelectPolicy",
    "Signal",
    "Simulation",
    "Source",
    "StartUpTime",
    "ValueMetric",
    "simulate",
]
