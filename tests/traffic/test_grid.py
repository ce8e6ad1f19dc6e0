from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.traffic.grid import (
    MAX_STEPS,
    DuplicateStampsError,
    RowError,
    snap_to_grid,
    sort_rows,
)
from forecaster.traffic.step import infer_step

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_718_031_600 * SECOND  # 2024-06-10T15:00Z


def stamps(*minutes: float) -> np.ndarray:
    return START + np.rint(np.array(minutes) * MINUTE).astype(np.int64)


def values(count: int) -> np.ndarray:
    return np.arange(1.0, count + 1)


# --- sorting --------------------------------------------------------------------------------------


def test_rows_in_order_stay_as_they_are():
    rows = sort_rows(stamps(0, 1, 2), values(3))
    assert rows.at_us.tolist() == stamps(0, 1, 2).tolist()
    assert (len(rows.moved), len(rows.dropped)) == (0, 0)


def test_rows_out_of_order_are_sorted_and_counted():
    rows = sort_rows(stamps(0, 2, 1, 3), np.array([10.0, 12.0, 11.0, 13.0]))
    assert rows.value.tolist() == [10, 11, 12, 13]
    assert rows.row.tolist() == [0, 2, 1, 3]
    assert rows.moved.tolist() == [2]


def test_a_copy_of_a_row_is_dropped_and_a_differing_one_is_refused_with_both_rows():
    rows = sort_rows(stamps(0, 1, 1, 2), np.array([5.0, 6.0, 6.0, 7.0]))
    assert rows.value.tolist() == [5, 6, 7]
    assert rows.dropped.tolist() == [2]
    with pytest.raises(DuplicateStampsError) as caught:
        sort_rows(stamps(0, 1, 2, 1), np.array([5.0, 6.0, 7.0, 9.0]))
    assert "2024-06-10T15:01:00Z stands twice with different values, 9 here and 6" in str(
        caught.value
    )
    assert (caught.value.row, caught.value.compare) == (3, 1)


def test_absent_rows_become_nan_and_are_not_filled():
    grid = snap_to_grid(stamps(0, 1, 4), values(3), MINUTE)
    np.testing.assert_array_equal(grid.value, [1, 2, np.nan, np.nan, 3])
    assert (grid.start_us, grid.snapped) == (START, 0)


def test_jitter_is_snapped_to_whole_minutes_and_measured():
    grid = snap_to_grid(stamps(0.01, 1, 1.98, 3.1), values(4), MINUTE)
    assert grid.start_us == START
    assert grid.value.tolist() == [1, 2, 3, 4]
    assert (grid.snapped, grid.largest_shift_us) == (3, 6 * SECOND)


def test_an_exact_offset_is_kept_and_is_no_jitter():
    at = stamps(*range(10)) + 17 * SECOND
    grid = snap_to_grid(at, values(10), MINUTE)
    assert (grid.start_us, grid.snapped) == (START + 17 * SECOND, 0)


def test_jitter_around_half_past_stays_around_half_past():
    at = stamps(*range(40)) + 30 * SECOND + np.array([0, 5, -5, 8] * 10) * SECOND // 10
    grid = snap_to_grid(at, values(40), MINUTE)
    assert grid.start_us == START + 30 * SECOND
    assert not np.isnan(grid.value).any()


def test_jitter_just_below_half_a_step_is_snapped_to_the_natural_grid():
    random = np.random.default_rng(7)
    at = stamps(*range(500)) + np.rint(random.uniform(-0.49, 0.49, 500) * MINUTE).astype(int)
    grid = snap_to_grid(np.sort(at), values(500), MINUTE)
    assert grid.start_us == START
    assert not np.isnan(grid.value).any()


def test_two_different_values_in_one_step_are_refused_with_both_rows():
    with pytest.raises(RowError, match="only 20 s after the row before it") as e:
        snap_to_grid(stamps(0, 1, 2, 3, 3 + 1 / 3, 5), values(6), MINUTE)
    assert (e.value.row, e.value.compare) == (4, 3)


def test_equal_values_in_one_step_are_merged_only_where_they_are_rare():
    at = stamps(*range(300), 299 + 1 / 3)
    value = np.append(values(300), 300.0)
    assert snap_to_grid(at, value, MINUTE).merged == 1
    with pytest.raises(RowError, match="both fall into the same step"):
        snap_to_grid(stamps(0, 1, 2, 2 + 1 / 3), np.ones(4), MINUTE)


def test_a_stamp_ages_away_is_refused_before_memory_is_spent():
    at = stamps(0, 1, 2, MAX_STEPS + 10)
    with pytest.raises(RowError, match="a jump of 13889 days") as e:
        snap_to_grid(at, values(4), MINUTE)
    assert e.value.row == 3


@given(
    jitter=st.floats(0.0, 0.3),
    gaps=st.floats(0.0, 0.1),
    step=st.sampled_from([10 * SECOND, MINUTE, 5 * MINUTE, HOUR]),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_jittered_and_gappy_rows_come_back_on_their_grid(
    jitter: float, gaps: float, step: int, seed: int
):
    random = np.random.default_rng(seed)
    slots = np.flatnonzero(random.random(600) >= gaps)
    first = START // step * step
    at = (
        first
        + slots * step
        + np.rint(random.uniform(-jitter, jitter, len(slots)) * step).astype(int)
    )
    value = random.uniform(0, 100, len(slots))
    order = random.permutation(len(slots))
    rows = sort_rows(at[order], value[order])

    inferred = infer_step([np.diff(rows.at_us)])
    grid = snap_to_grid(rows.at_us, rows.value, inferred)

    assert inferred == step
    assert grid.start_us == first + slots[0] * step
    expected = np.full(slots[-1] - slots[0] + 1, np.nan)
    expected[slots - slots[0]] = value
    np.testing.assert_array_equal(grid.value, expected)
