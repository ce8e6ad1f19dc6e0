"""Figures of a replay show what was replayed."""

from datetime import timedelta

import numpy as np
import pytest

from forecaster.backtest import InputUnit
from forecaster.plots import ForecastLines, replay_figure
from tests.backtest.proof_cases import make_series_proof


@pytest.fixture(scope="module")
def one():
    return make_series_proof(frontier=False)


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_traffic_and_forecasts_are_drawn_in_the_units_of_the_input(one):
    lead_peak, median = one.decisions.at(0.98), one.decisions.median_rps
    forecast = ForecastLines(0.98, lead_peak, median, (median * 0.8, median * 1.2))
    figure = replay_figure(
        one.span, one.settings, one.replays, forecast, unit=InputUnit("requests", 300.0)
    )
    for name, values in (
        ("traffic", one.span.rate_rps),
        ("lead peak, 0.98 quantile", lead_peak),
        ("outlook, 0.5", median),
        ("outlook, 0.1 to 0.9", median * 1.2),
    ):
        (trace,) = traces(figure, name)
        assert np.allclose(trace.y, values * 300, equal_nan=True), name
    assert figure.layout.yaxis.title.text == "requests per 5m"


def test_ready_and_missing_replicas_are_those_of_the_replay(one):
    figure = replay_figure(one.span, one.settings, one.replays)
    ready, missing = traces(figure, "HPA alone")
    assert np.allclose(ready.y, one.replays["hpa"].ready)
    assert np.allclose(missing.y, np.nan_to_num(one.replays["hpa"].short))
    assert np.nanmax(missing.y) > 0
    assert (ready.yaxis, missing.yaxis) == ("y2", "y3")
    (needed,) = traces(figure, "needed")
    seen = one.span.observed
    assert np.isnan(needed.y[~seen]).all()
    assert np.array_equal(needed.y[seen], np.ceil(one.span.rate_rps[seen] / 10.0))


def test_preroll_and_the_hpa_are_shown_and_the_others_wait_in_the_legend(one):
    figure = replay_figure(one.span, one.settings, one.replays)
    visible = {trace.name: trace.visible for trace in figure.data if trace.legendgroup}
    assert visible == {"Preroll": True, "HPA alone": True, "schedule + HPA": "legendonly"}


def test_a_part_of_the_span_may_be_shown_in_the_audiences_clock(one):
    begin = one.span.start + timedelta(hours=20)
    within = (begin, begin + timedelta(hours=2))
    figure = replay_figure(
        one.span, one.settings, one.replays, within=within, timezone="Europe/Paris"
    )
    (traffic,) = traces(figure, "traffic")
    assert len(traffic.x) == 24
    assert (traffic.x[0], traffic.x[-1]) == ("2026-06-03T22:00", "2026-06-03T23:55")
    assert np.allclose(traffic.y, one.span.rate_rps[240:264])


def test_a_band_far_wider_than_all_traffic_does_not_flatten_it(one):
    median = one.decisions.median_rps
    forecast = ForecastLines(0.98, None, median, (median * 0, median * 100))
    figure = replay_figure(one.span, one.settings, {}, forecast)
    low, high = figure.layout.yaxis.range
    assert low == 0
    assert np.nanmax(one.span.rate_rps) < high < 1.3 * np.nanmax(one.span.rate_rps)


def test_a_part_that_reaches_beyond_the_span_ends_with_it(one):
    end = one.series.end
    within = (end - timedelta(minutes=10), end + timedelta(hours=5))
    (traffic,) = traces(replay_figure(one.span, one.settings, {}, within=within), "traffic")
    assert len(traffic.x) == 2


def test_a_long_span_is_thinned_and_keeps_its_peak(one):
    figure = replay_figure(one.span, one.settings, one.replays, stretches=50)
    (traffic,) = traces(figure, "traffic")
    assert len(traffic.x) < 160
    assert np.nanmax(traffic.y) == pytest.approx(np.nanmax(one.span.rate_rps))
    assert np.isnan(traffic.y).any(), "the gap is still there"
