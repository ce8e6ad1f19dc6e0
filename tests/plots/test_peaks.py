import math

import pytest

from forecaster.backtest.peak_scores import PeakScores
from forecaster.plots import peak_calibration_figure


def test_asked_and_observed_are_shares_that_were_exceeded():
    scores = PeakScores({0.5: 0.48, 0.9: 0.91, 0.98: 0.985}, 1.0, 1.0, 4000)
    line = peak_calibration_figure(scores).data[1]
    assert list(line.x) == pytest.approx([0.5, 0.1, 0.02])
    assert list(line.y) == pytest.approx([0.52, 0.09, 0.015])
    assert line.text[2] == "0.98 quantile: coverage 0.9850, exceeded in 1.5 %, asked 2 %"


def test_a_quantile_that_was_never_exceeded_lies_open_at_the_edge():
    scores = PeakScores({0.9: 0.88, 0.99: 1.0}, 1.0, 1.0, 500)
    figure = peak_calibration_figure(scores)
    line = figure.data[1]
    assert list(line.marker.symbol) == ["circle", "circle-open"]
    assert math.log10(line.y[1]) == pytest.approx(figure.layout.yaxis.range[0])
    assert line.y[1] < 0.01
