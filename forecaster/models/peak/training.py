"""Past traffic to a lead-peak model: location, scale, and scores of windows it did not learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.durations import format_duration
from forecaster.errors import HistoryTooShort
from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_track import EventTrack
from forecaster.models.peak.boosting import BoostingConfig, cross_fit
from forecaster.models.peak.event_features import looks_ahead
from forecaster.models.peak.features import (
    Decisions,
    decisions_at,
    epsilon_rps,
    expected_rise,
    feature_matrix,
)
from forecaster.models.peak.forest import Forest
from forecaster.models.peak.model import LeadPeakModel, Taught
from forecaster.models.peak.online import OnlineCalibration, gain_per_step
from forecaster.models.peak.window import lead_peaks
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "DEFAULT_LEVELS",
    "LEAST_ROWS",
    "SCORE_PLACES",
    "FittedRows",
    "PeakConfig",
    "TeachingRows",
    "fit_rows",
    "spread",
    "teaching_rows",
    "train_lead_peak",
    "usable_rows",
]

DEFAULT_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
LOCATION_TREES = BoostingConfig(rounds=100)
SCALE_TREES = BoostingConfig(rounds=60)
_DAY = timedelta(days=1)
LEAST_ROWS = 300
SCORE_PLACES = (np.arange(1000) + 0.5) / 1000
_LEAST_SIZE = 1e-4  # of an error, before its logarithm


@dataclass(frozen=True)
class PeakConfig:
    """How a lead-peak model is trained.

    ``levels`` are the quantiles whose online calibration is followed; ``days`` how much of the past
    teaches; ``rows`` how many decisions are drawn from it at the most; ``folds`` how many parts
    of the past are each foretold by a model of the others. Decisions count by their traffic to the
    power of ``traffic_weight``: what is short at the evening's peak is more than at night.
    ``least_past`` are the pairs (lead windows, time that they span) one of which a model of its own
    needs: with less, the one that others taught was calibrated better on real traces.
    """

    levels: tuple[float, ...] = DEFAULT_LEVELS
    days: int = 42
    rows: int = 30_000
    folds: int = 3
    traffic_weight: float = 0.5
    location: BoostingConfig = LOCATION_TREES
    scale: BoostingConfig = SCALE_TREES
    calibration_days: int = 14
    least_past: tuple[tuple[int, timedelta], ...] = ((600, 2 * _DAY), (LEAST_ROWS, 7 * _DAY))


@dataclass(frozen=True, eq=False)
class TeachingRows:
    """Decisions of the past with what came: all of shape (rows,), ``features`` (rows, features).

    ``log_rise`` is log(lead peak + ε) − log(now + ε), less what events were expected to raise it
    by; ``block`` is the day that a row belongs to.
    """

    features: NDArray[np.float32]
    log_rise: FloatArray
    weight: FloatArray
    block: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.log_rise)


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The forests, and the score of each row from forests that did not learn it."""

    location: Forest
    scale: Forest
    score: FloatArray = field(repr=False)


def train_lead_peak(
    series: TrafficSeries,
    cutoff: datetime,
    path: DayAheadPath | None,
    lead_steps: int,
    config: PeakConfig = PeakConfig(),
    track: EventTrack | None = None,
) -> LeadPeakModel:
    """Train on the intervals that ended by ``cutoff``; takes a second or two.

    ``path`` is :attr:`TrainedOutlook.path` of the same cutoff; where events are known it knows of
    none of them, and ``track`` is :attr:`TrainedWithEvents.track`. Raises HistoryTooShort where
    fewer lead windows were lived through than ``config`` asks for, ForecastError without LightGBM.
    """
    known = series.before(cutoff)
    first = cutoff - config.days * _DAY
    recent = known.since(first) if known is not None else None
    if recent is None:
        raise HistoryTooShort(f"{series.series_id}: no traffic before {cutoff:%Y-%m-%d %H:%M} UTC")
    everything = usable_rows(recent, lead_steps)
    lived = track if track is not None and track.moved_before(recent.end) else None
    if lived is not None:  # where the onset of an event speaks, nobody asks the forests
        near = lived.near_onset(recent.start, len(recent) + 1, lead_steps)
        everything = everything[~near[everything]]
    steps = int(everything[-1] - everything[0]) + 1 if len(everything) else 0
    span = steps * series.step
    if not any(len(everything) >= count and span >= least for count, least in config.least_past):
        enough = ", or ".join(
            f"{count} over {format_duration(least)}" for count, least in config.least_past
        )
        raise HistoryTooShort(
            f"{series.series_id}: {len(everything)} whole lead windows of "
            f"{format_duration((lead_steps + 1) * series.step)} over {format_duration(span)}"
            f"{' without an onset of an event' if lived is not None else ''} were observed before "
            f"{cutoff:%Y-%m-%d %H:%M} UTC; a lead-peak model of its own needs {enough}"
        )
    chosen = spread(everything, config.rows)
    taught = teaching_rows(recent, path, lead_steps, chosen, config.traffic_weight, lived)
    fitted = fit_rows(taught, config)
    calibration = OnlineCalibration(
        config.levels,
        np.quantile(fitted.score, config.levels),
        gain_per_step(series.step) * _stride(chosen),
    )
    last = chosen >= len(recent) - config.calibration_days * round(_DAY / series.step)
    calibration.learn_all(fitted.score[last])
    return LeadPeakModel(
        series_id=series.series_id,
        cutoff=recent.end,
        step=series.step,
        lead_steps=lead_steps,
        taught=Taught.OWN,
        location=fitted.location,
        scale=fitted.scale,
        score_quantiles=np.quantile(fitted.score, SCORE_PLACES),
        highest_rps=_highest(recent),
        path=None if path is None else path.since(recent.end - timedelta(hours=4)),
        levels=config.levels,
        offsets=calibration.offset,
        knows_events=lived is not None,
        uplift=None if track is None else track.uplift,
    )


def teaching_rows(
    series: TrafficSeries,
    path: DayAheadPath | None,
    lead_steps: int,
    rows: NDArray[np.int64],
    traffic_weight: float,
    track: EventTrack | None = None,
) -> TeachingRows:
    """The decisions at positions ``rows``, each with what was known then and what came."""
    epsilon = epsilon_rps(series.step)
    peaks = lead_peaks(series.rate_rps, lead_steps, whole=False)[rows]
    parts = [
        feature_matrix(
            _own_day(decisions_at(series, path, lead_steps, part, track), len(series), part)
        )
        for part in np.array_split(rows, max(1, len(rows) // 4096))
    ]
    now = series.rate_rps[rows - 1]
    level = np.log(np.fmax(now, peaks) + epsilon)
    weight = np.exp(traffic_weight * (level - level.max()))
    day = round(_DAY / series.step)
    features = np.concatenate(parts)
    return TeachingRows(
        features,
        np.log(peaks + epsilon) - np.log(now + epsilon) - expected_rise(features),
        weight / weight.mean(),
        rows // max(1, min(day, (int(rows[-1]) + 1) // 6)),
    )


def _own_day(decisions: Decisions, end: int, rows: NDArray[np.int64]) -> Decisions:
    """The decisions without what the path says beyond their own day, counted back from ``end``.

    The next day's path was made with the traffic between the decision and that day's start.
    """
    day = round(_DAY / decisions.step)
    left = (end - rows) % day
    left = np.where(left == 0, day, left)
    ahead = np.arange(decisions.path_ahead.shape[1])
    known = np.where(ahead[None, :] < left[:, None], decisions.path_ahead, np.nan)
    events = decisions.events
    if events is not None:
        reach = looks_ahead(decisions.step, decisions.lead_steps)
        events = np.where(reach[None, :] <= left[:, None], events, np.nan)
    return replace(decisions, path_ahead=known, events=events)


def fit_rows(taught: TeachingRows, config: PeakConfig = PeakConfig()) -> FittedRows:
    """Forests from rows of one or many workloads.

    The location is the mean of the forests of all folds, each learnt without one part of the days;
    a row's score comes from the one that did not learn its day. The scale is the typical
    size of those errors, learnt on the same features.
    """
    fold = _folds(taught.block, config.folds)
    location = cross_fit(taught.features, taught.log_rise, taught.weight, fold, config.location)
    error = taught.log_rise - location.foretold
    size = np.log(np.abs(error) + _LEAST_SIZE)
    scale = cross_fit(taught.features, size, taught.weight, fold, config.scale)
    return FittedRows(location.forest, scale.forest, error / np.exp(scale.foretold))


def _folds(block: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Whole blocks in turn; rows in turn where there are too few blocks with rows for that."""
    blocks, place = np.unique(block, return_inverse=True)
    if len(blocks) < 2:
        return np.arange(len(block)) * folds // len(block)
    found: NDArray[np.int64] = place % min(folds, len(blocks))
    return found


def usable_rows(series: TrafficSeries, lead_steps: int) -> NDArray[np.int64]:
    """Positions whose last interval was observed and whose window was lived through."""
    now = np.concatenate([[np.nan], series.rate_rps[:-1]])
    whole = ~np.isnan(lead_peaks(series.rate_rps, lead_steps)) & ~np.isnan(now)
    some = ~np.isnan(lead_peaks(series.rate_rps, lead_steps, whole=False)) & ~np.isnan(now)
    # Where nearly every window has a hole, windows with holes are what there is to learn from.
    chosen = whole if whole.sum() >= 0.3 * some.sum() else some
    return np.flatnonzero(chosen)


def spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """``most`` of the rows, evenly over time, the latest among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _stride(rows: Sequence[int] | NDArray[np.int64]) -> float:
    spacing = np.diff(np.asarray(rows))
    return float(np.median(spacing)) if len(spacing) else 1.0


def _highest(series: TrafficSeries) -> float:
    last = series.since(series.end - 28 * _DAY)
    values = series.rate_rps if last is None else last.rate_rps
    seen = values[~np.isnan(values)]
    return float(seen.max()) if len(seen) else float("nan")
