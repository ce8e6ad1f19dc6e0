"""Forecasts of whole days: the seasonal profile, corrected by a small robust regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.models.profile_features import KEPT_LEVEL, LEVEL, SHAPE, ProfileFeatures
from forecaster.traffic.history import FloatArray

__all__ = ["MEMBERS", "SeasonalRegression"]

_BURN_IN = 3  # rows before this have hardly any past to be forecast from
_WINDOW = 70  # days that teach
_CELLS = 3000  # cells that teach: more do not change the fit, only its time


@dataclass(frozen=True)
class SeasonalRegression:
    """log traffic = profile + Σ weight · feature, by least absolute deviations with a ridge.

    Cells count by their traffic (so that the error counted is the absolute one, as in WAPE) and by
    recency (``half_life_days``); ``ridge`` pulls the weights towards 0, relative to the
    information in the data. The absolute loss is reached by reweighted least squares.
    """

    name: str
    features: tuple[str, ...]
    half_life_days: float
    ridge: float

    def forecast(
        self,
        log_rates: FloatArray,
        features: ProfileFeatures,
        lead: int,
        origins: NDArray[np.int64],
    ) -> FloatArray:
        """For each origin o, which knows the rows before o: log traffic of row o + lead - 1.

        Shape (len(origins), bins); NaN where not even the profile is known.
        """
        days, _ = log_rates.shape
        columns, base = features.pick(self.features), features.base
        teach = _sample(log_rates, base[:days])
        inputs, rest = columns[teach], (log_rates - base[:days])[teach[0], teach[1]]
        weight = np.exp(base[teach] - np.nanmax(base[teach])) if len(rest) else rest
        paths = []
        for origin in origins:
            first = np.searchsorted(teach[0], max(origin - _WINDOW, lead + _BURN_IN))
            last = np.searchsorted(teach[0], origin)
            part = slice(int(first), int(max(first, last)))
            age = origin - 1 - teach[0][part]
            beta = self._fit(
                inputs[part], rest[part], weight[part] * 0.5 ** (age / self.half_life_days)
            )
            row = origin + lead - 1
            paths.append(base[row] + columns[row] @ beta)
        return np.array(paths)

    def _fit(self, inputs: FloatArray, rest: FloatArray, weight: FloatArray) -> FloatArray:
        size = len(self.features)
        if len(rest) < 10 * size:
            return np.zeros(size)
        weight = weight / weight.mean()
        scale = max(float(np.median(np.abs(rest))), 1e-3)
        robust = weight
        beta = np.zeros(size)
        for _ in range(3):
            weighted = inputs * robust[:, None]
            gram = weighted.T @ inputs
            pull = 0.01 * self.ridge * np.trace(gram) / size + 1e-9
            beta = np.linalg.solve(gram + pull * np.eye(size), weighted.T @ rest)
            robust = weight / np.maximum(np.abs(rest - inputs @ beta) / scale, 0.2)
        return beta


def _sample(log_rates: FloatArray, base: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells that teach, row by row: every k-th, at another phase in every row."""
    days, bins = log_rates.shape
    stride = max(1, min(days, _WINDOW) * bins // _CELLS)
    row, column = np.nonzero(~np.isnan(log_rates) & ~np.isnan(base))
    keep = (column + 7 * row) % stride == 0
    return row[keep], column[keep]


MEMBERS = (
    SeasonalRegression("profile", (*LEVEL, *SHAPE), 28.0, 1.0),
    SeasonalRegression("profile_fast", (*LEVEL, "jump", *SHAPE), 5.0, 30.0),
    SeasonalRegression(
        "profile_steady",
        (*KEPT_LEVEL, *SHAPE),
        10.0,
        10.0,
    ),
)
