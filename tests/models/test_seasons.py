from __future__ import annotations

import numpy as np
import pytest

from forecaster.models.day_grid import make_day_grid
from forecaster.models.seasons import find_seasons
from forecaster.traffic.history import TrafficSeries


def days_of(days: int, *, weekend: float, seed: int, daily: float = 1.0) -> np.ndarray:
    """Log traffic of so many days by half-hours, with a slow random level, noise, and weekends."""
    rng = np.random.default_rng(seed)
    shape = daily * np.sin(np.arange(48) / 48 * 2 * np.pi)
    level = np.cumsum(rng.normal(0, 0.05, days))
    lift = np.where(np.arange(days) % 7 >= 5, weekend, 0.0)
    return shape[None, :] + (level + lift)[:, None] + rng.normal(0, 0.2, (days, 48))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("days", [15, 21, 28, 56, 84])
def test_a_series_with_only_a_daily_season_is_not_given_a_weekly_one(days: int, seed: int) -> None:
    seasons = find_seasons(days_of(days, weekend=0.0, seed=seed))
    assert seasons.day
    assert not seasons.week, seasons.reason


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("days", [21, 28, 56, 84])
def test_weekends_make_a_weekly_season(days: int, seed: int) -> None:
    seasons = find_seasons(days_of(days, weekend=-0.7, seed=seed))
    assert seasons.day
    assert seasons.week, seasons.reason


@pytest.mark.parametrize("seed", range(4))
def test_noise_around_a_level_has_no_season(seed: int) -> None:
    seasons = find_seasons(days_of(28, weekend=0.0, seed=seed, daily=0.0))
    assert not seasons.day
    assert not seasons.week
    assert "none found" in seasons.reason


def test_two_weeks_are_too_few_to_tell_a_week_and_the_reason_says_so() -> None:
    seasons = find_seasons(days_of(14, weekend=-1.0, seed=1))
    assert not seasons.week
    assert "15 are needed" in seasons.reason


def test_one_day_is_taken_as_a_day_and_the_reason_says_so() -> None:
    seasons = find_seasons(days_of(1, weekend=0.0, seed=1))
    assert seasons.day
    assert "assumed" in seasons.reason


def test_gaps_do_not_hide_the_seasons() -> None:
    log_rates = days_of(42, weekend=-0.7, seed=3)
    log_rates[np.random.default_rng(2).random(log_rates.shape) < 0.3] = np.nan
    log_rates[10] = np.nan
    seasons = find_seasons(log_rates)
    assert seasons.day
    assert seasons.week


def test_the_tournament_has_days_and_no_weeks(tournament: TrafficSeries) -> None:
    grid = make_day_grid(tournament)
    seasons = find_seasons(np.log(grid.rates + 1 / 60))
    assert seasons.day
    assert not seasons.week
