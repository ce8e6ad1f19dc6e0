"""The figure of a measured capacity."""

from datetime import timedelta

import numpy as np
import pytest

from forecaster.planning.measured_capacity import Measured, Refused, measure_capacity
from forecaster.planning.measured_capacity_points import load_steps
from forecaster.plots.capacity import capacity_figure
from tests.planning.load_simulation import Load, cached

RELEASED = Load(release_day=7.4, release_factor=1.3, fixed_replicas=40)


def figure_of(load, target=0.7):
    signals = cached(load)
    found = measure_capacity(*signals.each(), target, signals.now)
    steps = load_steps(*signals.each(), signals.now)
    return found, capacity_figure("tv/api", steps, found, target)


def trace(figure, name):
    return next(one for one in figure.data if one.name == name)


def test_the_line_reaches_the_target_at_the_capacity():
    found, figure = figure_of(RELEASED)
    assert isinstance(found, Measured)
    line = trace(figure, "the line")
    assert np.interp(0.7, line.y, line.x) == pytest.approx(found.capacity_rps)
    (dashed,) = [one for one in figure.layout.shapes if one.y0 == one.y1 == 0.7]
    assert dashed.line.dash == "dash"
    (stripe,) = [one for one in figure.layout.shapes if one.type == "rect"]
    assert (stripe.x0, stripe.x1) == (found.low_rps, found.high_rps)


def test_the_band_is_as_wide_at_the_target_as_the_interval():
    found, figure = figure_of(RELEASED)
    half = found.line.half_width(found.capacity_rps)
    by_line = half / found.line.per_rps / found.capacity_rps
    by_interval = (found.high_rps - found.low_rps) / 2 / found.capacity_rps
    assert by_line == pytest.approx(np.sqrt(by_interval**2 - 0.01**2), rel=0.1)
    high = trace(figure, "90 % interval")
    line = trace(figure, "the line")
    assert (np.array(high.y) >= np.array(line.y)).all()


def test_what_was_before_a_release_is_grey():
    _, figure = figure_of(RELEASED)
    grey, used = trace(figure, "left out"), trace(figure, "means of 5m")
    assert len(grey.x) > 300
    assert len(used.x) > 300
    dear = np.array(used.y) / np.array(used.x)
    cheap = np.array(grey.y) / np.array(grey.x)
    busy_used, busy_grey = np.array(used.x) > 40, np.array(grey.x) > 40
    assert np.median(dear[busy_used]) > 1.15 * np.median(cheap[busy_grey])


def test_a_refusal_shows_its_bounds():
    found, figure = figure_of(Load(limit=0.3, fixed_replicas=30))
    assert isinstance(found, Refused)
    texts = [one.text for one in figure.layout.annotations]
    assert any(text.startswith("at most") for text in texts)
    assert "saturated" in figure.layout.title.text
    assert "the line" not in [one.name for one in figure.data]


def test_points_are_thinned():
    _, figure = figure_of(RELEASED)
    assert all(len(one.x) <= 700 for one in figure.data if one.mode == "markers")


def test_a_history_without_a_common_step_has_a_figure_too():
    signals = cached(RELEASED)
    before = signals.traffic.start - timedelta(days=1)
    found = measure_capacity(*signals.each(), 0.7, before)
    figure = capacity_figure("tv/api", load_steps(*signals.each(), before), found, 0.7)
    assert "missing" in figure.layout.title.text
