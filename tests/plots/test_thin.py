import numpy as np
import pytest

from forecaster.plots.thin import stretch_extremes, thin_rows


def noisy(length):
    values = np.random.default_rng(5).normal(100, 10, length)
    values[length // 3] = 900.0
    values[length // 2] = -50.0
    values[length // 4 : length // 4 + 40] = np.nan
    return values


@pytest.mark.parametrize("length", [1_401, 5_000, 20_160])
def test_no_peak_no_trough_and_no_gap_is_lost(length):
    values = noisy(length)
    rows = thin_rows(values, most=700)
    shown = values[rows]
    assert len(rows) <= 3 * 700 + 2
    assert (np.diff(rows) > 0).all()
    assert {0, length - 1} <= set(rows.tolist())
    assert (np.nanmax(shown), np.nanmin(shown)) == (900.0, -50.0)
    assert np.isnan(shown).any()


def test_every_stretch_keeps_its_own_extremes():
    values = noisy(10_000)
    shown = set(thin_rows(values, most=500).tolist())
    for begin in range(0, 10_000, 20):
        part = values[begin : begin + 20]
        if not np.isnan(part).all():
            kept = [row for row in shown if begin <= row < begin + 20]
            assert np.nanmax(values[kept]) == np.nanmax(part)
            assert np.nanmin(values[kept]) == np.nanmin(part)


def test_a_short_line_is_left_as_it_is():
    values = noisy(1_400)
    assert thin_rows(values, most=700).tolist() == list(range(1_400))
    rows, low, high = stretch_extremes(values, values + 1, most=700)
    assert rows.tolist() == list(range(1_400))
    assert np.array_equal(low, values, equal_nan=True)
    assert np.array_equal(high, values + 1, equal_nan=True)


def test_a_level_line_needs_one_row_a_stretch():
    assert len(thin_rows(np.zeros(10_000), most=500)) <= 501


def test_a_thinned_band_holds_all_that_was_within():
    low = noisy(7_000)
    high = low + 5
    rows, below, above = stretch_extremes(low, high, most=300)
    assert len(rows) == len(below) == len(above) <= 300
    assert np.nanmin(below) == np.nanmin(low)
    assert np.nanmax(above) == np.nanmax(high)
    assert (np.diff(rows) > 0).all()
