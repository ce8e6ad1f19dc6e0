"""One model of many workloads: it serves those that have no history of their own yet.

The features have no scale, so what one workload's rise looks like speaks for another's. Half of the
rows are learnt without the day-ahead path, for a new workload has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from forecaster.errors import HistoryTooShort
from forecaster.models.day_path import DayAheadPath
from forecaster.models.peak.features import FEATURES
from forecaster.models.peak.model import LeadPeakModel, Taught
from forecaster.models.peak.training import (
    LEAST_ROWS,
    SCORE_PLACES,
    PeakConfig,
    TeachingRows,
    fit_rows,
    spread,
    teaching_rows,
    usable_rows,
)
from forecaster.traffic.history import TrafficSeries

__all__ = ["FleetMember", "fleet_rows", "model_of_rows", "train_fleet"]

_DAY = timedelta(days=1)
_LEAST_PER_MEMBER = 50
_PATH_FEATURES = [i for i, name in enumerate(FEATURES) if name.startswith("path_")]


@dataclass(frozen=True, eq=False)
class FleetMember:
    """One workload that teaches: its traffic, its day-ahead path (None: none), and its window."""

    series: TrafficSeries
    path: DayAheadPath | None
    lead_steps: int


def train_fleet(
    histories: Sequence[tuple[TrafficSeries, DayAheadPath | None]],
    cutoff: datetime,
    lead_steps: int,
    config: PeakConfig = PeakConfig(),
) -> LeadPeakModel:
    """A model of all ``histories`` before ``cutoff``, at one step and one lead window.

    ``config.rows`` are drawn from the whole fleet, the same number from each workload and from at
    most one workload for each 50 rows, so that the cost does not grow with the fleet. Raises
    HistoryTooShort where fewer than 300 lead windows were lived through by all of them together.
    """
    members = []
    for series, path in histories:
        known = series.before(cutoff)
        recent = known.since(cutoff - config.days * _DAY) if known is not None else None
        if recent is not None:
            members.append(FleetMember(recent, path, lead_steps))
    rows = fleet_rows(members, config)
    if rows is None or len(rows) < LEAST_ROWS:
        found = 0 if rows is None else len(rows)
        raise HistoryTooShort(
            f"a fleet's model needs {LEAST_ROWS} whole lead windows, its {len(histories)} "
            f"workloads have {found} before {cutoff:%Y-%m-%d %H:%M} UTC"
        )
    step = histories[0][0].step
    return model_of_rows(rows, cutoff, step, lead_steps, Taught.FLEET, config)


def fleet_rows(members: Sequence[FleetMember], config: PeakConfig) -> TeachingRows | None:
    """Rows of all members, each its own block, half of them without a path; None without any."""
    usable = [(one, usable_rows(one.series, one.lead_steps)) for one in members]
    usable = [(one, rows) for one, rows in usable if len(rows)]
    most = max(1, config.rows // _LEAST_PER_MEMBER)
    if len(usable) > most:
        usable = [usable[i] for i in np.linspace(0, len(usable) - 1, most).round().astype(int)]
    if not usable:
        return None
    share = max(_LEAST_PER_MEMBER, config.rows // len(usable))
    parts = []
    for number, (one, rows) in enumerate(usable):
        part = teaching_rows(
            one.series, one.path, one.lead_steps, spread(rows, share), config.traffic_weight
        )
        features = part.features.copy()
        features[np.ix_(np.arange(len(part)) % 2 == 1, _PATH_FEATURES)] = np.nan
        block = np.full(len(part), number) if len(usable) >= config.folds else part.block
        parts.append(replace(part, features=features, block=block))
    return TeachingRows(
        np.concatenate([one.features for one in parts]),
        np.concatenate([one.log_rise for one in parts]),
        np.concatenate([one.weight for one in parts]),
        np.concatenate([one.block for one in parts]),
    )


def model_of_rows(
    rows: TeachingRows,
    cutoff: datetime,
    step: timedelta,
    lead_steps: int,
    taught: Taught,
    config: PeakConfig,
) -> LeadPeakModel:
    """The model that ``rows`` teach, of nobody in particular: see ``for_workload``."""
    fitted = fit_rows(rows, config)
    return LeadPeakModel(
        series_id=taught.value,
        cutoff=cutoff,
        step=step,
        lead_steps=lead_steps,
        taught=taught,
        location=fitted.location,
        scale=fitted.scale,
        score_quantiles=np.quantile(fitted.score, SCORE_PLACES),
        highest_rps=float("nan"),
    )
