"""Everything that may foretell a day, with what it would have said on the days that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecaster.models.day_grid import DayGrid
from forecaster.models.profile_features import ProfileFeatures, profile_features
from forecaster.models.seasonal_regression import MEMBERS, SeasonalRegression
from forecaster.models.seasons import Seasons
from forecaster.models.zoo import ZooModel, fit_coarse, refine, zoo_models
from forecaster.traffic.history import FloatArray

__all__ = ["LEADS", "ORIGINS", "Candidate", "make_candidates"]

ORIGINS = 42  # days of the past on which candidates are compared and errors collected
LEADS = 2  # days ahead whose past errors are kept: the first and the second


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to foretell a day, in log space.

    ``past[k]`` has shape (days, bins): row r as foretold k + 1 days ahead, NaN where it was not.
    ``ahead`` has shape (days ahead, bins). ``reason`` says what was done to afford it.
    """

    name: str
    past: tuple[FloatArray, ...]
    ahead: FloatArray
    reason: str | None = None


def make_candidates(
    grid: DayGrid,
    log_rates: FloatArray,
    seasons: Seasons,
    days_ahead: int,
    *,
    zoo: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Candidate]:
    """All candidates; the first is the profile, against which the others are measured.

    ``progress`` is told how many fits of library models are done, and how many there are.
    """
    flat = not seasons.day
    features = {
        (season, lead): profile_features(log_rates, lead, season, flat=flat)
        for season in {seasons.days, 1}
        for lead in range(1, max(days_ahead, LEADS) + 1)
    }
    candidates = [
        _member(MEMBERS[index], name, season, features, log_rates, days_ahead)
        for index, name, season in _lineup(seasons)
    ]
    season = 7 if grid.days >= 14 else 1
    candidates.append(_naive("seasonal_naive", season, grid, log_rates, candidates[0], days_ahead))
    if season == 7:
        candidates.append(_naive("yesterday", 1, grid, log_rates, candidates[0], days_ahead))
    if zoo and grid.days >= 3:
        # Its seasonal naive is the same as ours, at a coarser step.
        models = [model for model in zoo_models().values() if model.name != "SeasonalNaive"]
        done, total = 0, sum(len(_origins(model, grid)) for model in models)
        for model in models:
            if candidate := _zoo(model, grid, seasons, candidates[0], days_ahead):
                candidates.append(candidate)
            done += len(_origins(model, grid))
            if progress:
                progress(done, total)
    return candidates


def _lineup(seasons: Seasons) -> list[tuple[int, str, int]]:
    own = [(index, member.name, seasons.days) for index, member in enumerate(MEMBERS)]
    return [*own, (0, "profile_daily", 1)] if seasons.week else own


def _member(
    member: SeasonalRegression,
    name: str,
    season: int,
    features: dict[tuple[int, int], ProfileFeatures],
    log_rates: FloatArray,
    days_ahead: int,
) -> Candidate:
    days = len(log_rates)
    past, ahead = [], []
    for lead in range(1, max(days_ahead, LEADS) + 1):
        first = max(1, days - ORIGINS) if lead <= LEADS else days
        origins = np.arange(first, days + 1)
        paths = member.forecast(log_rates, features[season, lead], lead, origins)
        if lead <= days_ahead:
            ahead.append(paths[-1])
        if lead <= LEADS:
            past.append(_by_row(paths, origins + lead - 1, log_rates.shape))
    return Candidate(name, tuple(past), np.array(ahead))


def _naive(
    name: str,
    season: int,
    grid: DayGrid,
    log_rates: FloatArray,
    profile: Candidate,
    days_ahead: int,
) -> Candidate:
    """The same time ``season`` days earlier; where that is a gap, the profile."""
    days = grid.days
    past, ahead = [], []
    for lead in range(1, max(days_ahead, LEADS) + 1):
        # The latest row of the same phase that is known ``lead`` rows ahead.
        back = season * -(-lead // season)
        rows = np.arange(max(lead, days - ORIGINS), days + lead)
        source = rows - back
        paths = np.where((source >= 0)[:, None], log_rates[np.clip(source, 0, days - 1)], np.nan)
        if lead <= days_ahead:
            ahead.append(np.where(np.isnan(paths[-1]), profile.ahead[lead - 1], paths[-1]))
        if lead <= LEADS:
            made = _by_row(paths, rows, log_rates.shape)
            past.append(np.where(np.isnan(made), profile.past[lead - 1], made))
    return Candidate(name, tuple(past), np.array(ahead))


def _zoo(
    model: ZooModel, grid: DayGrid, seasons: Seasons, profile: Candidate, days_ahead: int
) -> Candidate | None:
    reach = max(days_ahead, LEADS)
    past = [np.full((grid.days, grid.bins), np.nan) for _ in range(LEADS)]
    shapes = [np.maximum(np.exp(path) - grid.epsilon, 0.0) for path in profile.past]
    coarse: FloatArray | None = None
    for origin in _origins(model, grid):
        coarse = fit_coarse(model, grid, seasons, origin, reach)
        if coarse is None:
            return None
        for lead in range(1, min(LEADS, grid.days - origin) + 1):
            row = origin + lead - 1
            if np.isfinite(shapes[lead - 1][row]).all():
                fine = refine(coarse[lead - 1 : lead], shapes[lead - 1][row][None, :])
                past[lead - 1][row] = np.log(fine[0] + grid.epsilon)
    if coarse is None:
        return None
    # The last origin was the cutoff itself.
    shape = np.maximum(np.exp(profile.ahead) - grid.epsilon, 0.0)
    fine = refine(coarse[:days_ahead], shape)
    return Candidate(model.name, tuple(past), np.log(fine + grid.epsilon), model.reason)


def _origins(model: ZooModel, grid: DayGrid) -> range:
    """Where a model is fitted: at its latest rolling origins, and at the cutoff."""
    return range(max(2, grid.days - model.origins), grid.days + 1)


def _by_row(paths: FloatArray, rows: np.ndarray, shape: tuple[int, ...]) -> FloatArray:
    made = np.full(shape, np.nan)
    inside = rows < shape[0]
    made[rows[inside]] = paths[inside]
    return made
