import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest.baselines import seasonal_naive
from forecaster.backtest.report import InputUnit, build_report, forecast_rows, report_json
from forecaster.backtest.rolling_origin import (
    OriginFailure,
    RollingOrigin,
    forecast_origin,
    hold_out,
    origin_tasks,
)
from forecaster.errors import HistoryTooShort
from forecaster.models.selection import OutlookConfig
from forecaster.traffic.history import TrafficSeries

CONFIG = OutlookConfig(quantiles=(0.1, 0.5, 0.9), zoo=False)
REQUESTS = InputUnit("requests", 3600.0)
START = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def hourly(series_id, level=100.0):
    hours = np.arange(20 * 24)
    noise = np.random.default_rng(len(series_id)).gamma(20, 1 / 20, len(hours))
    wave = level * (1 + 0.5 * np.sin(hours / 24 * 2 * np.pi))
    return TrafficSeries(series_id, START, timedelta(hours=1), wave * noise)


def run(*series, days=3):
    holdouts = [hold_out(one, RollingOrigin(timedelta(days=days))) for one in series]
    tasks = origin_tasks(holdouts, CONFIG, {"seasonal_naive": seasonal_naive})
    return holdouts, [forecast_origin(task) for task in tasks]


@pytest.fixture(scope="module")
def two_series():
    return run(hourly("big", 1000.0), hourly("small"))


def test_the_json_has_the_promised_keys(two_series):
    document = report_json(build_report(*two_series, CONFIG.quantiles, REQUESTS), 1.25)
    outlook = document["outlook"]
    assert 0 < outlook["wape"] < 1
    assert outlook["mase"] > 0
    assert outlook["pinball"] > 0
    assert set(outlook["coverage"]) == {"0.1", "0.5", "0.9"}
    assert isinstance(outlook["model"], str)
    assert 0 < outlook["baselines"]["seasonal_naive"]["wape"] < 1
    assert list(outlook["by_horizon"]) == ["0-1h", "1-6h", "6-12h", "12-24h"]
    assert set(outlook["by_horizon"]["0-1h"]) == {"wape", "coverage"}
    assert list(document["series"]) == ["big", "small"]
    assert document["series"]["small"]["first_cutoff"] == "2026-03-19T07:30:00Z"
    assert document["seconds"] == 1.25


def test_the_pool_weighs_wape_by_traffic(two_series):
    report = build_report(*two_series, CONFIG.quantiles)
    big, small = report.series["big"], report.series["small"]
    pooled = (big.scores.wape * big.volume + small.scores.wape * small.volume) / (
        big.volume + small.volume
    )
    assert report.outlook.wape == pytest.approx(pooled)


def test_a_silent_outage_in_the_test_gives_null_and_never_nan():
    _, results = run(hourly("web"), days=1)
    values = hourly("web").rate_rps.copy()
    values[-24:] = np.nan
    gone = TrafficSeries("web", START, timedelta(hours=1), values)
    report = build_report([hold_out(gone, RollingOrigin(timedelta(days=1)))], results, (0.5,))
    document = report_json(report, 0.1)
    assert document["outlook"]["wape"] is None
    assert document["outlook"]["coverage"] == {"0.5": None}
    json.dumps(document, allow_nan=False)


def test_the_report_does_not_depend_on_the_order_in_which_forecasts_came(two_series):
    holdouts, results = two_series
    there = build_report(holdouts, results, CONFIG.quantiles, REQUESTS)
    back = build_report(holdouts, results[::-1], CONFIG.quantiles, REQUESTS)
    assert report_json(there, 0) == report_json(back, 0)
    assert list(forecast_rows(there)) == list(forecast_rows(back))


def test_rows_start_at_their_cutoff_and_hold_every_step_of_every_quantile():
    holdouts, results = run(hourly("web"))
    rows = list(forecast_rows(build_report(holdouts, results, CONFIG.quantiles, REQUESTS)))
    assert rows[0] == ("cutoff", "timestamp", "quantile", "value")
    assert len(rows) == 1 + 3 * 3 * 24
    assert rows[1][:3] == ("2026-03-19T07:30:00Z", "2026-03-19T07:30:00Z", "0.1")
    assert rows[24][1] == "2026-03-20T06:30:00Z"


def test_rows_are_in_the_unit_of_the_input():
    holdouts, results = run(hourly("web"))
    rows = list(forecast_rows(build_report(holdouts, results, CONFIG.quantiles, REQUESTS)))
    first = min(results, key=lambda one: one.cutoff)
    assert float(rows[1][3]) == pytest.approx(first.rate_rps[0, 0] * 3600, rel=1e-9)


def test_rows_of_several_series_name_them(two_series):
    rows = list(forecast_rows(build_report(*two_series, (0.5,))))
    assert rows[0] == ("cutoff", "timestamp", "quantile", "value", "series")
    assert {row[-1] for row in rows[1:]} == {"big", "small"}


def test_quantiles_that_are_nearly_the_same_stay_apart():
    config = OutlookConfig(quantiles=(0.5, 0.98, 0.9800001), zoo=False)
    holdout = hold_out(hourly("web"), RollingOrigin(timedelta(days=1)))
    results = [forecast_origin(task) for task in origin_tasks([holdout], config, {})]
    report = build_report([holdout], results, config.quantiles)
    document = report_json(report, 0.1)
    assert list(document["outlook"]["coverage"]) == ["0.5", "0.98", "0.9800001"]
    assert [repr(one) for one in document["quantiles"]] == list(document["outlook"]["coverage"])
    rows = list(forecast_rows(report))[1:]
    assert len({row[:3] for row in rows}) == len(rows) == 3 * 24


def test_what_was_left_out_is_said(two_series):
    holdouts, results = two_series
    last = results[-1]
    failed = OriginFailure(last.series_id, last.cutoff, "too short")
    report = build_report(
        holdouts, [*results[:-1], failed], CONFIG.quantiles, skipped={"tiny": "8h of traffic"}
    )
    assert report.notices == (
        "tiny: the outlook is not scored: 8h of traffic",
        "small: no outlook at 2026-03-21T07:30:00Z: too short",
    )
    assert report.outlook.origins == 5


def test_long_lists_of_what_was_left_out_are_cut(two_series):
    skipped = {f"s{number}": "8h of traffic" for number in range(12)}
    report = build_report(*two_series, CONFIG.quantiles, skipped=skipped)
    assert len(report.notices) == 6
    assert report.notices[-1] == "… and 7 more series"


def test_without_a_single_forecast_the_reason_is_raised(two_series):
    holdouts, _ = two_series
    failures = [OriginFailure("big", START, "no traffic was observed")]
    with pytest.raises(HistoryTooShort, match="no traffic was observed"):
        build_report(holdouts[:1], failures, CONFIG.quantiles)
