"""The frontier's figure draws what was tried, and says what was not reached."""

import pytest

from forecaster.backtest import SweptPoint, build_frontier
from forecaster.plots import frontier_figure


def point(policy, unserved, slack, **setting):
    return SweptPoint(policy, setting, unserved, slack)


@pytest.fixture(scope="module")
def figure():
    return frontier_figure(
        build_frontier(
            [
                point("hpa", 0.008, 0.10, utilisation=0.9),
                point("hpa", 0.004, 0.20, utilisation=0.8),
                point("preroll", 0.003, 0.08, quantile=0.9, utilisation=1.0),
                point("preroll", 0.0015, 0.15, quantile=0.98, utilisation=1.0),
            ]
        )
    )


def drawn(figure, name, mode):
    (trace,) = [one for one in figure.data if one.name == name and one.mode == mode]
    return list(zip(trace.x, trace.y, strict=True))


def test_markers_stand_at_the_targets_that_were_reached(figure):
    assert drawn(figure, "Preroll", "markers") == [(0.01, 8.0), (0.005, 8.0), (0.002, 15.0)]
    assert drawn(figure, "HPA alone", "markers") == [(0.01, 10.0), (0.005, 20.0)]


def test_lines_are_steps_from_point_to_point(figure):
    line = drawn(figure, "HPA alone", "lines")
    assert line[:2] == [(0.004, 20.0), (0.008, 10.0)]
    assert line[2] == (pytest.approx(0.022), 10.0)
    assert {one.line.shape for one in figure.data if one.mode == "lines"} == {"hv"}


def test_who_did_not_reach_a_target_is_named_below(figure):
    (note,) = figure.layout.annotations
    assert note.text.split("<br>") == [
        "0.2 % was not reached by HPA alone.",
        "0.1 % was not reached by HPA alone and Preroll.",
    ]
    assert (note.yref, note.y, note.yanchor) == ("paper", 0, "top")
    assert -note.yshift + 18 * 2 < figure.layout.margin.b


def test_the_axis_is_logarithmic_and_tells_its_targets(figure):
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["0.1 %", "0.2 %", "0.5 %", "1 %"]


def test_a_marker_tells_its_setting(figure):
    (trace,) = [one for one in figure.data if one.name == "Preroll" and one.mode == "markers"]
    assert trace.text[2] == (
        "Preroll: 15 % slack at 0.2 % unserved<br>0.98 quantile, HPA beneath at 100 %"
    )
