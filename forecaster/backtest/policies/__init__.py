"""The autoscalers that are compared: each a floor, or none, over the same HPA."""

from forecaster.backtest.policies.base import USUAL_UTILISATION, Floor, Policy, Setting
from forecaster.backtest.policies.day_ahead import DAY_AHEAD_NAMES, DayAhead
from forecaster.backtest.policies.exporter import DailyWindow, Exporter, prescale_metric
from forecaster.backtest.policies.hpa_alone import Hpa
from forecaster.backtest.policies.preroll import EXAMPLE_BEHAVIOR, Preroll
from forecaster.backtest.policies.schedule import Schedule

__all__ = [
    "DAY_AHEAD_NAMES",
    "EXAMPLE_BEHAVIOR",
    "USUAL_UTILISATION",
    "DailyWindow",
    "DayAhead",
    "Exporter",
    "Floor",
    "Hpa",
    "Policy",
    "Preroll",
    "Schedule",
    "Setting",
    "prescale_metric",
]
