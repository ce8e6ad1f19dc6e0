"""The proof: what the outlook would have said, scored on what came true."""

from forecaster.backtest.baselines import (
    SEASONAL_NAIVE,
    Baseline,
    all_baselines,
    choose_baselines,
    seasonal_naive,
)
from forecaster.backtest.parallel import map_unordered
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

__all__ = [
    "SEASONAL_NAIVE",
    "BacktestReport",
    "Baseline",
    "Holdout",
    "InputUnit",
    "OriginFailure",
    "OriginForecast",
    "OriginTask",
    "RollingOrigin",
    "SeriesReport",
    "all_baselines",
    "build_report",
    "choose_baselines",
    "forecast_origin",
    "forecast_rows",
    "hold_out",
    "hold_out_each",
    "map_unordered",
    "origin_tasks",
    "report_json",
    "seasonal_naive",
]
