"""Coverage that repairs itself."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.models.peak.online import OnlineCalibration, gain_per_step

LEVELS = (0.1, 0.5, 0.9, 0.98)


def _fresh(gain: float = 0.02) -> OnlineCalibration:
    return OnlineCalibration(LEVELS, np.array([-1.0, 0.0, 1.0, 2.0]), gain)


@settings(max_examples=50)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=300))
def test_coverage_misses_by_what_the_offset_moved_over_gain_and_time(scores: list[float]) -> None:
    """The identity that the method rests on, whatever the scores are."""
    calibration, covered = _fresh(), np.zeros(len(LEVELS))
    for score in scores:
        covered += score <= calibration.base + calibration.offset
        calibration.learn(score)
    np.testing.assert_allclose(
        np.array(LEVELS) - covered / len(scores),
        calibration.offset / (0.02 * len(scores)),
        atol=1e-9,
    )


def test_after_a_shift_of_scores_the_levels_are_kept_again() -> None:
    rng = np.random.default_rng(5)
    scores = np.concatenate([rng.normal(size=3000), 3 + 2 * rng.normal(size=20_000)])
    said = _fresh(0.015).learn_all(scores)
    late = (scores[8000:, None] <= said[8000:]).mean(axis=0)
    np.testing.assert_allclose(late, LEVELS, atol=0.006)


def test_levels_never_cross_and_a_gap_teaches_nothing() -> None:
    calibration = _fresh(0.25)
    for score in (9.0, 9.0, 1.5, 1.5, 1.5, -9.0):
        calibration.learn(score)
        assert (np.diff(calibration.scores()) >= 0).all()
    before = calibration.offset.copy()
    calibration.learn(float("nan"))
    np.testing.assert_array_equal(calibration.offset, before)


def test_the_gain_corrects_as_much_a_day_at_every_step() -> None:
    assert gain_per_step(timedelta(minutes=1)) * 1440 == pytest.approx(21)
    assert gain_per_step(timedelta(seconds=10)) * 8640 == pytest.approx(21)
    assert gain_per_step(timedelta(hours=1)) == 0.4


def test_levels_must_rise() -> None:
    with pytest.raises(ValueError, match="must rise"):
        OnlineCalibration((0.9, 0.5), np.zeros(2), 0.1)
