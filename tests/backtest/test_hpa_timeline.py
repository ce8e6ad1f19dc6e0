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


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_without_its_first_steps_it_is_what_it_was_from_there_on(steps: int) -> None:
    rest = TIMELINE.after(steps)
    assert rest.seconds[0] == 0
    assert rest.mean().tolist() == TIMELINE.mean()[steps:].tolist()
    instants = np.arange(0.0, (3 - steps) * 60)
    assert rest.at(instants).tolist() == TIMELINE.at(instants + steps * 60).tolist()


def test_a_change_where_the_first_steps_end_counts_for_the_rest_and_no_longer_as_a_change() -> None:
    line = ReplicaTimeline(np.array([0.0, 60.0, 90.0]), np.array([1, 4, 7]), 60, 2)
    rest = line.after(1)
    assert (rest.seconds.tolist(), rest.replicas.tolist()) == ([0.0, 30.0], [4, 7])
