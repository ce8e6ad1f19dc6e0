"""The outlook, and each zoo model, as models that statsforecast's ``cross_validation`` drives.

statsforecast hands a model an array and a horizon, nothing that says when. Seasons are counted back
from the end of the array, so none is needed as long as the audience keeps UTC; across a DST change,
use :func:`forecaster.models.train_outlook`, which knows the stamps.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forecaster.models.selection import OutlookConfig, train_outlook
from forecaster.models.zoo import forecast_candidate
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["OutlookModel", "ZooCandidateModel"]

_END = datetime(2024, 1, 1, tzinfo=UTC)  # any instant does


class OutlookModel:
    """The whole outlook (candidates, blend, quantiles) behind statsforecast's model interface.

    ``step`` is the step of the arrays it will be given, in traffic per second, gaps as NaN.

    Use it as ``StatsForecast(models=[OutlookModel(timedelta(minutes=5))], freq="5min")``, then
    ``.cross_validation(df=history.to_frame(), h=288, step_size=288, n_windows=7)``.
    """

    uses_exog = False
    prediction_intervals = None

    def __init__(
        self, step: timedelta, alias: str = "Outlook", config: OutlookConfig | None = None
    ) -> None:
        self.step = step
        self.alias = alias
        self.config = config or OutlookConfig()

    def __repr__(self) -> str:
        return self.alias

    def new(self) -> OutlookModel:
        """An unfitted model with the same parameters."""
        return OutlookModel(self.step, self.alias, self.config)

    def fit(self, y: FloatArray, X: FloatArray | None = None) -> OutlookModel:
        """Keep the past; the work is done when the horizon is known."""
        self._past = np.asarray(y, dtype=np.float64)
        return self

    def predict(
        self, h: int, X: FloatArray | None = None, level: list[float] | None = None
    ) -> dict[str, Any]:
        """Forecast ``h`` steps after the array given to ``fit``."""
        return self.forecast(self._past, h, level=level)

    def forecast(
        self,
        y: FloatArray,
        h: int,
        X: FloatArray | None = None,
        X_future: FloatArray | None = None,
        level: list[float] | None = None,
        fitted: bool = False,
    ) -> dict[str, Any]:
        """``mean`` (the 0.5 quantile) and, for each level, ``lo-`` and ``hi-``, arrays of h values.

        ValueError for ``fitted``: there are no in-sample values, only rolling-origin ones.
        """
        if fitted:
            raise ValueError("no in-sample values are made; use cross_validation")
        tails = {width: (0.5 - width / 200, 0.5 + width / 200) for width in level or []}
        quantiles = sorted({0.5, *(q for pair in tails.values() for q in pair)})
        config = replace(self.config, quantiles=tuple(quantiles), horizon=h * self.step)
        outlook = train_outlook(_series(y, self.step), _END, config).outlook
        answer = {"mean": outlook.at(0.5)}
        for width in sorted(tails):
            answer[f"lo-{width}"] = outlook.at(tails[width][0])
            answer[f"hi-{width}"] = outlook.at(tails[width][1])
        return answer


class ZooCandidateModel:
    """One model of the zoo at the resolution it can afford, behind the same interface."""

    uses_exog = False
    prediction_intervals = None

    def __init__(self, name: str, step: timedelta) -> None:
        self.name = name
        self.step = step
        self.alias = f"{name}-coarse"

    def __repr__(self) -> str:
        return self.alias

    def new(self) -> ZooCandidateModel:
        """An unfitted model with the same parameters."""
        return ZooCandidateModel(self.name, self.step)

    def forecast(
        self,
        y: FloatArray,
        h: int,
        X: FloatArray | None = None,
        X_future: FloatArray | None = None,
        level: list[float] | None = None,
        fitted: bool = False,
    ) -> dict[str, Any]:
        """``mean``: an array of h values. Point forecasts only: ValueError for levels."""
        if level or fitted:
            raise ValueError(f"{self.alias} makes point forecasts only")
        return {"mean": forecast_candidate(self.name, _series(y, self.step), h)}


def _series(y: FloatArray, step: timedelta) -> TrafficSeries:
    return TrafficSeries("y", _END - len(y) * step, step, np.asarray(y, dtype=np.float64))
