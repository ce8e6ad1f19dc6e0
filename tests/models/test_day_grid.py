from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from forecaster.errors import ForecastError
from forecaster.models.day_grid import bin_size, make_day_grid
from forecaster.traffic.history import TrafficSeries


def series(start: datetime, step: timedelta, rates: np.ndarray) -> TrafficSeries:
    return TrafficSeries("a/b", start, step, rates)


def test_a_row_is_a_day_that_ends_at_the_cutoff() -> None:
    start = datetime(2026, 1, 1, 7, 20, tzinfo=UTC)
    rates = np.arange(3 * 288, dtype=float)
    grid = make_day_grid(series(start, timedelta(minutes=5), rates))
    assert grid.rates.shape == (3, 288)
    np.testing.assert_array_equal(grid.rates.ravel(), rates)


def test_minutes_are_averaged_into_five_minute_bins_and_gaps_left_out() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rates = np.arange(1440, dtype=float)
    rates[:5] = np.nan
    rates[6] = np.nan
    grid = make_day_grid(series(start, timedelta(minutes=1), rates))
    assert grid.rates.shape == (1, 288)
    assert np.isnan(grid.rates[0, 0])
    assert grid.rates[0, 1] == pytest.approx(np.mean([5, 7, 8, 9]))
    assert grid.rates[0, 2] == pytest.approx(np.mean([10, 11, 12, 13, 14]))


def test_every_observed_value_knows_its_bin() -> None:
    start = datetime(2026, 1, 1, 0, 3, tzinfo=UTC)
    rates = np.random.default_rng(1).uniform(0, 9, 2 * 1440 + 77)
    grid = make_day_grid(series(start, timedelta(minutes=1), rates))
    by_loop: dict[tuple[int, int], list[float]] = {}
    for row, column, rate in zip(grid.row, grid.column, grid.native_rps, strict=True):
        by_loop.setdefault((int(row), int(column)), []).append(float(rate))
    for cell, values in by_loop.items():
        assert grid.rates[cell] == pytest.approx(np.mean(values))
    assert np.isnan(grid.rates).sum() == grid.rates.size - len(by_loop)


@pytest.mark.parametrize(
    ("first_day", "last_day"),
    [
        pytest.param(datetime(2026, 3, 20), datetime(2026, 4, 8), id="spring"),
        pytest.param(datetime(2026, 10, 15), datetime(2026, 11, 4), id="autumn"),
    ],
)
def test_a_programme_at_eight_in_the_evening_stays_in_its_bin_across_a_dst_change(
    first_day: datetime, last_day: datetime
) -> None:
    paris = ZoneInfo("Europe/Paris")
    start = first_day.replace(tzinfo=paris).astimezone(UTC)
    end = last_day.replace(tzinfo=paris).astimezone(UTC)
    step = timedelta(minutes=30)
    stamps = [start + i * step for i in range((end - start) // step)]
    rates = np.array([9.0 if s.astimezone(paris).hour == 20 else 1.0 for s in stamps])
    local = make_day_grid(series(start, step, rates), "Europe/Paris")
    assert (local.rates[:, 40:42] == 9.0).all()
    assert (local.rates[:, :40][~np.isnan(local.rates[:, :40])] == 1.0).all()
    plain = make_day_grid(series(start, step, rates), "UTC")
    assert not (plain.rates[:, :] == plain.rates[0]).all()


def test_the_horizon_follows_the_wall_clock_across_a_dst_change() -> None:
    paris = ZoneInfo("Europe/Paris")
    cutoff = datetime(2026, 3, 28, 12, 0, tzinfo=paris).astimezone(UTC)
    step = timedelta(hours=1)
    known = series(cutoff - 48 * step, step, np.ones(48))
    lead, column = make_day_grid(known, "Europe/Paris").ahead(48)
    for i in range(48):
        stamp = (cutoff + i * step).astimezone(paris)
        assert (12 + int(column[i])) % 24 == stamp.hour
        passed = stamp.replace(tzinfo=None) - datetime(2026, 3, 28, 12, 0)
        assert lead[i] == 1 + passed // timedelta(days=1)


def test_a_step_that_does_not_divide_the_day_gets_a_bin_that_does() -> None:
    assert bin_size(timedelta(minutes=1)) == timedelta(minutes=5)
    assert bin_size(timedelta(minutes=15)) == timedelta(minutes=15)
    assert bin_size(timedelta(minutes=7)) == timedelta(minutes=10)
    assert bin_size(timedelta(hours=1)) == timedelta(hours=1)


def test_a_daily_step_is_refused_for_a_day_ahead() -> None:
    with pytest.raises(ForecastError, match="too coarse"):
        bin_size(timedelta(days=1))
