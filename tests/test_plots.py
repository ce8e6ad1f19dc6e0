import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest import (
    InputUnit,
    RollingOrigin,
    build_report,
    forecast_origin,
    hold_out,
    origin_tasks,
    seasonal_naive,
)
from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.models.selection import OutlookConfig
from forecaster.planning import ScalingRule, build_plan
from forecaster.plots import EventSpan, PageTable, backtest_figure, figures_page, outlook_figure
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 3, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)


def wave(hours, level=300.0):
    return level * (1.2 + np.sin(np.arange(hours) / 24 * 2 * np.pi))


@pytest.fixture(scope="module")
def outlook():
    spread = np.linspace(0.4, 1.9, len(DEFAULT_QUANTILES))[:, np.newaxis]
    return Outlook("web", START, START, HOUR, DEFAULT_QUANTILES, spread * wave(49), "profile")


@pytest.fixture(scope="module")
def plan(outlook):
    return build_plan(outlook, ScalingRule(capacity_rps=50))


@pytest.fixture(scope="module")
def history():
    values = wave(96)
    values[60:63] = np.nan
    return TrafficSeries("web", START - timedelta(hours=96), HOUR, values)


@pytest.fixture(scope="module")
def report():
    values = wave(20 * 24) * np.random.default_rng(1).gamma(50, 1 / 50, 20 * 24)
    series = TrafficSeries("web", START, HOUR, values)
    holdout = hold_out(series, RollingOrigin(timedelta(days=3)))
    rivals = {f"rival{n}": seasonal_naive for n in range(6)} | {"seasonal_naive": seasonal_naive}
    tasks = origin_tasks([holdout], OutlookConfig(zoo=False), rivals)
    results = [forecast_origin(task) for task in tasks]
    return build_report([holdout], results, DEFAULT_QUANTILES, InputUnit("requests", 3600.0))


def trace(figure, name):
    (found,) = [one for one in figure.data if one.name == name]
    return found


def test_the_outlook_is_drawn_as_it_is(outlook):
    figure = outlook_figure(None, outlook)
    assert np.array_equal(trace(figure, "outlook, 0.5").y, outlook.at(0.5))
    assert np.array_equal(trace(figure, "outlook, 0.1 to 0.9").y, outlook.at(0.9))
    assert figure.layout.yaxis.title.text == "requests per second"
    assert figure.layout.xaxis.title.text == "time (UTC)"


def test_the_plan_has_a_panel_of_its_own_with_steps(outlook, plan):
    figure = outlook_figure(None, outlook, plan=plan)
    target = trace(figure, "target")
    assert np.array_equal(target.y, plan.replicas)
    assert target.line.shape == "hv"
    assert target.yaxis == "y2"
    assert len(target.x) == len(plan)
    assert np.array_equal(trace(figure, "planning quantile, 0.98").y, outlook.at(0.98))


def test_only_the_tail_of_the_past_is_shown_and_gaps_stay_gaps(history, outlook):
    observed = trace(outlook_figure(history, outlook, tail=timedelta(hours=48)), "observed")
    assert len(observed.x) == 48
    assert np.isnan(observed.y[12:15]).all()
    assert observed.connectgaps is False


def test_what_came_true_may_be_shown_beside_the_outlook(outlook):
    later = TrafficSeries("web", START - timedelta(hours=24), HOUR, wave(200))
    observed = trace(outlook_figure(later, outlook, tail=timedelta(hours=24)), "observed")
    assert len(observed.x) == 24 + 49


def test_clocks_are_those_of_the_zone_through_a_change_of_it(outlook):
    figure = outlook_figure(None, outlook, timezone="Europe/Paris")
    times = trace(figure, "outlook, 0.5").x
    assert np.datetime64(times[0], "h") == np.datetime64("2026-03-28T01", "h")
    assert np.datetime64(times[-1], "h") == np.datetime64("2026-03-30T02", "h")
    assert figure.layout.xaxis.title.text == "time (Europe/Paris)"


def test_events_are_bands_behind_both_panels(outlook, plan):
    match = EventSpan(START + 20 * HOUR, START + 22 * HOUR, "A final")
    figure = outlook_figure(None, outlook, plan=plan, events=[match])
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [band.x0 for band in bands] == [datetime(2026, 3, 28, 20)] * 2
    assert {band.layer for band in bands} == {"below"}
    assert [one.text for one in figure.layout.annotations if one.text] == ["A final"]


def test_events_are_bands_behind_the_forecasts_of_a_backtest(report):
    first = next(iter(report.series.values())).origins[0].cutoff
    match = EventSpan(first + HOUR, first + 3 * HOUR, "A final")
    figure = backtest_figure(report, events=[match])
    (band,) = [one for one in figure.layout.shapes if one.name == "event"]
    assert (band.xref, band.x0) == ("x", (first + HOUR).replace(tzinfo=None))
    assert "A final" in [one.text for one in figure.layout.annotations]
    assert not backtest_figure(report).layout.shapes


def test_the_forecasts_of_all_origins_are_drawn_in_the_unit_of_the_input(report):
    figure = backtest_figure(report)
    observed = trace(figure, "observed")
    assert len(observed.x) == 72
    assert np.allclose(observed.y, report.series["web"].series.rate_rps[-72:] * 3600)
    assert figure.layout.yaxis.title.text == "requests per 1h"


def test_the_calibration_is_that_of_the_report(report):
    figure = backtest_figure(report)
    (line,) = [one for one in figure.data if one.xaxis == "x2" and one.mode == "lines+markers"]
    assert dict(zip(line.x, line.y, strict=True)) == dict(report.outlook.coverage)


def test_every_rival_is_there_and_the_first_few_are_shown(report):
    lines = [one for one in backtest_figure(report).data if one.xaxis == "x3"]
    assert [one.name for one in lines][:2] == ["outlook", "seasonal_naive"]
    assert len(lines) == 8
    assert [one.visible for one in lines] == [True] * 4 + ["legendonly"] * 4
    assert len({one.line.color for one in lines}) == 7  # no more than one colour twice


def test_an_unknown_series_is_refused(report):
    with pytest.raises(KeyError):
        backtest_figure(report, "db")


def test_a_page_holds_the_script_once_and_asks_the_network_for_nothing(outlook, report):
    page = figures_page("Two", [outlook_figure(None, outlook), backtest_figure(report)])
    assert page.count("Plotly.newPlot(") == 2
    assert page.count("* plotly.js v") == 1
    assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=", page)
    assert "<link" not in page


def test_text_on_a_page_is_escaped():
    table = PageTable("<b>", ["a & b"], [["<script>alert(1)</script>"]])
    page = figures_page("<i>title</i>", [], tables=[table], notes=["1 < 2"])
    assert "<script>alert" not in page
    assert "<i>title" not in page
    assert "a &amp; b" in page
    assert "1 &lt; 2" in page


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not here")
def test_a_browser_draws_the_page_without_a_network(tmp_path, history, outlook, plan, report):
    page = tmp_path / "page.html"
    figures = [outlook_figure(history, outlook, plan=plan), backtest_figure(report)]
    page.write_text(figures_page("Both", figures))
    drawn = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=8000"),
            *(f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert drawn.count('class="main-svg"') >= 2
    assert "observed" in drawn
    assert drawn.count('class="trace scatter') >= 10
