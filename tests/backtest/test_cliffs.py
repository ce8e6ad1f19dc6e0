"""A cliff does to traffic what it says, step by step, worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecaster.backtest.cliffs import Cliff, with_cliffs
from forecaster.traffic.history import TrafficSeries
from tests.backtest.replay_cases import MIDNIGHT, MINUTE

NOON = MIDNIGHT + timedelta(hours=12)
AT_NOON = 12 * 60  # the step of one minute that begins then


def flat(step: timedelta = MINUTE, rate: float = 10.0) -> TrafficSeries:
    return TrafficSeries("web", MIDNIGHT, step, np.full(timedelta(days=1) // step, rate))


def factors(series: TrafficSeries, *cliffs: Cliff) -> np.ndarray:
    return with_cliffs(series, cliffs).rate_rps / series.rate_rps


@pytest.mark.parametrize(
    ("minute", "factor"),
    [
        (-1, 1.0),
        (0, 2.0),  # from 1 to 3
        (1, 4.0),
        (2, 5.0),
        (44, 5.0),
        (45, 4.5),  # down to 3, half of the excess
        (46, 3.5),
        (47, 3.0),
        (57, 3.0),
        (58, 3.5),
        (59, 4.5),
        (60, 5.0),
        (104, 5.0),
        (105, 3.0),  # from 5 to 1
        (106, 1.0),
    ],
)
def test_each_minute_has_the_mean_factor_within_it(minute: int, factor: float) -> None:
    assert factors(flat(), Cliff(NOON, 5.0))[AT_NOON + minute] == pytest.approx(factor)


def test_a_start_within_a_step_counts_from_there() -> None:
    found = factors(flat(), Cliff(NOON + timedelta(seconds=30), 5.0))
    assert found[AT_NOON : AT_NOON + 4] == pytest.approx([1.25, 3.0, 4.75, 5.0])


def test_a_coarse_step_has_the_mean_of_its_minutes() -> None:
    found = factors(flat(timedelta(minutes=5)), Cliff(NOON, 5.0))
    fine = factors(flat(), Cliff(NOON, 5.0)).reshape(-1, 5).mean(axis=1)
    assert found == pytest.approx(fine, abs=0.05)
    assert found[AT_NOON // 5] == pytest.approx((2 + 4 + 5 + 5 + 5) / 5, abs=0.05)


def test_a_gap_stays_a_gap_and_nothing_else_changes() -> None:
    series = flat()
    rates = series.rate_rps.copy()
    rates[AT_NOON + 10] = np.nan
    holed = TrafficSeries("web", MIDNIGHT, MINUTE, rates)
    found = with_cliffs(holed, [Cliff(NOON, 5.0)])
    assert np.flatnonzero(np.isnan(found.rate_rps)).tolist() == [AT_NOON + 10]
    changed = np.flatnonzero(found.rate_rps != holed.rate_rps)
    assert (changed[0], changed[-1]) == (AT_NOON, AT_NOON + 105)
    assert np.nanmax(holed.rate_rps) == 10.0


def test_cliffs_at_once_multiply() -> None:
    second = Cliff(NOON + 10 * MINUTE, 2.0)
    assert factors(flat(), Cliff(NOON, 5.0), second)[AT_NOON + 30] == pytest.approx(10.0)


def test_what_lies_beyond_the_series_does_nothing_there() -> None:
    yesterday, tomorrow = Cliff(NOON - timedelta(days=1), 5.0), Cliff(NOON + timedelta(days=1), 5.0)
    assert factors(flat(), yesterday, tomorrow).tolist() == [1.0] * 1440
    before_midnight = Cliff(MIDNIGHT - 100 * MINUTE, 5.0)
    assert factors(flat(), before_midnight)[:7] == pytest.approx([5, 5, 5, 5, 5, 3, 1])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"factor": 0.0}, "factor: above 0"),
        ({"duration": timedelta(minutes=50)}, "half-time"),
        ({"ramp": timedelta(minutes=8)}, "half-time"),  # down until 53, up from 52 on
    ],
    ids=["no factor", "over before the second half", "down and up cross"],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Cliff(**{"start": NOON, "factor": 5.0, **fields})
