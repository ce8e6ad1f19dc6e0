from __future__ import annotations

import numpy as np
import pytest

from forecaster.models.profile_features import AHEAD, FEATURES, profile_features


def log_rates(days: int = 40, bins: int = 24, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (days, bins)).cumsum(axis=1) / 5


@pytest.mark.parametrize("season", [1, 7])
@pytest.mark.parametrize("lead", [1, 2, 3])
def test_a_row_knows_nothing_of_the_rows_from_its_lead_on(season: int, lead: int) -> None:
    values = log_rates()
    changed = values.copy()
    changed[30:] += 5
    before, after = (profile_features(one, lead, season) for one in (values, changed))
    known = 30 + lead  # row r may use rows up to r - lead
    np.testing.assert_array_equal(before.base[:known], after.base[:known])
    np.testing.assert_array_equal(before.columns[:known], after.columns[:known])
    assert not np.array_equal(before.columns[known], after.columns[known])


def test_the_profile_is_the_weighted_mean_of_the_same_weekdays() -> None:
    values = log_rates(days=35)
    base = profile_features(values, 1, 7).base[35]
    # All weights of ordinary days are near 1; the oracle is a loop without them.
    total, weight = np.zeros(24), 0.0
    for back in (7, 14, 21, 28, 35):
        share = 0.5 ** ((back - 7) / 28)
        total += share * values[35 - back]
        weight += share
    assert np.corrcoef(base, total / weight)[0, 1] > 0.97


def test_a_day_that_surprised_counts_less_in_the_profile() -> None:
    rng = np.random.default_rng(2)
    ordinary = np.sin(np.arange(24) / 4)[None, :] + rng.normal(0, 0.05, (40, 24))
    holiday = ordinary.copy()
    holiday[33] -= 2.0
    base = profile_features(ordinary, 1, 7).base[40]
    haunted = profile_features(holiday, 1, 7).base[40]  # row 40 is the same weekday as row 33
    plain_mean_shift = 2.0 / 5
    assert np.abs(haunted - base).max() < plain_mean_shift / 4


def test_bins_that_were_never_observed_lie_between_their_neighbours() -> None:
    values = np.full((20, 24), 1.0)
    values[:, 12:] = 3.0
    values[:, 6:10] = np.nan
    values[:, 11:13] = np.nan
    base = profile_features(values, 1, 1).base[20]
    np.testing.assert_allclose(base[6:10], 1.0, atol=1e-9)
    assert 1.0 < base[11] < base[12] < 3.0


def test_traffic_without_a_daily_season_gets_a_flat_profile() -> None:
    base = profile_features(log_rates(), 1, 1, flat=True).base
    assert np.ptp(base[-1]) == pytest.approx(0, abs=1e-12)


def test_features_are_finite_ratios_and_one_per_name() -> None:
    values = log_rates()
    values[5] = np.nan
    values[20, 3:9] = np.nan
    made = profile_features(values, 1, 7)
    assert made.columns.shape == (40 + AHEAD, 24, len(FEATURES))
    assert np.isfinite(made.columns[2:]).all()
    shifted = profile_features(values + 3.0, 1, 7)
    np.testing.assert_allclose(made.columns, shifted.columns, atol=1e-9)
