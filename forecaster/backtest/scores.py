"""From forecasts and what came true to scores: origins are laid end to end, then the losses speak.

Over several series, WAPE and pinball weigh by traffic; MASE and coverage weigh every step alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.backtest.baselines import seasonal_steps
from forecaster.backtest.losses import coverage, mase, pinball, seasonal_naive_scale, wape
from forecaster.backtest.rolling_origin import OriginForecast
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "HORIZON_BLOCKS",
    "BaselineScores",
    "HorizonScores",
    "JudgedOrigin",
    "OutlookScores",
    "judge",
    "score",
]

HORIZON_BLOCKS = ((0, 1), (1, 6), (6, 12), (12, 24))
"""Hours after the cutoff: a step belongs to the block in which it starts."""


@dataclass(frozen=True, eq=False)
class JudgedOrigin:
    """The forecasts of one origin beside what came true, in the input's unit.

    Arrays have shape (steps,), ``forecasts`` (len(quantiles), steps). ``median`` is the 0.5
    quantile. ``baselines`` holds None for one that did not speak here. ``mase_scale`` is that of
    the series before its first cutoff; NaN where the MASE has no meaning.
    """

    series_id: str
    cutoff: datetime
    step: timedelta
    model: str
    quantiles: tuple[float, ...]
    observed: FloatArray
    forecasts: FloatArray
    median: FloatArray
    baselines: Mapping[str, FloatArray | None]
    mase_scale: float

    @property
    def hours_ahead(self) -> FloatArray:
        """From the cutoff to the start of every step."""
        return np.arange(len(self.observed), dtype=np.float64) * (self.step / timedelta(hours=1))


@dataclass(frozen=True)
class BaselineScores:
    """A rival, over the ``origins`` at which it spoke; ``by_horizon`` is its WAPE."""

    wape: float
    mase: float
    origins: int
    by_horizon: Mapping[str, float]


@dataclass(frozen=True)
class HorizonScores:
    """The outlook within one block of the horizon."""

    wape: float
    coverage: Mapping[float, float]


@dataclass(frozen=True)
class OutlookScores:
    """How the outlook did, and its rivals over the same steps.

    ``pinball`` is in the input's unit, ``scaled_pinball`` in units of the MASE's scale. ``models``
    counts the origins at which each model spoke.
    """

    wape: float
    mase: float
    pinball: float
    scaled_pinball: float
    coverage: Mapping[float, float]
    by_horizon: Mapping[str, HorizonScores]
    baselines: Mapping[str, BaselineScores]
    models: Mapping[str, int]
    origins: int
    observed_steps: int

    @property
    def model(self) -> str:
        """The model that spoke at most origins."""
        return max(self.models, key=lambda name: self.models[name])


def judge(
    series: TrafficSeries,
    forecasts: Sequence[OriginForecast],
    quantiles: Sequence[float],
    per_rps: float = 1.0,
) -> tuple[JudgedOrigin, ...]:
    """One series' forecasts beside what came true, in order of cutoff.

    ``quantiles`` are those to score, each one trained; ``per_rps`` turns requests per second into
    the input's unit.
    """
    ordered = sorted(forecasts, key=lambda one: one.cutoff)
    training = series.rate_rps[: series.index_of(ordered[0].cutoff)]
    season = seasonal_steps(len(training) * series.step, series.step)
    scale = seasonal_naive_scale(training, season) * per_rps
    judged = []
    for one in ordered:
        first = series.index_of(one.cutoff)
        judged.append(
            JudgedOrigin(
                series_id=series.series_id,
                cutoff=one.cutoff,
                step=one.step,
                model=one.model,
                quantiles=tuple(quantiles),
                observed=series.rate_rps[first : first + one.steps] * per_rps,
                forecasts=np.vstack([one.at(q) for q in quantiles]) * per_rps,
                median=one.at(0.5) * per_rps,
                baselines={
                    **{name: values * per_rps for name, values in one.baselines.items()},
                    **dict.fromkeys(one.silent),
                },
                mase_scale=scale if scale > 0 else float("nan"),
            )
        )
    return tuple(judged)


def score(origins: Sequence[JudgedOrigin]) -> OutlookScores:
    """The scores over all origins of one or several series; ValueError without any."""
    if not origins:
        raise ValueError("there is no origin to score")
    quantiles = origins[0].quantiles
    observed = np.concatenate([one.observed for one in origins])
    median = np.concatenate([one.median for one in origins])
    forecasts = np.hstack([one.forecasts for one in origins])
    scale = np.concatenate([np.full(len(one.observed), one.mase_scale) for one in origins])
    blocks = _blocks(origins)
    return OutlookScores(
        wape=wape(observed, median),
        # Divided by its own scale step by step, every series counts alike.
        mase=mase(observed / scale, median / scale, 1.0),
        pinball=pinball(observed, forecasts, quantiles),
        scaled_pinball=pinball(observed / scale, forecasts / scale, quantiles),
        coverage=_coverage(observed, forecasts, quantiles),
        by_horizon={
            name: HorizonScores(
                wape(observed[rows], median[rows]),
                _coverage(observed[rows], forecasts[:, rows], quantiles),
            )
            for name, rows in blocks.items()
        },
        baselines={
            name: _baseline(name, origins)
            for name in sorted({name for one in origins for name in one.baselines})
        },
        models=dict(sorted(Counter(one.model for one in origins).items())),
        origins=len(origins),
        observed_steps=int((~np.isnan(observed)).sum()),
    )


def _baseline(name: str, origins: Sequence[JudgedOrigin]) -> BaselineScores:
    spoken = [(one, values) for one in origins if (values := one.baselines.get(name)) is not None]
    if not spoken:
        return BaselineScores(float("nan"), float("nan"), 0, {})
    kept = [one for one, _ in spoken]
    observed = np.concatenate([one.observed for one in kept])
    forecast = np.concatenate([values for _, values in spoken])
    scale = np.concatenate([np.full(len(one.observed), one.mase_scale) for one in kept])
    return BaselineScores(
        wape=wape(observed, forecast),
        mase=mase(observed / scale, forecast / scale, 1.0),
        origins=len(kept),
        by_horizon={
            block: wape(observed[rows], forecast[rows]) for block, rows in _blocks(kept).items()
        },
    )


def _blocks(origins: Sequence[JudgedOrigin]) -> dict[str, NDArray[np.bool_]]:
    hours = np.concatenate([one.hours_ahead for one in origins])
    blocks = {f"{start}-{end}h": (hours >= start) & (hours < end) for start, end in HORIZON_BLOCKS}
    return {name: rows for name, rows in blocks.items() if rows.any()}


def _coverage(
    observed: FloatArray, forecasts: FloatArray, quantiles: Sequence[float]
) -> dict[float, float]:
    return {q: coverage(observed, row) for q, row in zip(quantiles, forecasts, strict=True)}
