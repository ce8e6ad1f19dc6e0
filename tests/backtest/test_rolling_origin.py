from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest.baselines import seasonal_naive
from forecaster.backtest.rolling_origin import (
    OriginFailure,
    OriginForecast,
    RollingOrigin,
    forecast_origin,
    hold_out,
    hold_out_each,
    origin_tasks,
)
from forecaster.errors import ForecastError, HistoryTooShort
from forecaster.models.selection import OutlookConfig
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 3, 2, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OWN_MODELS = OutlookConfig(quantiles=(0.1, 0.5, 0.9), zoo=False)


def hourly(days, series_id="web"):
    hours = np.arange(round(days * 24))
    wave = 100 + 50 * np.sin(hours / 24 * 2 * np.pi)
    noise = np.random.default_rng(3).gamma(20, 1 / 20, len(hours))
    return TrafficSeries(series_id, START, HOUR, wave * noise)


def forecasts_of(series, test, baselines=None):
    holdout = hold_out(series, RollingOrigin(test))
    tasks = origin_tasks([holdout], OWN_MODELS, baselines or {})
    return [forecast_origin(task) for task in tasks]


def test_the_first_cutoff_is_the_end_less_the_test_and_then_one_a_day():
    series = hourly(30)
    holdout = hold_out(series, RollingOrigin(timedelta(days=14)))
    assert len(holdout.cutoffs) == 14
    assert holdout.cutoffs[0] == series.end - timedelta(days=14)
    assert set(np.diff(holdout.cutoffs)) == {DAY}
    assert holdout.horizon_steps == 24
    assert holdout.notice is None


@pytest.mark.parametrize(
    ("step", "cutoffs", "horizon"),
    [
        pytest.param(timedelta(minutes=1), 2, 1440, id="1m"),
        pytest.param(timedelta(minutes=7), 2, 206, id="7m, which does not divide a day"),
        pytest.param(timedelta(hours=6), 2, 4, id="6h"),
        pytest.param(timedelta(hours=24), 2, 1, id="1d"),
    ],
)
def test_cutoffs_lie_on_the_grid_of_any_step(step, cutoffs, horizon):
    series = TrafficSeries("web", START, step, np.ones(timedelta(days=10) // step))
    holdout = hold_out(series, RollingOrigin(timedelta(days=2)))
    assert len(holdout.cutoffs) == cutoffs
    assert holdout.horizon_steps == horizon
    assert all((cutoff - START) % step == timedelta(0) for cutoff in holdout.cutoffs)


def test_a_test_that_is_no_whole_number_of_days_ends_in_a_shorter_horizon():
    series = hourly(10)
    tasks = list(
        origin_tasks([hold_out(series, RollingOrigin(timedelta(hours=36)))], OWN_MODELS, {})
    )
    assert [task.steps for task in tasks] == [24, 12]
    assert tasks[-1].known.end + 12 * HOUR == series.end


def test_a_task_knows_nothing_after_its_cutoff():
    series = hourly(10)
    holdout = hold_out(series, RollingOrigin(timedelta(days=3)))
    for task, cutoff in zip(origin_tasks([holdout], OWN_MODELS, {}), holdout.cutoffs, strict=True):
        assert task.known.end == cutoff
        assert task.known.rate_rps.tolist() == series.before(cutoff).rate_rps.tolist()


def test_a_forecast_starts_at_its_cutoff_and_has_a_row_per_quantile():
    (one,) = forecasts_of(hourly(10), DAY, {"naive": seasonal_naive})
    assert isinstance(one, OriginForecast)
    assert one.cutoff == START + timedelta(days=9)
    assert one.rate_rps.shape == (3, 24)
    assert one.at(0.5).tolist() == one.rate_rps[1].tolist()
    assert one.baselines["naive"].shape == (24,)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda values: values * 10, id="ten times as much"),
        pytest.param(np.zeros_like, id="an outage of zeros"),
        pytest.param(lambda values: np.full_like(values, np.nan), id="a gap"),
        pytest.param(lambda values: values[::-1].copy(), id="time reversed"),
    ],
)
def test_changing_the_future_changes_no_forecast(hourly_trace, change):
    """The proof that nothing leaks: traffic from one cutoff on is changed, and every forecast made
    at that cutoff or before it stays the same to the last bit."""
    test = timedelta(days=3)
    turn = hourly_trace.end - timedelta(days=2)
    at = hourly_trace.index_of(turn)
    values = hourly_trace.rate_rps.copy()
    values[at:] = change(values[at:])
    changed = TrafficSeries("web", hourly_trace.start, hourly_trace.step, values)
    naive = {"naive": seasonal_naive}
    before = forecasts_of(hourly_trace, test, naive)
    after = forecasts_of(changed, test, naive)
    assert [one.cutoff <= turn for one in before] == [True, True, False]
    for ours, theirs in zip(before[:2], after[:2], strict=True):
        assert ours.cutoff == theirs.cutoff
        assert ours.model == theirs.model
        assert ours.rate_rps.tobytes() == theirs.rate_rps.tobytes()
        assert ours.baselines["naive"].tobytes() == theirs.baselines["naive"].tobytes()


def test_changing_the_past_does_change_the_forecasts(hourly_trace):
    """The other half of the proof: the comparison above is able to fail."""
    doubled = TrafficSeries("web", hourly_trace.start, hourly_trace.step, hourly_trace.rate_rps * 2)
    (ours,), (theirs,) = forecasts_of(hourly_trace, DAY), forecasts_of(doubled, DAY)
    assert not np.allclose(ours.rate_rps, theirs.rate_rps)


@pytest.mark.parametrize(
    ("days", "test_days"),
    [(28, 14), (27.9, 13), (20, 10), (5, 2), (2, 1)],
    ids=["28d", "a bit less", "20d", "5d", "2d"],
)
def test_without_a_wish_the_test_is_14_days_or_half_of_a_shorter_series(days, test_days):
    holdout = hold_out(hourly(days), RollingOrigin())
    assert len(holdout.cutoffs) == test_days
    assert (holdout.notice is None) == (test_days == 14)
    if holdout.notice:
        assert f"the last {test_days}d are forecast, not 14d" in holdout.notice


def test_a_test_longer_than_the_series_allows_is_refused_with_what_is_possible():
    with pytest.raises(HistoryTooShort, match=r"10d of traffic.*test of 14d.*at most 9d"):
        hold_out(hourly(10), RollingOrigin(timedelta(days=14)))


@pytest.mark.parametrize("protocol", [RollingOrigin(), RollingOrigin(HOUR)], ids=["default", "1h"])
def test_less_than_two_days_are_too_short_for_a_backtest(protocol):
    with pytest.raises(HistoryTooShort, match=r"web: 1d23h of traffic; a backtest needs 2d"):
        hold_out(hourly(47 / 24), protocol)


def test_a_series_without_a_value_is_refused():
    empty = TrafficSeries("web", START, HOUR, np.full(240, np.nan))
    with pytest.raises(HistoryTooShort, match="no traffic was observed"):
        hold_out(empty, RollingOrigin())


@pytest.mark.parametrize("field", ["test", "every", "horizon"])
def test_a_length_that_is_not_above_0_is_refused(field):
    with pytest.raises(ValueError, match=field):
        RollingOrigin(**{field: timedelta(0)})


def test_series_too_short_are_left_out_with_the_reason():
    holdouts, skipped = hold_out_each([hourly(10, "long"), hourly(1, "short")], RollingOrigin())
    assert [one.series.series_id for one in holdouts] == ["long"]
    assert list(skipped) == ["short"]
    assert "1d of traffic" in skipped["short"]


def test_a_history_of_nothing_but_short_series_is_refused():
    with pytest.raises(HistoryTooShort, match="and 1 more series"):
        hold_out_each([hourly(1, "a"), hourly(1, "b")], RollingOrigin())


def test_a_cutoff_without_enough_traffic_before_it_is_written_down_not_raised():
    values = hourly(8).rate_rps.copy()
    values[1 : 5 * 24] = np.nan  # one value, then nothing for five days
    results = forecasts_of(TrafficSeries("web", START, HOUR, values), timedelta(days=4))
    assert isinstance(results[0], OriginFailure)
    assert results[0].cutoff == START + timedelta(days=4)
    assert isinstance(results[-1], OriginForecast)


def test_a_baseline_that_cannot_speak_is_written_down_not_raised():
    def mute(known, steps):
        raise ForecastError("not today")

    (one,) = forecasts_of(hourly(10), DAY, {"mute": mute, "naive": seasonal_naive})
    assert dict(one.silent) == {"mute": "not today"}
    assert list(one.baselines) == ["naive"]


def test_a_bug_in_a_baseline_is_not_hidden():
    def broken(known, steps):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        forecasts_of(hourly(10), DAY, {"broken": broken})


def test_the_horizon_of_training_is_that_of_the_test():
    holdout = hold_out(hourly(10), RollingOrigin(DAY))
    (task,) = origin_tasks([holdout], replace(OWN_MODELS, horizon=timedelta(hours=48)), {})
    assert task.config.horizon == DAY
