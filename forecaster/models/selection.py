"""The outlook of one workload: candidates, rolling origin, choice, quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.errors import HistoryTooShort
from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.traffic.history import TrafficSeries

__all__ = ["OutlookConfig", "TrainedOutlook", "train_outlook"]


@dataclass(frozen=True)
class CandidateScore:
    """How one candidate did over the rolling origins."""

    model: str
    loss: float
    wape: float
    resolution: timedelta
    weight: float = 0.0


@dataclass(frozen=True)
class OutlookConfig:
    """How an outlook is trained.

    ``horizon`` is how far it reaches; ``short_penalty`` is how many times worse too little is than
    too much; ``timezone`` is where the audience lives (IANA), which matters around DST changes.
    """

    quantiles: tuple[float, ...] = DEFAULT_QUANTILES
    horizon: timedelta = timedelta(hours=48)
    short_penalty: float = 2.0
    timezone: str = "UTC"


@dataclass(frozen=True)
class TrainedOutlook:
    """An outlook and the scorecard behind it, best candidate first."""

    outlook: Outlook
    scorecard: tuple[CandidateScore, ...]


def train_outlook(
    series: TrafficSeries, cutoff: datetime, config: OutlookConfig = OutlookConfig()
) -> TrainedOutlook:
    """Train on the intervals that ended by ``cutoff`` and look ``config.horizon`` ahead.

    The outlook starts at ``cutoff`` rounded down to the series' grid.
    Raises HistoryTooShort with less than a day of observed traffic.
    """
    known = series.before(cutoff)
    if known is None or known.span < timedelta(days=1):
        raise HistoryTooShort(f"{series.series_id}: at least 24 h of traffic are needed")
    day = int(timedelta(days=1) / series.step)
    steps = -(-config.horizon // series.step)
    last_day = np.nan_to_num(known.rate_rps[-day:])
    base = np.resize(last_day, steps)
    rates = np.vstack([base * (0.5 + q) for q in config.quantiles])
    outlook = Outlook(
        series.series_id, known.end, known.end, series.step, config.quantiles, rates, "placeholder"
    )
    return TrainedOutlook(outlook, ())
