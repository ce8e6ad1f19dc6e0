from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.errors import HistoryTooShort
from forecaster.events import Calendar, Event
from forecaster.events.uplift import UpliftModel
from forecaster.models.event_track import look_ahead, track_by_day
from forecaster.models.peak.event_features import EVENT_FEATURES, event_matrix
from forecaster.models.peak.features import FEATURES, decisions_at, expected_rise, feature_matrix
from forecaster.models.peak.training import teaching_rows, train_lead_peak
from forecaster.traffic.history import TrafficSeries

STEP = timedelta(minutes=1)
ZERO = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEAD_STEPS = 3
SERIES = TrafficSeries("a/b", ZERO, STEP, np.full(600, 50.0))
NOTHING = UpliftModel(())


def show(hours, importance=4.0):
    start = ZERO + hours * HOUR
    return Event(start, start + HOUR, "show", importance, uplift=2.0)


def features(*events, rows):
    track = look_ahead(NOTHING, Calendar(events), ZERO, ZERO, STEP, 1000).track
    matrix = event_matrix(SERIES, track, LEAD_STEPS, np.array(rows))
    return {name: matrix[:, place] for place, name in enumerate(EVENT_FEATURES)}


def test_before_within_and_after_a_declared_event():
    found = features(show(5), rows=[120, 295, 330, 358, 420])
    assert found["event_now"] == pytest.approx([0, 0, np.log(2), np.log(2), 0], abs=1e-6)
    # Two minutes more than the lead window are looked at: 295 + 3 + 2 is the start.
    assert found["event_rise"].tolist() == pytest.approx([0, np.log(2), 0, 0, 0], abs=0.01)
    assert found["event_fall"][3] < -0.3
    assert found["event_minutes_to_start"].tolist() == [180, 5, 180, 180, 180]
    assert found["event_minutes_since_start"].tolist() == [180, 180, 30, 58, 120]
    assert found["event_minutes_to_end"].tolist() == [-180, -180, 30, 2, -60]
    assert found["event_importance"].tolist() == [0, 4, 4, 4, 0]


def test_the_longer_of_two_that_overlap_tells_the_end():
    long = Event(ZERO + 4 * HOUR, ZERO + 7 * HOUR, "night", 1.0, uplift=1.5)
    found = features(long, show(5), rows=[370])
    assert found["event_minutes_to_end"].tolist() == [50]
    assert found["event_minutes_since_start"].tolist() == [70]


def test_where_every_window_has_an_onset_there_is_too_little_left_to_learn_from():
    """Every three hours one, and a lead time as long."""
    step, zero = timedelta(minutes=5), datetime(2026, 3, 2, tzinfo=UTC)
    series = TrafficSeries("a/b", zero, step, np.full(10 * 288, 100.0))
    starts = [zero + 3 * place * HOUR for place in range(80)]
    events = [
        Event(at, at + timedelta(minutes=10), f"show-{place % 4}", uplift=5.0)
        for place, at in enumerate(starts)
    ]
    track = track_by_day(NOTHING, Calendar(tuple(events)), series.end, zero, step, len(series))
    said = "0 whole lead windows of 3h5m over 0s without an onset of an event were observed"
    with pytest.raises(HistoryTooShort, match=said):
        train_lead_peak(series, series.end, None, 36, track=track)


def test_without_an_event_nothing_is_near():
    found = features(rows=[10, 500])
    assert not np.any(list(found.values())[:6])
    assert found["event_minutes_to_start"].tolist() == [180, 180]
    assert found["event_minutes_to_end"].tolist() == [-180, -180]


def test_they_stand_behind_the_others_and_change_none_of_them():
    track = look_ahead(NOTHING, Calendar((show(5),)), ZERO, ZERO, STEP, 1000).track
    rows = np.array([100, 297])
    with_events = feature_matrix(decisions_at(SERIES, None, LEAD_STEPS, rows, track))
    without = feature_matrix(decisions_at(SERIES, None, LEAD_STEPS, rows))
    assert with_events.shape == (2, len(FEATURES) + len(EVENT_FEATURES))
    np.testing.assert_array_equal(with_events[:, : len(FEATURES)], without)
    assert expected_rise(without).tolist() == [0, 0]
    assert expected_rise(with_events) == pytest.approx([0, np.log(2)], abs=0.01)


def test_a_row_that_teaches_sees_no_event_of_the_next_day():
    """Counted back from the end a day begins at row 0 + 1440 · k: row 1439 looks beyond it."""
    steps = 2 * 1440
    series = TrafficSeries("a/b", ZERO, STEP, np.full(steps, 50.0))
    begin = ZERO + timedelta(days=1)
    calendar = Calendar((Event(begin + 2 * STEP, begin + HOUR, "show", uplift=3.0),))
    track = track_by_day(NOTHING, calendar, series.end, ZERO, STEP, steps + 200)
    taught = teaching_rows(series, None, LEAD_STEPS, np.array([1439, 1441]), 0.5, track)
    rise = taught.features[:, len(FEATURES) + EVENT_FEATURES.index("event_rise")]
    assert np.isnan(rise[0])
    assert rise[1] > 0.5
