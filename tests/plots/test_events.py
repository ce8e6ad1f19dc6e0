import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from plotly.subplots import make_subplots

from forecaster.backtest.verdict import give_verdict
from forecaster.events import Calendar, DailyWindow, Event, Selector
from forecaster.plots import EventSpan, event_spans, proof_page
from forecaster.plots.events import add_events
from forecaster.plots.proof_part import proof_part
from tests.backtest.proof_cases import make_proof

START = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = (START, START + timedelta(days=7))


def figure(events, shown=WEEK, rows=2, **more):
    fig = make_subplots(rows=rows, cols=1)
    fig.add_scatter(x=list(shown), y=[0, 1], row=1, col=1)
    add_events(fig, events, "Europe/Paris", shown=shown, rows=rows, **more)
    return fig


def labels(fig):
    return [one.text for one in fig.layout.annotations]


def test_bands_stand_behind_every_panel_and_the_legend_names_them_once():
    fig = figure([EventSpan(START + 20 * HOUR, START + 22 * HOUR, "A v B")])
    assert [(one.xref, one.yref) for one in fig.layout.shapes] == [
        ("x", "y domain"),
        ("x2", "y2 domain"),
    ]
    assert {one.x0 for one in fig.layout.shapes} == {datetime(2026, 6, 1, 22)}
    assert labels(fig) == ["A v B"]
    assert [one.name for one in fig.data if one.name] == ["event"]
    assert fig.data[-1].hovertext[0] == "A v B, 22:00–00:00"


def test_of_many_those_with_room_have_a_label_and_all_tell_theirs_under_the_pointer():
    starts = [START + n * 2 * HOUR for n in range(80)]
    many = [EventSpan(at, at + HOUR, f"show {n}") for n, at in enumerate(starts)]
    fig = figure(many, rows=1)
    assert len(fig.layout.shapes) == 80
    assert 10 <= len(labels(fig)) <= 20
    places = [one.x for one in fig.layout.annotations]
    least = min(b - a for a, b in itertools.pairwise(places))
    assert least >= (WEEK[1] - WEEK[0]) / 20
    assert len(set(fig.data[-1].hovertext)) == 80


def test_those_of_the_same_time_are_one_band_and_a_long_label_is_cut():
    two = [EventSpan(START + HOUR, START + 3 * HOUR, name) for name in ("A v B", "C v D")]
    long = EventSpan(START + timedelta(days=2), START + timedelta(days=3), "x" * 200)
    fig = figure([*two, long], rows=1)
    assert len(fig.layout.shapes) == 2
    assert labels(fig)[0] == "A v B · C v D"
    assert len(labels(fig)[1]) == 28


def test_what_lies_outside_is_left_out_and_what_reaches_in_is_cut():
    before = EventSpan(START - 3 * HOUR, START - HOUR, "before")
    into = EventSpan(START - HOUR, START + HOUR, "into")
    fig = figure([before, into], rows=1)
    (band,) = fig.layout.shapes
    assert (band.x0, band.x1) == (datetime(2026, 6, 1, 2), datetime(2026, 6, 1, 3))
    assert not figure([before]).layout.shapes


def test_a_calendar_gives_its_events_and_rules_by_their_names():
    pattern = Event(START, START + HOUR, "news")
    rule = DailyWindow(
        (START + 18 * HOUR).time(), (START + 19 * HOUR).time(), "UTC", replace(pattern)
    )
    match = replace(pattern, kind="football", name="A v B")
    spans = event_spans(Calendar((match,), (rule,)), START, START + 48 * HOUR)
    assert [one.label for one in spans] == ["A v B", "news", "news"]


@pytest.mark.parametrize(("workload", "marked"), [("streaming/*", True), ("other/*", False)])
def test_a_backtests_page_marks_the_events_that_concern_its_series(workload, marked):
    plain = make_proof()
    (name,) = plain.series
    span = plain.series[name].span
    event = Event(
        span.at(3600.0),
        span.at(7200.0),
        "football",
        name="A final",
        selector=Selector(workloads=(workload,)),
    )
    proof = replace(plain, asked=replace(plain.asked, calendar=Calendar((event,))))
    part = proof_part(proof, name, give_verdict(proof.series[name], "UTC"), "UTC", "")
    assert [one.label for one in part.events] == (["A final"] if marked else [])
    assert ("A final" in proof_page(proof, title="x")) is marked
    assert "A final" not in proof_page(plain, title="x")
