import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.backtest.baselines import choose_baselines, seasonal_naive, seasonal_steps
from forecaster.errors import HistoryTooShort
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY, WEEK = 24, 168


def hourly(values):
    return TrafficSeries("web", START, HOUR, np.asarray(values, dtype=float))


def slow_seasonal_naive(values, steps):
    """The definition, value by value."""
    week = len(values) >= 2 * WEEK
    forecast = []
    for h in range(steps):
        found = None
        for season in ([WEEK] if week else []) + [DAY]:
            source = len(values) + h - season
            while found is None and source >= 0:
                if source < len(values) and not math.isnan(values[source]):
                    found = values[source]
                source -= season
        if found is None:
            found = [value for value in values if not math.isnan(value)][-1]
        forecast.append(found)
    return forecast


def test_it_repeats_the_week_before_where_two_weeks_are_known():
    values = np.arange(3 * WEEK)
    assert seasonal_naive(hourly(values), 24).tolist() == list(range(2 * WEEK, 2 * WEEK + 24))


def test_it_repeats_the_day_before_where_less_than_two_weeks_are_known():
    values = np.arange(2 * WEEK - 1)
    forecast = seasonal_naive(hourly(values), 24)
    assert forecast.tolist() == values[-DAY:].tolist()


def test_a_gap_a_week_ago_is_replaced_by_the_value_two_weeks_ago():
    values = np.arange(3.0 * WEEK)
    values[2 * WEEK + 5] = np.nan
    assert seasonal_naive(hourly(values), 24)[5] == WEEK + 5


def test_a_phase_of_the_week_never_seen_is_replaced_by_the_day_before():
    values = np.arange(3.0 * WEEK)
    values[[5, WEEK + 5, 2 * WEEK + 5]] = np.nan
    assert seasonal_naive(hourly(values), 24)[5] == 3 * WEEK - DAY + 5


def test_a_phase_of_the_day_never_seen_is_replaced_by_the_last_value():
    values = np.full(4 * DAY, np.nan)
    values[10] = 7.0
    assert (seasonal_naive(hourly(values), 24) == 7.0).all()


def test_a_horizon_beyond_one_season_repeats_it():
    values = np.arange(3.0 * DAY)
    assert seasonal_naive(hourly(values), 60).tolist() == [*(48 + np.arange(60) % 24)]


def test_nothing_observed_is_not_enough_history():
    with pytest.raises(HistoryTooShort, match="web"):
        seasonal_naive(hourly(np.full(48, np.nan)), 24)


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(30, 3 * WEEK),
    gaps=st.floats(0, 0.97),
    steps=st.integers(1, 200),
    seed=st.integers(0, 10_000),
)
def test_it_agrees_with_the_definition_value_by_value(length, gaps, steps, seed):
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 50, length)
    values[rng.random(length) < gaps] = np.nan
    values[int(rng.integers(length))] = 1.0
    assert seasonal_naive(hourly(values), steps).tolist() == slow_seasonal_naive(values, steps)


@pytest.mark.parametrize(
    ("days", "step", "season"),
    [
        pytest.param(14, timedelta(hours=1), 168, id="two weeks of hours"),
        pytest.param(13, timedelta(minutes=1), 1440, id="13 days of minutes"),
        pytest.param(90, timedelta(days=1), 7, id="days"),
        pytest.param(10, timedelta(days=1), 1, id="ten days of days"),
    ],
)
def test_the_season_is_a_week_or_a_day(days, step, season):
    assert seasonal_steps(timedelta(days=days), step) == season


def test_baselines_are_chosen_by_name_in_any_case():
    known = {"seasonal_naive": seasonal_naive, "MSTL": seasonal_naive}
    assert list(choose_baselines("all", known)) == ["seasonal_naive", "MSTL"]
    assert choose_baselines("none", known) == {}
    assert list(choose_baselines("mstl, seasonal_naive", known)) == ["MSTL", "seasonal_naive"]


def test_an_unknown_baseline_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"'prophet'.*seasonal_naive"):
        choose_baselines("prophet", {"seasonal_naive": seasonal_naive})
