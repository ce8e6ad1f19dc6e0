from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.traffic.step import find_step_change, infer_step

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_718_031_600 * SECOND  # 2024-06-10T15:00Z


def stamps(*minutes: float) -> np.ndarray:
    return START + np.rint(np.array(minutes) * MINUTE).astype(np.int64)


def spacing_of(at: np.ndarray) -> list[np.ndarray]:
    return [np.diff(at)]


# --- the step -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param([0, 5, 10, 15], 5, id="even"),
        pytest.param([0, 5, 10, 600, 605, 1300, 1305], 5, id="gaps"),
        pytest.param([0, 5, 6, 11, 13, 18, 19, 24, 29, 30, 31], 1, id="mostly absent"),
        pytest.param([0, 30, 40, 70, 120], 10, id="few rows, mostly absent"),
        pytest.param([0, 1.001, 1.998, 3.002, 4.001, 4.997], 1, id="milliseconds of jitter"),
        pytest.param([0, 61 / 60, 122 / 60, 183 / 60, 244 / 60], 61 / 60, id="an odd step"),
        pytest.param([0, 1440, 2880, 4320], 1440, id="days"),
    ],
)
def test_the_step_is_inferred_from_the_spacing(minutes: list[float], expected: float):
    assert infer_step(spacing_of(stamps(*minutes))) == round(expected * MINUTE)


def test_no_spacing_gives_no_step():
    with pytest.raises(ValueError, match="two different stamps"):
        infer_step([np.array([], dtype=np.int64)])


@given(
    step=st.sampled_from([SECOND, 10 * SECOND, MINUTE, 5 * MINUTE, HOUR, 24 * HOUR]),
    keep=st.floats(0.15, 1.0),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_absent_rows_hide_neither_the_step_nor_look_like_a_change(
    step: int, keep: float, seed: int
):
    slots = np.flatnonzero(np.random.default_rng(seed).random(2_000) < keep)
    at = START // step * step + slots * step
    assert infer_step(spacing_of(at)) == step
    assert find_step_change(at, step) is None


# --- a step that changes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(1, 5, id="coarser"),
        pytest.param(5, 1, id="finer"),
        pytest.param(2, 3, id="2m to 3m"),
    ],
)
def test_a_step_that_changes_half_way_is_found_at_its_row(before: int, after: int):
    at = np.concatenate([np.arange(30) * before, 29 * before + np.arange(1, 31) * after])
    change = find_step_change(stamps(*at), infer_step(spacing_of(stamps(*at))))
    assert change is not None
    assert (change.row, change.before_us, change.after_us) == (30, before * MINUTE, after * MINUTE)


def test_a_change_in_a_long_series_is_found_even_near_its_end():
    at = np.concatenate([np.arange(20_000), 19_999 + 5 * np.arange(1, 61)])
    change = find_step_change(stamps(*at), MINUTE)
    assert change is not None
    assert change.row == 20_000


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param(
            [1440 * day + 5 * row for day in range(40) for row in range(168)], id="closed at night"
        ),
        pytest.param(
            [
                1440 * day + minute
                for day in range(20)
                for minute in range(1440)
                if minute >= 480 or minute % 5 == 0
            ],
            id="every five minutes at night",
        ),
        pytest.param([*range(50), 300, *range(301, 350)], id="one outage"),
        pytest.param([0, 1, 2, 3, 5, 7], id="six rows"),
    ],
)
def test_absent_rows_with_a_pattern_are_no_change_of_step(minutes: list[int]):
    assert find_step_change(stamps(*minutes), infer_step(spacing_of(stamps(*minutes)))) is None
