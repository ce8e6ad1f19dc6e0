from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from forecaster.models.calibration import Residuals, assumed_offsets, conformal_offsets

QUANTILES = (0.1, 0.5, 0.9, 0.98)


def residuals(errors: np.ndarray) -> Residuals:
    days, bins = errors.shape
    row, column = np.indices(errors.shape).reshape(2, -1)
    return Residuals(errors.ravel(), row, column, days, bins)


def test_quantiles_of_normal_errors_are_those_of_the_normal() -> None:
    errors = np.random.default_rng(1).normal(0, 0.3, (42, 288))
    offsets = conformal_offsets(residuals(errors), QUANTILES)
    for quantile, row in zip(QUANTILES, offsets, strict=True):
        assert row.mean() == pytest.approx(0.3 * norm.ppf(quantile), abs=0.05)


def test_offsets_rise_with_the_quantile_everywhere() -> None:
    errors = np.random.default_rng(2).standard_t(2, (30, 96))
    offsets = conformal_offsets(residuals(errors), (0.02, 0.1, 0.5, 0.9, 0.95, 0.98, 0.99))
    assert (np.diff(offsets, axis=0) >= 0).all()


def test_a_quiet_night_and_a_wild_evening_get_their_own_band() -> None:
    size = np.repeat([0.05, 0.5], 48)
    errors = np.random.default_rng(3).normal(0, 1, (42, 96)) * size
    band = conformal_offsets(residuals(errors), (0.1, 0.9))
    width = band[1] - band[0]
    assert width[60:84].mean() > 2.5 * width[12:36].mean()


def test_a_bias_of_the_path_is_taken_out() -> None:
    errors = np.random.default_rng(4).normal(0.4, 0.1, (42, 96))
    offsets = conformal_offsets(residuals(errors), QUANTILES)
    assert offsets[1].mean() == pytest.approx(0.4, abs=0.05)


def test_wild_days_of_late_widen_the_band() -> None:
    rng = np.random.default_rng(5)
    errors = rng.normal(0, 0.1, (42, 96))
    calm = conformal_offsets(residuals(errors), QUANTILES)
    wild = errors.copy()
    wild[-4:] *= 5
    assert conformal_offsets(residuals(wild), QUANTILES)[2].mean() > 2 * calm[2].mean()


def test_coverage_repairs_itself_when_errors_grow_for_good() -> None:
    rng = np.random.default_rng(6)
    errors = rng.normal(0, 0.1, (60, 96))
    errors[30:] = rng.standard_t(2, (30, 96)) * 0.4
    covered = []
    for day in range(45, 60):
        known = residuals(errors[:day])
        covered.append(errors[day] <= conformal_offsets(known, (0.9,))[0])
    assert np.mean(covered) == pytest.approx(0.9, abs=0.04)


def test_few_days_lean_on_an_assumed_spread() -> None:
    errors = np.zeros((1, 96))
    offsets = conformal_offsets(residuals(errors), (0.9,))
    assumed = assumed_offsets((0.9,), 96)
    assert assumed[0, 0] == pytest.approx(0.35 * norm.ppf(0.9))
    np.testing.assert_allclose(offsets, assumed * 2 / 3, atol=1e-6)


def test_bins_without_any_error_get_their_neighbours_band() -> None:
    errors = np.random.default_rng(7).normal(0, 0.2, (30, 96))
    full = residuals(errors)
    seen = full.column < 80
    partly = Residuals(full.log_error[seen], full.row[seen], full.column[seen], 30, 96)
    offsets = conformal_offsets(partly, (0.9,))
    assert np.isfinite(offsets).all()
    assert offsets[0, 88] == pytest.approx(offsets[0, 40], rel=0.5)
