"""The outlook of one workload: candidates, rolling origins, a blend of the best, quantiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.durations import format_duration
from forecaster.errors import HistoryTooShort
from forecaster.models.blend import Blend, CandidateScore, blend_candidates, path_known_then
from forecaster.models.calibration import Residuals, assumed_offsets, conformal_offsets
from forecaster.models.candidates import LEADS, make_candidates
from forecaster.models.day_grid import DAY, DayGrid, make_day_grid
from forecaster.models.day_path import DayAheadPath
from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.models.seasons import find_seasons
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["CandidateScore", "OutlookConfig", "TrainedOutlook", "train_outlook"]

# Errors tell of sizes that were seen. What is far beyond everything seen is a guess about a tail,
# and a guess must not ask for every node there is.
_CEILING = 2.0
_RESIDUALS = 40_000  # more do not move a 0.99 quantile
# The median is the point forecast as well, and the bias of a few weeks is noise as often as truth.
_MEDIAN_SHIFT = 0.5


@dataclass(frozen=True)
class OutlookConfig:
    """How an outlook is trained.

    ``horizon`` is how far it reaches, three days at the most; ``short_penalty`` is how many times
    worse too little is than too much when candidates are compared; ``timezone`` is where the
    audience lives (IANA), which matters around DST changes; ``zoo`` lets statsforecast's models
    take part.
    """

    quantiles: tuple[float, ...] = DEFAULT_QUANTILES
    horizon: timedelta = timedelta(hours=48)
    short_penalty: float = 2.0
    timezone: str = "UTC"
    zoo: bool = True

    def __post_init__(self) -> None:
        if not timedelta(0) < self.horizon <= 3 * DAY:
            raise ValueError(f"horizon must lie within 3 days, not {self.horizon}")
        if not self.quantiles or not all(0 < q < 1 for q in self.quantiles):
            raise ValueError(f"quantiles must lie between 0 and 1, not {self.quantiles}")
        if self.short_penalty <= 0:
            raise ValueError(f"short_penalty must be above 0, not {self.short_penalty}")


@dataclass(frozen=True)
class TrainedOutlook:
    """An outlook and the scorecard behind it, best candidate first.

    ``path`` is the day-ahead path of the past, each day as it was foretold from what ended before
    it, and of the days ahead: what the lead peak learns from.
    """

    outlook: Outlook
    scorecard: tuple[CandidateScore, ...]
    path: DayAheadPath


def train_outlook(
    series: TrafficSeries,
    cutoff: datetime,
    config: OutlookConfig = OutlookConfig(),
    progress: Callable[[int, int], None] | None = None,
) -> TrainedOutlook:
    """Train on the intervals that ended by ``cutoff`` and look ``config.horizon`` ahead.

    The outlook starts at ``cutoff`` rounded down to the series' grid; where history ends earlier it
    bridges the hole. ``progress`` is told how many parts of the work are done, and of how many.
    Raises HistoryTooShort with less than a day of observed traffic, ForecastError for a step above
    6 h.
    """
    known = _known(series, cutoff)
    grid = make_day_grid(known, config.timezone)
    log_rates = np.log(grid.rates + grid.epsilon)
    seasons = find_seasons(log_rates)
    steps = -(-config.horizon // series.step)
    lead, column = grid.ahead(steps)
    candidates = make_candidates(
        grid, log_rates, seasons, int(lead.max()), zoo=config.zoo, progress=progress
    )
    blend = blend_candidates(candidates, log_rates, grid.epsilon, config.short_penalty)
    quantiles = tuple(sorted(set(config.quantiles) | {0.5}))
    rates, calibrated = _quantile_paths(grid, blend, quantiles, lead, column)
    keep = [quantiles.index(q) for q in sorted(set(config.quantiles))]
    reasons = [seasons.reason, blend.reason, calibrated, *_gap_reasons(grid)]
    outlook = Outlook(
        series_id=series.series_id,
        cutoff=known.end,
        start=known.end,
        step=series.step,
        quantiles=tuple(sorted(set(config.quantiles))),
        rate_rps=rates[keep],
        model=blend.name,
        reasons=tuple(reason for reason in reasons if reason),
    )
    past = path_known_then(candidates, log_rates, grid.epsilon, config.short_penalty)
    path = _joined_path(known, grid, past, blend.ahead[lead - 1, column])
    return TrainedOutlook(outlook, blend.scorecard, path)


def _joined_path(
    known: TrafficSeries, grid: DayGrid, past: FloatArray, log_ahead: FloatArray
) -> DayAheadPath:
    """Past and future on the series' own grid; what no origin foretold is NaN."""
    log_past = past[grid.row, grid.column]
    spoken = np.flatnonzero(~np.isnan(log_past))
    first = int(spoken[0]) if len(spoken) else len(log_past)
    rates = np.maximum(np.exp(np.concatenate([log_past[first:], log_ahead])) - grid.epsilon, 0.0)
    start = known.end - (len(log_past) - first) * known.step
    return DayAheadPath(start, known.step, rates.astype(np.float32))


def _known(series: TrafficSeries, cutoff: datetime) -> TrafficSeries:
    known = series.before(cutoff)
    bounds = known.observed_bounds() if known is not None else None
    if known is None or bounds is None:
        raise HistoryTooShort(
            f"{series.series_id}: no traffic was observed before {cutoff:%Y-%m-%d %H:%M} UTC; "
            f"an outlook needs at least 24 h of it"
        )
    first, last = bounds
    span = (last - first) * series.step
    if span < DAY:
        raise HistoryTooShort(
            f"{series.series_id}: {format_duration(span)} of traffic before "
            f"{cutoff:%Y-%m-%d %H:%M} UTC; an outlook needs at least 24 h"
        )
    behind = cutoff - known.end
    padding = behind // series.step if behind >= series.step else 0
    values = known.rate_rps[first:]
    if padding:
        values = np.concatenate([values, np.full(padding, np.nan)])
    trimmed = TrafficSeries(
        series.series_id, known.start + first * series.step, series.step, values
    )
    if np.isnan(trimmed.rate_rps[-int(28 * DAY / series.step) :]).all():
        raise HistoryTooShort(
            f"{series.series_id}: no traffic was observed in the 28 days before "
            f"{cutoff:%Y-%m-%d %H:%M} UTC"
        )
    return trimmed


def _quantile_paths(
    grid: DayGrid,
    blend: Blend,
    quantiles: tuple[float, ...],
    lead: NDArray[np.int64],
    column: NDArray[np.int64],
) -> tuple[FloatArray, str]:
    """Traffic per second, (quantiles, steps), and how the quantiles were found."""
    epsilon = grid.epsilon
    log_native = np.log(grid.native_rps + epsilon)
    offsets, told = [], ""
    for ahead in range(1, LEADS + 1):
        residuals = _residuals(grid, blend, log_native, ahead)
        if residuals is None:
            offsets.append(assumed_offsets(quantiles, grid.bins))
            told = told or "quantiles: no past error is known yet, a usual spread is assumed"
        else:
            found = conformal_offsets(residuals, quantiles, ahead)
            found[quantiles.index(0.5)] *= _MEDIAN_SHIFT
            offsets.append(found)
            told = (
                told or f"quantiles: conformal, from the errors of {residuals.observed_days} days"
            )
    spread = _between_days(offsets, grid, len(lead), column)
    log_path = blend.ahead[lead - 1, column]
    rates = np.maximum(np.exp(log_path[None, :] + spread) - epsilon, 0.0)
    rates[rates < 1e-6 * epsilon] = 0.0
    ceiling = _CEILING * max(_recent_peak(grid), float((np.exp(log_path) - epsilon).max()))
    if rates.max() > ceiling:
        told += f"; held below {ceiling:,.4g} rps, {_CEILING:g} times the highest of 28 days"
    return np.sort(np.minimum(rates, ceiling), axis=0), told


def _recent_peak(grid: DayGrid) -> float:
    recent = grid.native_rps[grid.row >= grid.days - 28]
    seen = recent[~np.isnan(recent)]
    return float(seen.max()) if len(seen) else 0.0


def _between_days(
    offsets: list[FloatArray], grid: DayGrid, steps: int, column: NDArray[np.int64]
) -> FloatArray:
    """Offsets per step, (quantiles, steps): they widen gradually, not at once where a day ends.

    The errors of a day ahead stand for its middle, 12 and 36 hours after the cutoff.
    """
    hours = np.arange(steps) * (grid.step / timedelta(hours=1))
    second = np.clip((hours - 12) / 24, 0.0, 1.0)
    between: FloatArray = (1 - second) * offsets[0][:, column] + second * offsets[1][:, column]
    return between


def _residuals(grid: DayGrid, blend: Blend, log_native: FloatArray, ahead: int) -> Residuals | None:
    past = blend.past[min(ahead, len(blend.past)) - 1]
    error = log_native - past[grid.row, grid.column]
    seen = np.flatnonzero(~np.isnan(error))
    if len(seen) < 2:
        return None
    seen = seen[:: max(1, len(seen) // _RESIDUALS)]
    return Residuals(error[seen], grid.row[seen], grid.column[seen], grid.days, grid.bins)


def _gap_reasons(grid: DayGrid) -> list[str]:
    never = np.isnan(grid.rates).all(axis=0)
    reasons = []
    if never.any():
        reasons.append(
            f"gaps: nothing was ever observed at {never.mean():.0%} of the day; there the outlook "
            "joins its neighbours"
        )
    if grid.bin > grid.step:
        reasons.append(
            f"resolution: fitted at {format_duration(grid.bin)}, quantiles from errors at "
            f"{format_duration(grid.step)}"
        )
    return reasons
