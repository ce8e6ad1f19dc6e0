"""Losses: pure functions on arrays; what was not observed (NaN) is not scored.

``observed`` and ``forecast`` share one shape and one unit. A loss that has nothing to say, because
nothing was observed or its denominator is 0, is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.traffic.history import FloatArray

__all__ = ["coverage", "mase", "pinball", "seasonal_naive_scale", "wape"]


def wape(observed: FloatArray, forecast: FloatArray) -> float:
    """Weighted absolute percentage error: Σ|y − ŷ| / Σy over the observed steps, as a ratio.

    >>> wape(np.array([10.0, 30.0, np.nan]), np.array([12.0, 24.0, 99.0]))  # (2 + 6) / 40
    0.2
    """
    y, f = _scored(observed, forecast)
    total = y.sum()
    return float(np.abs(y - f).sum() / total) if total > 0 else float("nan")


def seasonal_naive_scale(training: FloatArray, season: int) -> float:
    """Mean |y[t] − y[t − season]| within the training part, over pairs observed at both ends.

    The denominator of the MASE with a season: Hyndman and Koehler, "Another look at measures of
    forecast accuracy", International Journal of Forecasting 22 (2006).

    >>> seasonal_naive_scale(np.array([1.0, 5.0, 2.0, 9.0]), season=2)  # (1 + 4) / 2
    2.5
    """
    if season < 1:
        raise ValueError(f"season: a positive number of steps is needed, not {season}")
    differences = np.abs(training[season:] - training[:-season])
    known = differences[~np.isnan(differences)]
    return float(known.mean()) if len(known) else float("nan")


def mase(observed: FloatArray, forecast: FloatArray, scale: float) -> float:
    """Mean absolute scaled error: mean |y − ŷ| over the observed steps, divided by ``scale``.

    ``scale`` is :func:`seasonal_naive_scale` of the training part; below 1 the forecast is better
    than the seasonal naive one was there (Hyndman and Koehler 2006).

    >>> mase(np.array([10.0, 30.0]), np.array([12.0, 24.0]), scale=8.0)  # 4 / 8
    0.5
    """
    y, f = _scored(observed, forecast)
    return float(np.abs(y - f).mean() / scale) if len(y) and scale > 0 else float("nan")


def pinball(observed: FloatArray, forecasts: FloatArray, quantiles: Sequence[float]) -> float:
    """Pinball loss, in the unit of ``observed``: the mean over quantiles and observed steps of
    q · (y − ŷ) where y ≥ ŷ, and (1 − q) · (ŷ − y) otherwise.

    ``forecasts`` has shape (len(quantiles), steps). There is no factor 2: at quantile 0.5 it is
    half of the mean absolute error. Its expectation is least at the true quantile (Gneiting and
    Raftery, "Strictly proper scoring rules", JASA 102, 2007).

    >>> pinball(np.array([10.0]), np.array([[8.0], [14.0]]), (0.5, 0.9))  # (0.5*2 + 0.1*4) / 2
    0.7
    """
    if forecasts.shape != (len(quantiles), len(observed)):
        raise ValueError(
            f"forecasts: ({len(quantiles)}, {len(observed)}) is needed, not {forecasts.shape}"
        )
    seen = ~np.isnan(observed)
    if not seen.any():
        return float("nan")
    over = observed[seen] - forecasts[:, seen]
    q = np.asarray(quantiles)[:, np.newaxis]
    return float(np.maximum(q * over, (q - 1) * over).mean())


def coverage(observed: FloatArray, forecast: FloatArray) -> float:
    """The share of observed steps whose traffic is at most the forecast quantile.

    A calibrated 0.9 quantile has a coverage of 0.9.

    >>> coverage(np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 2.0, 2.0, 2.0]))
    0.6666666666666666
    """
    y, f = _scored(observed, forecast)
    return float((y <= f).mean()) if len(y) else float("nan")


def _scored(observed: FloatArray, forecast: FloatArray) -> tuple[FloatArray, FloatArray]:
    if observed.shape != forecast.shape:
        raise ValueError(f"observed has shape {observed.shape}, the forecast {forecast.shape}")
    seen = ~np.isnan(observed)
    return observed[seen], forecast[seen]
