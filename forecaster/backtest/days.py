"""Two replays of one span beside each other, day by day of the audience's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from forecaster.backtest.replay import PolicyReplay
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan

__all__ = ["ComparedDay", "compare_days", "worse_days"]

_NOTICEABLE = 1e-4


@dataclass(frozen=True)
class ComparedDay:
    """One calendar day: what ours and theirs left unserved, as ratios of that day's traffic."""

    day: date
    ours: float
    theirs: float

    @property
    def worse(self) -> bool:
        """Whether ours left more unserved, by at least 0.01 % of the day's traffic."""
        return self.ours - self.theirs >= _NOTICEABLE


def compare_days(
    span: ReplaySpan,
    settings: ReplaySettings,
    ours: PolicyReplay,
    theirs: PolicyReplay,
    timezone: str = "UTC",
) -> tuple[ComparedDay, ...]:
    """Every day with observed traffic, in order; days are those of the clock in ``timezone``.

    With 100 needed replicas over a day, 1 of which ours had not, and 2 theirs: 0.01 and 0.02.
    """
    start = pd.Timestamp(span.at(0.0))
    stamps = pd.date_range(start, periods=len(span), freq=span.series.step).tz_convert(timezone)
    days, row = np.unique(stamps.date, return_inverse=True)
    needed = np.where(span.observed, settings.needed(span.rate_rps), 0.0)
    traffic, lost, missed = (
        np.bincount(row, values, len(days))
        for values in (
            needed,
            np.where(span.observed, ours.short, 0.0),
            np.where(span.observed, theirs.short, 0.0),
        )
    )
    return tuple(
        ComparedDay(day, float(own / total), float(other / total))
        for day, total, own, other in zip(days, traffic, lost, missed, strict=True)
        if total > 0
    )


def worse_days(days: Sequence[ComparedDay]) -> tuple[ComparedDay, ...]:
    """The days on which ours was worse, the worst first."""
    found = [one for one in days if one.worse]
    return tuple(sorted(found, key=lambda one: (one.theirs - one.ours, one.day)))
