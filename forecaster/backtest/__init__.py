"""The proof: what the outlook would have said, scored on what came true, and what each autoscaler
would have run."""

from forecaster.backtest.baselines import (
    SEASONAL_NAIVE,
    Baseline,
    all_baselines,
    choose_baselines,
    seasonal_naive,
)
from forecaster.backtest.frontier import Frontier, FrontierRow, build_frontier
from forecaster.backtest.measures import Measures, Shortage
from forecaster.backtest.parallel import map_unordered
from forecaster.backtest.policies import (
    EXAMPLE_BEHAVIOR,
    DailyWindow,
    DayAhead,
    Exporter,
    Hpa,
    Policy,
    Preroll,
    Schedule,
)
from forecaster.backtest.replay import POLICY_NAMES, PolicyReplay, replay_oracle, replay_policy
from forecaster.backtest.replay_json import frontier_json, policies_json
from forecaster.backtest.replay_settings import ReplaySettings, auto_capacity
from forecaster.backtest.report import (
    BacktestReport,
    InputUnit,
    SeriesReport,
    build_report,
    forecast_rows,
    report_json,
)
from forecaster.backtest.rolling_origin import (
    Holdout,
    OriginFailure,
    OriginForecast,
    OriginTask,
    RollingOrigin,
    forecast_origin,
    hold_out,
    hold_out_each,
    origin_tasks,
)
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.sweep import UNSERVED_TARGETS, SweepTask, SweptPoint, sweep_all

__all__ = [
    "EXAMPLE_BEHAVIOR",
    "POLICY_NAMES",
    "SEASONAL_NAIVE",
    "UNSERVED_TARGETS",
    "BacktestReport",
    "Baseline",
    "DailyWindow",
    "DayAhead",
    "Exporter",
    "Frontier",
    "FrontierRow",
    "Holdout",
    "Hpa",
    "InputUnit",
    "Measures",
    "OriginFailure",
    "OriginForecast",
    "OriginTask",
    "Policy",
    "PolicyReplay",
    "Preroll",
    "ReplaySettings",
    "ReplaySpan",
    "RollingOrigin",
    "Schedule",
    "SeriesReport",
    "Shortage",
    "SweepTask",
    "SweptPoint",
    "all_baselines",
    "auto_capacity",
    "build_frontier",
    "build_report",
    "choose_baselines",
    "forecast_origin",
    "forecast_rows",
    "frontier_json",
    "hold_out",
    "hold_out_each",
    "map_unordered",
    "origin_tasks",
    "policies_json",
    "replay_oracle",
    "replay_policy",
    "report_json",
    "seasonal_naive",
    "sweep_all",
]
