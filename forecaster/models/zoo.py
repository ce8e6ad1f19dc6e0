"""statsforecast's models, at a step that they can afford. The only importer of statsforecast."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np

from forecaster.durations import format_duration
from forecaster.errors import ForecastError, HistoryTooShort
from forecaster.models.day_grid import DayGrid, make_day_grid
from forecaster.models.seasons import Seasons, find_seasons
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "ZooModel",
    "fill_gaps",
    "fit_coarse",
    "forecast_candidate",
    "forecast_holt_winters",
    "refine",
    "zoo_models",
]

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ZooModel:
    """One model of statsforecast and what it may cost.

    ``build`` takes the season lengths, in points, the longest last; ``days`` is how much of the
    past it is given; ``origins`` at how many of the latest rolling origins it is fitted when models
    are compared, so that a dear model stays within its budget.
    """

    name: str
    build: Callable[[tuple[int, ...]], Any]
    days: int
    origins: int
    step: timedelta = _HOUR

    @property
    def reason(self) -> str:
        """In words, at which resolution and how often it is fitted."""
        return (
            f"{self.name} is fitted on {self.days} days at {format_duration(self.step)} steps, "
            f"compared over {self.origins} origins"
        )


@cache
def zoo_models() -> Mapping[str, ZooModel]:
    """Every model by name. The first call imports statsforecast, which takes a second or two."""
    from statsforecast import models

    listed = [
        ZooModel("SeasonalNaive", lambda s: models.SeasonalNaive(season_length=s[-1]), 28, 14),
        ZooModel("WindowAverage", lambda s: models.WindowAverage(window_size=s[0]), 7, 14),
        ZooModel("AutoETS", lambda s: models.AutoETS(season_length=s[0], model="ZNA"), 14, 2),
        ZooModel("AutoTheta", lambda s: models.AutoTheta(season_length=s[0]), 28, 6),
        ZooModel("MSTL", lambda s: models.MSTL(season_length=list(s)), 56, 3),
        ZooModel("MFLES", lambda s: models.MFLES(season_length=list(s)), 56, 14),
    ]
    return {model.name: model for model in listed}


def forecast_candidate(
    name: str, known: TrafficSeries, steps: int, timezone: str = "UTC"
) -> FloatArray:
    """The path that one zoo model sees from the end of ``known`` on, traffic per second per step.

    The model is fitted at its own coarser step (see :class:`ZooModel`) by the wall clock of
    ``timezone``, and its values are joined by straight lines between the middles of its steps.
    Raises HistoryTooShort below two days, ForecastError where the model gives up.
    """
    return _forecast(zoo_models()[name], known, steps, timezone)


def forecast_holt_winters(known: TrafficSeries, steps: int, timezone: str = "UTC") -> FloatArray:
    """As :func:`forecast_candidate`, of additive Holt-Winters with the day as its season.

    A rival in the replay, and no candidate of the blend.
    """
    from statsforecast import models

    model = ZooModel("HoltWinters", lambda s: models.HoltWinters(season_length=s[0]), 28, 1)
    return _forecast(model, known, steps, timezone)


def _forecast(model: ZooModel, known: TrafficSeries, steps: int, timezone: str) -> FloatArray:
    grid = make_day_grid(known, timezone)
    if grid.days < 2:
        raise HistoryTooShort(f"{known.series_id}: {model.name} needs two days of traffic")
    seasons = find_seasons(np.log(grid.rates + grid.epsilon))
    lead, column = grid.ahead(steps)
    coarse = fit_coarse(model, grid, seasons, grid.days, int(lead.max()))
    if coarse is None:
        raise ForecastError(f"{known.series_id}: {model.name} gave no finite forecast")
    per_day = coarse.shape[1]
    middles = (np.arange(coarse.size) + 0.5) * (grid.bins / per_day)
    path: FloatArray = np.interp((lead - 1) * grid.bins + column + 0.5, middles, coarse.ravel())
    return path


def fit_coarse(
    model: ZooModel, grid: DayGrid, seasons: Seasons, origin: int, days_ahead: int
) -> FloatArray | None:
    """Fit on the rows before ``origin``; shape (days_ahead, points a day), per second.

    None where the model fails or gives something that is not finite: a candidate may drop out.
    """
    per_day = max(1, min(grid.bins, round(timedelta(days=1) / model.step)))
    rows = fill_gaps(grid.rates[max(0, origin - model.days) : origin], per_day)
    if rows is None:
        return None
    lengths = (per_day, 7 * per_day) if seasons.week and len(rows) >= 15 else (per_day,)
    try:
        # Constant traffic makes them divide by zero, and the result is looked at below.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            answer = model.build(lengths).forecast(y=rows.ravel(), h=days_ahead * per_day)
        path = np.asarray(answer["mean"], dtype=np.float64)
    except Exception:  # whatever third-party numerics raise, the other candidates go on
        return None
    if path.shape != (days_ahead * per_day,) or not np.isfinite(path).all():
        return None
    rows_ahead: FloatArray = np.maximum(path, 0.0).reshape(days_ahead, per_day)
    return rows_ahead


def fill_gaps(rates: FloatArray, per_day: int) -> FloatArray | None:
    """Coarser rows without gaps, for models that cannot have them; None where nothing is known.

    A gap takes the value a week, else a day, earlier or later, else the mean at its time of day,
    else the mean of all.
    """
    days, bins = rates.shape
    parts = np.array_split(np.arange(bins), per_day)
    known = ~np.isnan(rates)
    count = np.stack([known[:, part].sum(axis=1) for part in parts], axis=1)
    total = np.stack([np.where(known, rates, 0.0)[:, part].sum(axis=1) for part in parts], axis=1)
    rows = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    for shift in (7, 1, -7, -1):
        if np.isnan(rows).any() and days > abs(shift):
            moved = np.roll(rows, shift, axis=0)
            if shift > 0:
                moved[:shift] = np.nan
            else:
                moved[shift:] = np.nan
            rows = np.where(np.isnan(rows), moved, rows)
    seen = ~np.isnan(rows)
    if not seen.any():
        return None
    by_time = np.divide(
        np.where(seen, rows, 0.0).sum(axis=0),
        seen.sum(axis=0),
        out=np.full(per_day, rows[seen].mean()),
        where=seen.sum(axis=0) > 0,
    )
    full: FloatArray = np.where(seen, rows, by_time)
    return full


def refine(coarse: FloatArray, shape: FloatArray) -> FloatArray:
    """Give coarse values the shape of a finer path with the same means.

    ``coarse`` is (days, points), ``shape`` (days, bins) with bins a multiple of points; both are
    traffic per second.
    """
    days, points = coarse.shape
    blocks = shape.reshape(days, points, -1)
    mean = blocks.mean(axis=2, keepdims=True)
    ratio = np.divide(blocks, mean, out=np.ones_like(blocks), where=mean > 0)
    fine: FloatArray = (coarse[:, :, None] * ratio).reshape(days, -1)
    return fine
