from datetime import timedelta

import numpy as np
import pytest

from forecaster.backtest import ReplaySpan
from forecaster.backtest.rivals import holt_winters, prophet, prophet_installed, rolling_path
from forecaster.errors import HistoryTooShort
from forecaster.traffic.history import TrafficSeries
from tests.backtest.replay_cases import MIDNIGHT, wavy

HALF_HOUR = timedelta(minutes=30)


def daily_sine(days: int) -> TrafficSeries:
    rates = 100 * (1.5 + np.sin(2 * np.pi * np.arange(days * 48) / 48))
    return TrafficSeries("web", MIDNIGHT, HALF_HOUR, rates)


def test_holt_winters_learns_the_shape_of_the_day():
    series = daily_sine(9)
    known = series.before(series.end - timedelta(days=1))
    path = holt_winters(known, 48)
    assert path == pytest.approx(series.rate_rps[-48:], rel=0.05)


def test_holt_winters_needs_two_days():
    with pytest.raises(HistoryTooShort, match="two days"):
        holt_winters(daily_sine(1), 48)


@pytest.mark.skipif(not prophet_installed(), reason="prophet is not installed")
def test_prophet_learns_the_shape_of_the_day():
    series = daily_sine(9)
    known = series.before(series.end - timedelta(days=1))
    assert prophet(known, 48) == pytest.approx(series.rate_rps[-48:], rel=0.05)


@pytest.mark.skipif(prophet_installed(), reason="prophet is installed")
def test_without_prophet_it_says_what_to_install():
    with pytest.raises(ModuleNotFoundError, match=r"preroll\[bench\]"):
        prophet(daily_sine(3), 48)


def test_a_rolling_path_is_made_of_forecasts_of_what_had_ended():
    span = wavy(5, 3, HALF_HOUR)
    asked = []

    def rival(known, steps):
        asked.append((known.end - span.start, steps))
        return np.full(steps, len(known), dtype=float)

    short = ReplaySpan(span.series.before(span.series.end - timedelta(hours=6)), span.start)
    path = rolling_path(short, rival)
    assert asked == [(timedelta(days=n), steps) for n, steps in ((0, 48), (1, 48), (2, 36))]
    assert path.tolist() == [96.0] * 48 + [144.0] * 48 + [192.0] * 36


def test_a_day_without_a_forecast_is_not_known():
    span = wavy(3, 2, HALF_HOUR)

    def rival(known, steps):
        if len(known) < 96:
            raise HistoryTooShort("two days are needed")
        return np.ones(steps)

    path = rolling_path(span, rival)
    assert np.isnan(path[:48]).all()
    assert path[48:].tolist() == [1.0] * 48


def test_before_the_series_nothing_is_known():
    span = ReplaySpan(daily_sine(2), MIDNIGHT)
    path = rolling_path(span, lambda known, steps: np.ones(steps))
    assert np.isnan(path[:48]).all()
    assert path[48:].tolist() == [1.0] * 48
