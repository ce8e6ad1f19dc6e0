from datetime import datetime, timedelta

import numpy as np

from forecaster.backtest import InputUnit
from forecaster.plots import EventSpan, traffic_figure
from forecaster.traffic.history import TrafficSeries
from tests.backtest.replay_cases import MIDNIGHT


def test_traffic_is_thinned_in_the_units_of_the_input_and_keeps_gaps_and_peaks():
    rates = np.random.default_rng(1).uniform(1, 2, 30_000)
    rates[17_001] = 9.0
    rates[500:600] = np.nan
    series = TrafficSeries("web", MIDNIGHT, timedelta(minutes=1), rates)
    figure = traffic_figure(series, unit=InputUnit("requests", 60.0))
    (line,) = figure.data
    assert len(line.y) < 2200
    assert np.nanmax(line.y) == 540.0
    assert np.isnan(line.y).any()
    assert figure.layout.yaxis.title.text == "requests per 1m"


def test_events_stand_behind_it_in_the_audiences_clock():
    series = TrafficSeries("web", MIDNIGHT, timedelta(hours=1), np.ones(48))
    match = EventSpan(series.start + timedelta(hours=20), series.start + timedelta(hours=22), "A")
    figure = traffic_figure(series, events=[match], timezone="Europe/Paris")
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (datetime(2026, 6, 1, 22), datetime(2026, 6, 2, 0))
    assert figure.layout.xaxis.title.text == "time (Europe/Paris)"
