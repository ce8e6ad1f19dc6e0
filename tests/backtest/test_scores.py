import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest.rolling_origin import OriginForecast
from forecaster.backtest.scores import judge, score
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUANTILES = (0.1, 0.5, 0.9)
NAN = float("nan")


def series_of(days, series_id="web", level=100.0, gaps=0.0, seed=5):
    rng = np.random.default_rng(seed)
    values = rng.gamma(9, level / 9, days * 24)
    values[rng.random(len(values)) < gaps] = np.nan
    return TrafficSeries(series_id, START, HOUR, values)


def forecast_at(series, day, rng, *, model="profile", baselines=None, silent=None, steps=24):
    rates = np.sort(rng.gamma(9, 100 / 9, (3, steps)), axis=0)
    return OriginForecast(
        series_id=series.series_id,
        cutoff=START + timedelta(days=day),
        step=HOUR,
        quantiles=QUANTILES,
        rate_rps=rates,
        model=model,
        baselines=baselines or {},
        silent=silent or {},
    )


def loop_scores(judged):
    """WAPE, MASE, pinball and coverage of 0.9, step by step."""
    error = traffic = 0.0
    scaled, losses, covered = [], [], []
    for one in judged:
        for i, y in enumerate(one.observed):
            if math.isnan(y):
                continue
            error += abs(y - one.median[i])
            traffic += y
            scaled.append(abs(y - one.median[i]) / one.mase_scale)
            covered.append(y <= one.forecasts[2][i])
            for q, row in zip(one.quantiles, one.forecasts, strict=True):
                losses.append(max(q * (y - row[i]), (q - 1) * (y - row[i])))
    return error / traffic, np.mean(scaled), np.mean(losses), np.mean(covered)


def test_two_series_and_several_origins_are_scored_as_one_long_row():
    rng = np.random.default_rng(0)
    judged = []
    for name, level in (("a", 100.0), ("b", 5000.0)):
        series = series_of(20, name, level, gaps=0.1)
        judged += judge(series, [forecast_at(series, day, rng) for day in (16, 17, 19)], QUANTILES)
    scores = score(judged)
    wape, mase, pinball, coverage = loop_scores(judged)
    assert scores.wape == pytest.approx(wape)
    assert scores.mase == pytest.approx(mase)
    assert scores.pinball == pytest.approx(pinball)
    assert scores.coverage[0.9] == pytest.approx(coverage)
    assert scores.origins == 6
    assert scores.observed_steps == sum((~np.isnan(one.observed)).sum() for one in judged)


def test_the_scale_of_the_mase_comes_from_before_the_first_cutoff_alone():
    series = series_of(20)
    values = series.rate_rps.copy()
    values[16 * 24 :] *= 7
    changed = TrafficSeries("web", START, HOUR, values)
    training = series.rate_rps[: 16 * 24]
    for one in (series, changed):
        forecasts = [forecast_at(one, day, np.random.default_rng(0)) for day in (18, 16)]
        expected = np.mean(np.abs(training[168:] - training[:-168]))
        assert {origin.mase_scale for origin in judge(one, forecasts, QUANTILES)} == {expected}


def test_the_scale_is_that_of_a_day_where_less_than_two_weeks_come_before():
    series = series_of(14)
    (one,) = judge(series, [forecast_at(series, 10, np.random.default_rng(0))], QUANTILES)
    training = series.rate_rps[:240]
    assert one.mase_scale == np.mean(np.abs(training[24:] - training[:-24]))


def test_origins_come_in_order_of_their_cutoff():
    series = series_of(20)
    rng = np.random.default_rng(0)
    judged = judge(series, [forecast_at(series, day, rng) for day in (19, 16, 17)], QUANTILES)
    assert [(one.cutoff - START).days for one in judged] == [16, 17, 19]


def test_scores_are_in_the_unit_of_the_input():
    series = series_of(20)
    forecasts = [forecast_at(series, 16, np.random.default_rng(0))]
    rps = score(judge(series, forecasts, QUANTILES))
    requests = score(judge(series, forecasts, QUANTILES, per_rps=3600.0))
    assert requests.pinball == pytest.approx(3600 * rps.pinball)
    assert requests.scaled_pinball == pytest.approx(rps.scaled_pinball)
    assert requests.wape == pytest.approx(rps.wape)
    assert requests.mase == pytest.approx(rps.mase)
    assert requests.coverage == rps.coverage


def test_only_the_quantiles_asked_for_are_scored_and_the_median_is_known_all_the_same():
    series = series_of(20)
    (one,) = judge(series, [forecast_at(series, 16, np.random.default_rng(0))], (0.9,))
    assert one.forecasts.shape == (1, 24)
    assert list(score([one]).coverage) == [0.9]
    assert score([one]).wape > 0


def test_every_step_belongs_to_one_block_of_the_horizon():
    series = series_of(20)
    (one,) = judge(series, [forecast_at(series, 16, np.random.default_rng(0))], QUANTILES)
    scores = score([one])
    for name, hours in {
        "0-1h": range(1),
        "1-6h": range(1, 6),
        "6-12h": range(6, 12),
        "12-24h": range(12, 24),
    }.items():
        rows = list(hours)
        error = np.abs(one.observed[rows] - one.median[rows]).sum()
        assert scores.by_horizon[name].wape == pytest.approx(error / one.observed[rows].sum())
        share = (one.observed[rows] <= one.forecasts[2][rows]).mean()
        assert scores.by_horizon[name].coverage[0.9] == share


def test_blocks_that_a_short_horizon_does_not_reach_are_absent():
    series = series_of(20)
    short = forecast_at(series, 16, np.random.default_rng(0), steps=6)
    assert list(score(judge(series, [short], QUANTILES)).by_horizon) == ["0-1h", "1-6h"]


def test_a_baseline_is_scored_over_the_origins_at_which_it_spoke():
    series = series_of(20)
    rng = np.random.default_rng(0)
    spoke, mute = np.full(24, 80.0), {"rival": "gave up"}
    judged = judge(
        series,
        [
            forecast_at(series, 16, rng, baselines={"rival": spoke}),
            forecast_at(series, 17, rng, silent=mute),
        ],
        QUANTILES,
    )
    rival = score(judged).baselines["rival"]
    observed = judged[0].observed
    assert rival.origins == 1
    assert rival.wape == pytest.approx(np.abs(observed - 80).sum() / observed.sum())
    assert rival.mase == pytest.approx(np.abs(observed - 80).mean() / judged[0].mase_scale)


def test_a_baseline_that_never_spoke_has_no_score():
    series = series_of(20)
    rng = np.random.default_rng(0)
    silent = forecast_at(series, 16, rng, silent={"rival": "gave up"})
    rival = score(judge(series, [silent], QUANTILES)).baselines["rival"]
    assert (rival.origins, rival.by_horizon) == (0, {})
    assert math.isnan(rival.wape)


def test_the_model_is_the_one_of_most_origins():
    series = series_of(20)
    rng = np.random.default_rng(0)
    models = ["a", "b", "b"]
    forecasts = [
        forecast_at(series, 16 + day, rng, model=model) for day, model in enumerate(models)
    ]
    scores = score(judge(series, forecasts, QUANTILES))
    assert scores.model == "b"
    assert scores.models == {"a": 1, "b": 2}


def test_traffic_that_never_changes_has_no_mase_but_the_other_series_still_count():
    flat = TrafficSeries("flat", START, HOUR, np.full(480, 50.0))
    lively = series_of(20)
    rng = np.random.default_rng(0)
    judged = [
        *judge(flat, [forecast_at(flat, 16, rng)], QUANTILES),
        *judge(lively, [forecast_at(lively, 16, rng)], QUANTILES),
    ]
    assert math.isnan(score(judged[:1]).mase)
    assert score(judged).mase == score(judged[1:]).mase


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match="no origin"):
        score([])
