"""Day-ahead rivals at the finest step they can afford, each with 56 days of the past."""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta

import numpy as np

from forecaster.models.day_grid import make_day_grid
from forecaster.models.zoo import fill_gaps
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["RIVALS", "installed_rivals", "rival_path"]

RIVALS = ("MSTL", "MFLES", "AutoTheta", "Prophet")
_FINEST = timedelta(minutes=15)
_DAYS = 56


def installed_rivals() -> tuple[str, ...]:
    try:
        import prophet  # noqa: F401
    except ImportError:
        return RIVALS[:-1]
    return RIVALS


def rival_path(name: str, known: TrafficSeries, steps: int) -> FloatArray:
    """The rival's forecast per step, traffic per second, interpolated from its own coarser step."""
    grid = make_day_grid(known)
    size = max(_FINEST, grid.bin)
    per_day = round(timedelta(days=1) / size)
    rows = fill_gaps(grid.rates[-_DAYS:], per_day)
    if rows is None:
        raise ValueError(f"{known.series_id}: nothing to learn from")
    points = -(-steps * known.step // size)
    weekly = len(rows) >= 15
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coarse = (
            _prophet(rows, size, points, weekly)
            if name == "Prophet"
            else _statsforecast(name, rows, points, weekly)
        )
    centres = (np.arange(points) + 0.5) * (size / known.step) - 0.5
    return np.interp(np.arange(steps), centres, np.maximum(coarse, 0.0))


def _statsforecast(name: str, rows: FloatArray, points: int, weekly: bool) -> FloatArray:
    from statsforecast import models

    day = rows.shape[1]
    seasons = [day, 7 * day] if weekly else [day]
    model = {
        "MSTL": lambda: models.MSTL(season_length=seasons),
        "MFLES": lambda: models.MFLES(season_length=seasons),
        "AutoTheta": lambda: models.AutoTheta(season_length=day),
    }[name]()
    return np.asarray(model.forecast(y=rows.ravel(), h=points)["mean"], dtype=np.float64)


def _prophet(rows: FloatArray, size: timedelta, points: int, weekly: bool) -> FloatArray:
    import pandas as pd
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True
    stamps = pd.date_range("2024-01-01", periods=rows.size + points, freq=size)
    model = Prophet(
        daily_seasonality=True,
        weekly_seasonality=weekly,
        yearly_seasonality=False,
        uncertainty_samples=0,
    )
    model.fit(pd.DataFrame({"ds": stamps[: rows.size], "y": rows.ravel()}))
    return model.predict(pd.DataFrame({"ds": stamps[rows.size :]}))["yhat"].to_numpy()
