"""A day-ahead forecast × factor over an HPA: what most predictive scalers do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from forecaster.backtest.policies.base import (
    USUAL_UTILISATION,
    Floor,
    Setting,
    check_factor,
    check_utilisation,
    served_floor,
)
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan, lead_peaks
from forecaster.planning.capacity import replicas_for
from forecaster.traffic.history import FloatArray

__all__ = ["DAY_AHEAD_NAMES", "DayAhead"]

DAY_AHEAD_NAMES = ("outlook", "holt_winters", "prophet")
_FACTORS = (
    0.7,
    0.8,
    0.9,
    1.0,
    1.06,
    1.12,
    1.18,
    1.25,
    1.32,
    1.4,
    1 / USUAL_UTILISATION,
    1.6,
    1.8,
    2.1,
)


@dataclass(frozen=True, eq=False)
class DayAhead:
    """The highest of a forecast path within the lead window × ``factor``, as a floor.

    ``path_rps`` has shape (steps of the span,), each step as it was forecast the day before; NaN
    where no forecast spoke, and the metric fails where a whole lead window is NaN. Near midnight
    a window reaches into a forecast that is some minutes younger than it could be: that is kind.
    The forecast goes through the same target as traffic does, so ``factor`` is 1 / 0.7.
    """

    name: str
    path_rps: FloatArray
    factor: float = 1 / USUAL_UTILISATION
    utilisation: float | None = USUAL_UTILISATION

    def __post_init__(self) -> None:
        if self.name not in DAY_AHEAD_NAMES:
            raise ValueError(
                f"a day-ahead policy is one of {', '.join(DAY_AHEAD_NAMES)}, not {self.name!r}"
            )
        check_factor(self.factor)
        check_utilisation(self.utilisation)

    @property
    def setting(self) -> Setting:
        """The factor, and the utilisation of the HPA beneath."""
        return {"factor": self.factor, "utilisation": self.utilisation}

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        """Replicas for the lead window's peak; ValueError where the path has another length."""
        if self.path_rps.shape != (len(span),):
            raise ValueError(
                f"{self.name}: one value for each of {len(span)} steps is needed, "
                f"not the shape {self.path_rps.shape}"
            )
        peaks = lead_peaks(self.path_rps, settings.lead_steps(span.series.step))
        unknown = np.isnan(peaks)
        rates = np.where(unknown, 0.0, peaks) * self.factor
        return served_floor(replicas_for(rates, settings.rule()), unknown)

    def variants(self) -> tuple[Self, ...]:
        """From four fifths of the forecast to 1.6 times."""
        return tuple(replace(self, factor=factor) for factor in _FACTORS)
