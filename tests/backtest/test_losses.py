import doctest
import math
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import utilsforecast.losses as reference
from hypothesis import given
from hypothesis import strategies as st

from forecaster.backtest.losses import coverage, mase, pinball, seasonal_naive_scale, wape

NAN = float("nan")
traffic = st.floats(min_value=0, max_value=1e6, allow_subnormal=False)
observed_or_gap = st.one_of(traffic, st.just(NAN))
pairs = st.lists(st.tuples(observed_or_gap, traffic), min_size=1, max_size=60)


def split(rows):
    observed, forecast = zip(*rows, strict=True)
    return np.array(observed), np.array(forecast)


def same(ours, oracle):
    return (math.isnan(ours) and math.isnan(oracle)) or ours == pytest.approx(oracle, rel=1e-9)


def loop_wape(observed, forecast):
    error = total = 0.0
    for y, f in zip(observed, forecast, strict=True):
        if not math.isnan(y):
            error += abs(y - f)
            total += y
    return error / total if total > 0 else NAN


def loop_pinball(observed, forecasts, quantiles):
    losses = []
    for q, row in zip(quantiles, forecasts, strict=True):
        for y, f in zip(observed, row, strict=True):
            if not math.isnan(y):
                losses.append(q * (y - f) if y >= f else (1 - q) * (f - y))
    return sum(losses) / len(losses) if losses else NAN


@pytest.mark.parametrize(
    "module", ["losses", "baselines", "scores", "report", "rolling_origin"], ids=str
)
def test_the_worked_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(import_module(f"forecaster.backtest.{module}")).failed == 0


def test_wape_is_the_absolute_error_over_the_traffic():
    # |10-12| + |30-24| = 8 of 40
    assert wape(np.array([10.0, 30.0]), np.array([12.0, 24.0])) == 0.2


def test_wape_of_no_traffic_at_all_is_not_a_number():
    assert math.isnan(wape(np.zeros(3), np.ones(3)))


@given(pairs)
def test_wape_agrees_with_a_loop(rows):
    observed, forecast = split(rows)
    assert same(wape(observed, forecast), loop_wape(observed, forecast))


@given(pairs, traffic)
def test_a_gap_never_counts(rows, forecast_there):
    observed, forecast = split(rows)
    more = np.append(observed, NAN), np.append(forecast, forecast_there)
    for loss in (wape, coverage):
        assert same(loss(*more), loss(observed, forecast))


def test_the_scale_of_the_mase_is_the_mean_seasonal_difference():
    # |2-1| and |9-5| over a season of two
    assert seasonal_naive_scale(np.array([1.0, 5.0, 2.0, 9.0]), season=2) == 2.5


def test_the_scale_leaves_out_pairs_with_a_gap():
    assert seasonal_naive_scale(np.array([1.0, NAN, 4.0, 9.0]), season=2) == 3.0


@pytest.mark.parametrize(
    "training", [np.array([1.0, 2.0]), np.full(9, NAN)], ids=["shorter than a season", "all gaps"]
)
def test_there_is_no_scale_without_a_pair(training):
    assert math.isnan(seasonal_naive_scale(training, season=2))


def test_a_season_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="season"):
        seasonal_naive_scale(np.ones(3), season=0)


def test_the_mase_of_a_perfect_forecast_is_0_and_of_an_unscaled_series_not_a_number():
    observed = np.array([1.0, 2.0])
    assert mase(observed, observed, scale=3.0) == 0
    assert math.isnan(mase(observed, observed, scale=0.0))


@pytest.mark.parametrize("season", [1, 7, 24])
def test_the_mase_agrees_with_utilsforecast(season):
    rng = np.random.default_rng(season)
    training, observed = rng.gamma(2, 50, 200), rng.gamma(2, 50, 40)
    forecast = rng.gamma(2, 50, 40)
    frame = pd.DataFrame({"unique_id": "a", "y": observed, "model": forecast})
    past = pd.DataFrame({"unique_id": "a", "y": training})
    theirs = reference.mase(frame, ["model"], season, past)["model"].item()
    ours = mase(observed, forecast, seasonal_naive_scale(training, season))
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_pinball_weighs_too_little_by_the_quantile_and_too_much_by_the_rest():
    # at 0.5: 2 too little, 0.5 * 2; at 0.9: 4 too much, 0.1 * 4
    assert pinball(np.array([10.0]), np.array([[8.0], [14.0]]), (0.5, 0.9)) == pytest.approx(0.7)


@pytest.mark.parametrize("quantile", [0.02, 0.5, 0.98])
def test_pinball_agrees_with_utilsforecast(quantile):
    rng = np.random.default_rng(7)
    observed, forecast = rng.gamma(2, 50, 80), rng.gamma(2, 50, 80)
    frame = pd.DataFrame({"unique_id": "a", "y": observed, "model": forecast})
    theirs = reference.quantile_loss(frame, {"model": "model"}, q=quantile)["model"].item()
    assert pinball(observed, forecast[np.newaxis], (quantile,)) == pytest.approx(theirs, rel=1e-9)


@given(pairs)
def test_pinball_agrees_with_a_loop(rows):
    observed, forecast = split(rows)
    quantiles = (0.1, 0.5, 0.9)
    forecasts = np.vstack([forecast * 0.5, forecast, forecast * 2])
    assert same(
        pinball(observed, forecasts, quantiles), loop_pinball(observed, forecasts, quantiles)
    )


def test_pinball_is_least_at_the_true_quantile():
    observed = np.random.default_rng(1).exponential(100, 20_000)
    candidates = np.quantile(observed, [0.80, 0.85, 0.90, 0.95, 0.99])
    losses = [pinball(observed, np.full((1, 20_000), one), (0.9,)) for one in candidates]
    assert int(np.argmin(losses)) == 2


def test_coverage_counts_traffic_at_the_quantile_as_covered():
    assert coverage(np.array([1.0, 2.0, 3.0, NAN]), np.full(4, 2.0)) == pytest.approx(2 / 3)


def test_the_coverage_of_the_true_quantile_is_the_quantile():
    observed = np.random.default_rng(2).normal(100, 10, 50_000)
    forecast = np.full(50_000, 100 + 10 * 1.2815515655446004)  # the normal 0.9 quantile
    assert coverage(observed, forecast) == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize("loss", [wape, coverage], ids=["wape", "coverage"])
def test_arrays_of_different_length_are_refused(loss):
    with pytest.raises(ValueError, match="shape"):
        loss(np.ones(3), np.ones(2))


def test_pinball_refuses_a_row_too_few():
    with pytest.raises(ValueError, match=r"\(2, 3\) is needed"):
        pinball(np.ones(3), np.ones((1, 3)), (0.5, 0.9))


@pytest.mark.parametrize("length", [0, 4], ids=["nothing", "only gaps"])
def test_without_an_observed_step_every_loss_is_not_a_number(length):
    observed, forecast = np.full(length, NAN), np.ones(length)
    assert math.isnan(wape(observed, forecast))
    assert math.isnan(mase(observed, forecast, 1.0))
    assert math.isnan(coverage(observed, forecast))
    assert math.isnan(pinball(observed, forecast[np.newaxis], (0.5,)))
