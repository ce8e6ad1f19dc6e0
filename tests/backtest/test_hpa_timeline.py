from __future__ import annotations

import numpy as np
import pytest

from forecaster.backtest.hpa import ReplicaTimeline

# 2 replicas for half a minute, 5 until 90 s, 3 until 95 s, 4 from then on; three minutes.
TIMELINE = ReplicaTimeline(
    np.array([0.0, 30.0, 90.0, 90.0, 95.0, 500.0]), np.array([2, 5, 9, 3, 4, 99]), 60, 3
)


def test_a_change_counts_from_its_own_instant_and_the_last_of_several() -> None:
    instants = np.array([[0, 29.9, 30], [89, 90, 95]])
    assert TIMELINE.at(instants).tolist() == [[2, 2, 5], [5, 3, 4]]


def test_the_mean_weighs_by_time() -> None:
    expected = [(2 + 5) / 2, (30 * 5 + 5 * 3 + 25 * 4) / 60, 4]
    assert TIMELINE.mean().tolist() == pytest.approx(expected)


def test_the_lowest_is_that_of_any_instant_of_the_step() -> None:
    assert TIMELINE.lowest().tolist() == [2, 3, 4]


def test_what_is_over_at_one_instant_does_not_make_up_for_what_is_missing_at_another() -> None:
    short = TIMELINE.short_of(np.array([4.0, 4.5, 3.0]))
    assert short.tolist() == pytest.approx([1.0, (5 * 1.5 + 25 * 0.5) / 60, 0.0])


def test_a_step_without_a_need_stays_without() -> None:
    assert np.isnan(TIMELINE.short_of(np.array([np.nan, 4.5, 3.0]))).tolist() == [
        True,
        False,
        False,
    ]
