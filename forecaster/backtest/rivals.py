"""Day-ahead paths of the forecasters that people use today, as rivals of the outlook."""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd

from forecaster.backtest.baselines import Baseline
from forecaster.backtest.span import ReplaySpan
from forecaster.errors import ForecastError, HistoryTooShort
from forecaster.models.day_grid import make_day_grid
from forecaster.models.zoo import fill_gaps, forecast_holt_winters
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["holt_winters", "prophet", "prophet_installed", "rolling_path"]

_DAY = timedelta(days=1)
_PROPHET_STEP = timedelta(minutes=15)
_PROPHET_DAYS = 56


def rolling_path(span: ReplaySpan, rival: Baseline, every: timedelta = _DAY) -> FloatArray:
    """The rival's path over the span, shape (steps,): a new forecast ``every`` so often.

    Each is made from what had ended at its cutoff. Where one fails (too little history, a model
    that gives up) its steps are NaN; what is not about forecasting, such as a missing library, is
    raised.
    """
    series = span.series
    stride = max(1, round(every / series.step))
    path = np.full(len(span), np.nan)
    for begin in range(0, len(span), stride):
        steps = min(stride, len(span) - begin)
        known = series.before(series.start + (span.first + begin) * series.step)
        if known is not None:
            try:
                path[begin : begin + steps] = rival(known, steps)
            except (ForecastError, HistoryTooShort):
                continue
    return path


def holt_winters(known: TrafficSeries, steps: int) -> FloatArray:
    """Holt-Winters, additive, with the day as its season; requests per second, shape (steps,).

    Raises HistoryTooShort below two days, ForecastError where the model gives up.
    """
    return forecast_holt_winters(known, steps)


def prophet_installed() -> bool:
    """Whether Prophet can be imported."""
    return find_spec("prophet") is not None


def prophet(known: TrafficSeries, steps: int) -> FloatArray:
    """Prophet with a daily and, from 15 days on, a weekly season, on the last 56 days.

    At 15-minute steps, or the trace's own where that is coarser. Raises ModuleNotFoundError, with
    what to install, where Prophet is not; HistoryTooShort below two days.
    """
    if not prophet_installed():
        raise ModuleNotFoundError(
            "prophet is not installed; install preroll[bench], or leave the policy out"
        )
    grid = make_day_grid(known)
    size = max(_PROPHET_STEP, grid.bin)
    rows = fill_gaps(grid.rates[-_PROPHET_DAYS:], round(_DAY / size))
    if rows is None or len(rows) < 2:
        raise HistoryTooShort(f"{known.series_id}: prophet needs two days of traffic")
    points = -(-steps * known.step // size)
    coarse = _fit_prophet(rows, size, points)
    middles = (np.arange(points) + 0.5) * (size / known.step) - 0.5
    path: FloatArray = np.interp(np.arange(steps), middles, np.maximum(coarse, 0.0))
    return path


def _fit_prophet(rows: FloatArray, size: timedelta, points: int) -> FloatArray:
    logging.getLogger("cmdstanpy").disabled = True
    # A Monday; rows are counted back from the cutoff, so only the phases matter.
    stamps = pd.date_range("2024-01-01", periods=rows.size + points, freq=size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = import_module("prophet").Prophet(
            daily_seasonality=True,
            weekly_seasonality=len(rows) >= 15,
            yearly_seasonality=False,
            uncertainty_samples=0,
        )
        model.fit(pd.DataFrame({"ds": stamps[: rows.size], "y": rows.ravel()}))
        told = model.predict(pd.DataFrame({"ds": stamps[rows.size :]}))
    coarse: FloatArray = told["yhat"].to_numpy(dtype=np.float64)
    return coarse
