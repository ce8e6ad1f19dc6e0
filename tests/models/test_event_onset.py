from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.events import Calendar, Event
from forecaster.events.calendar import Overlap
from forecaster.events.course import course_knots
from forecaster.events.uplift import UpliftExample, UpliftModel
from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_onset import onset_peaks
from forecaster.models.event_track import look_ahead
from forecaster.traffic.history import TrafficSeries

STEP = timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
DAY_START = datetime(2026, 3, 2, tzinfo=UTC)
START = DAY_START + timedelta(hours=19)
HALF = timedelta(minutes=105)
LEAD_STEPS = 3
ZERO = DAY_START + timedelta(hours=17)


def examples(kind, factor, minutes=0.0, count=8):
    """As many events of the days before, each reaching ``factor`` in so many minutes."""
    knots = course_knots(HALF) / 60.0
    rise = np.clip((knots + minutes) / max(minutes, 1e-9), 0, 1) if minutes else knots >= 0
    ratio = np.log(factor) * rise
    return tuple(
        UpliftExample(START - timedelta(days=day), HALF, kind, 3.0, "", ratio)
        for day in range(count, 0, -1)
    )


def told(uplift, calendar, level=1.0, late=0):
    """Peaks (2, 180 rows from 17:00 on) over a path of 100 with traffic ``level`` times that.

    The lead window reaches ``late`` steps further.
    """
    series = TrafficSeries("a/b", ZERO, STEP, np.full(180, 100.0 * level))
    path = DayAheadPath(ZERO, STEP, np.full(300, 100.0, np.float32))
    ahead = look_ahead(uplift, calendar, DAY_START, ZERO, STEP, 300)
    steps = LEAD_STEPS + late
    return onset_peaks(
        series, np.arange(60, 180), steps, (0.5, 0.98), path, ahead.foreseen, ahead.onsets
    )


def minutes_spoken(found):
    """From when to when, in minutes from 19:00."""
    rows = np.flatnonzero(found.speaker >= 0) + 60
    return rows.min() - 120, rows.max() - 120


def event(kind="match", **others):
    return Event(START, START + HALF, kind, 3.0, **others)


def test_it_speaks_one_lead_window_ahead_at_the_level_of_now():
    uplift = UpliftModel(examples("match", 5.0))
    found = told(uplift, Calendar((event(),)), level=1.3)
    first, last = minutes_spoken(found)
    assert first in (-LEAD_STEPS - 2, -LEAD_STEPS - 1) and last in (-1, 0)
    spoken = found.peak_rps[:, found.speaker >= 0]
    np.testing.assert_allclose(spoken[0], 130 * 5, rtol=0.03)
    assert (spoken[1] > spoken[0]).all()
    assert np.isnan(found.peak_rps[:, found.speaker < 0]).all()


@given(
    st.integers(1, 8),
    st.integers(-40, 30),
    st.integers(0, 600),
    st.floats(1.6, 12.0),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_later_traffic_makes_no_onset_come_later(late, moved, unsure, factor, beside):
    """Where it would speak with traffic on time, it does with traffic of ``late`` steps ago."""
    uncertainty = timedelta(seconds=unsure)
    coming = event("premiere", uplift=factor, start_uncertainty=uncertainty)
    start = START + moved * MINUTE
    on = (Event(start, start + HALF, "show", 3.0, uplift=2.0, audience="x"),) if beside else ()
    uplift, calendar = UpliftModel(()), Calendar((coming, *on))
    on_time, reached = told(uplift, calendar), told(uplift, calendar, late=late)
    speaks = on_time.speaker[late:] >= 0
    assert (reached.speaker[:-late][speaks] >= 0).all()
    higher = reached.peak_rps[:, :-late][:, speaks] / on_time.peak_rps[:, late:][:, speaks]
    if not beside:
        assert higher.size and (higher > 1 - 1e-9).all()
    before = np.flatnonzero(on_time.speaker >= 0).min() - late
    assert before < 0 or np.flatnonzero(reached.speaker >= 0).min() == before


def test_what_comes_on_gently_is_left_to_live_traffic():
    uplift = UpliftModel(examples("match", 3.0, minutes=45.0))
    assert (told(uplift, Calendar((event(),))).speaker < 0).all()


def test_it_speaks_in_time_for_the_earliest_that_was_seen_not_for_their_mean():
    knots = course_knots(HALF) / 60.0

    def example(day, late):
        rise = np.log(5.0) * np.clip((knots - late) / 2, 0, 1)
        return UpliftExample(START - timedelta(days=day), HALF, "match", 3.0, "", rise)

    def first(*minutes):
        uplift = UpliftModel(tuple(example(len(minutes) - at, m) for at, m in enumerate(minutes)))
        return minutes_spoken(told(uplift, Calendar((event(),))))[0]

    punctual = first(*[0] * 10)
    assert first(-2, -2, *[0] * 4, 2, 2, 2, 2) == punctual - 2
    # One that came much earlier is another matter than being unpunctual.
    assert first(-8, *[0] * 9) >= punctual - 5


def test_an_uncertain_start_widens_it_both_ways():
    uplift = UpliftModel(examples("match", 5.0))
    plain = minutes_spoken(told(uplift, Calendar((event(),))))
    unsure = event(start_uncertainty=timedelta(minutes=10))
    wide = minutes_spoken(told(uplift, Calendar((unsure,))))
    assert (wide[0], wide[1]) == (plain[0] - 10, plain[1] + 10)


def test_what_is_declared_is_waited_for_some_minutes_more():
    found = told(UpliftModel(()), Calendar((event(uplift=5.0),)))
    first, last = minutes_spoken(found)
    assert first <= -LEAD_STEPS and 3 <= last <= 5
    np.testing.assert_allclose(found.peak_rps[0, found.speaker >= 0], 500, rtol=0.01)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_onsets_the_one_is_named_that_tells_the_highest_level(order):
    """Of one audience the smaller one adds nothing, whenever it begins."""
    match = event(uplift=5.0, audience="sport")
    start = START + order * MINUTE
    show = Event(start, start + HALF, "show", 3.0, uplift=1.8, audience="sport")
    uplift, calendar = UpliftModel(()), Calendar((match, show))
    alone, both = told(uplift, Calendar((match,))), told(uplift, calendar)
    ahead = look_ahead(uplift, calendar, DAY_START, ZERO, STEP, 300)
    named = [ahead.onsets[one].event.kind for one in both.speaker[alone.speaker >= 0]]
    assert named == ["match"] * len(named)


def test_neither_known_nor_declared_it_is_silent():
    assert (told(UpliftModel(()), Calendar((event(),))).speaker < 0).all()


@pytest.mark.parametrize(
    ("audience", "overlap", "factor"),
    [
        ("sport", Overlap.ADD, None),  # the match is the larger one: nothing to jump
        ("", Overlap.ADD, 7.0),
        ("", Overlap.MULTIPLY, 15.0),
        ("", Overlap.LARGEST, None),
    ],
)
def test_beside_a_larger_event_it_jumps_by_what_is_on_top(audience, overlap, factor):
    on = Event(START - 60 * MINUTE, START + 60 * MINUTE, "match", uplift=5.0, audience=audience)
    coming = Event(START, START + HALF, "show", uplift=3.0, audience=audience)
    calendar = Calendar((on, coming), (), overlap)
    found = told(UpliftModel(()), calendar, level=5.0)
    at = found.speaker[58] >= 0  # two minutes before
    assert at == (factor is not None)
    if factor is not None:
        assert found.peak_rps[0, 58] == pytest.approx(100 * factor, rel=0.02)
