"""The outlook: quantiles of traffic per step for the next two days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecaster.traffic.history import FloatArray

__all__ = ["DEFAULT_QUANTILES", "Outlook"]

DEFAULT_QUANTILES = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, eq=False)
class Outlook:
    """Quantiles of one workload's traffic from ``start`` on.

    ``cutoff`` is the last instant whose data was used. ``rate_rps`` has shape
    (len(quantiles), steps), in requests per second, and does not decrease along the quantiles.
    ``model`` names what spoke; ``reasons`` say in words why, and what was left out.
    """

    series_id: str
    cutoff: datetime
    start: datetime
    step: timedelta
    quantiles: tuple[float, ...]
    rate_rps: FloatArray
    model: str
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.array(self.rate_rps, dtype=np.float64)
        if values.ndim != 2 or values.shape[0] != len(self.quantiles) or values.shape[1] == 0:
            raise ValueError(
                f"rate_rps: ({len(self.quantiles)}, steps) is needed, not {values.shape}"
            )
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ValueError(f"{self.series_id}: an outlook must be finite and not negative")
        if list(self.quantiles) != sorted(set(self.quantiles)):
            raise ValueError(f"quantiles must rise: {self.quantiles}")
        if (np.diff(values, axis=0) < 0).any():
            raise ValueError(f"{self.series_id}: quantiles cross")
        values.setflags(write=False)
        object.__setattr__(self, "rate_rps", values)
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "cutoff", self.cutoff.astimezone(UTC))

    def __len__(self) -> int:
        return int(self.rate_rps.shape[1])

    @property
    def end(self) -> datetime:
        """The end of the last interval."""
        return self.start + len(self) * self.step

    @property
    def times(self) -> pd.DatetimeIndex:
        """The start of every interval, UTC."""
        return pd.date_range(self.start, periods=len(self), freq=self.step, unit="ns")

    def index_of(self, instant: datetime) -> int:
        """The position of the interval that holds ``instant``; may lie outside."""
        return (instant - self.start) // self.step

    def at(self, quantile: float) -> FloatArray:
        """One quantile per step, in requests per second.

        Between two known quantiles the value is interpolated on the normal scale
        (z = Φ⁻¹(quantile)); ValueError outside of the known ones: nothing is extrapolated.
        """
        if quantile in self.quantiles:
            known: FloatArray = self.rate_rps[self.quantiles.index(quantile)]
            return known
        low, high = self.quantiles[0], self.quantiles[-1]
        if not low < quantile < high:
            raise ValueError(f"quantile {quantile} is outside of the outlook's {low} to {high}")
        above = int(np.searchsorted(self.quantiles, quantile))
        z_low, z_high = ndtri(self.quantiles[above - 1]), ndtri(self.quantiles[above])
        weight = (ndtri(quantile) - z_low) / (z_high - z_low)
        row: FloatArray = (1 - weight) * self.rate_rps[above - 1] + weight * self.rate_rps[above]
        return row
