from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.shifted import ShiftedSample, shift_to

MINUTE = timedelta(minutes=1)
OFFSET = timedelta(days=10_000, minutes=7)


def test_an_interval_of_the_trace_happens_one_offset_later(tournament: TrafficSeries) -> None:
    fetch = ShiftedSample(OFFSET, "tv/api")()
    start = datetime(1998, 6, 18, 15, tzinfo=UTC) + OFFSET
    fetched = fetch(start, start + 30 * MINUTE, MINUTE)
    assert fetched.history is not None
    (series,) = fetched.history
    assert series.series_id == "tv/api"
    assert series.start == start
    first = tournament.index_of(start - OFFSET)
    np.testing.assert_array_equal(series.rate_rps, tournament.rate_rps[first : first + 30])


def test_a_range_between_steps_is_rounded_inwards() -> None:
    fetch = ShiftedSample(OFFSET)()
    start = datetime(1998, 6, 18, 15, 0, 20, tzinfo=UTC) + OFFSET
    history = fetch(start, start + 5 * MINUTE, MINUTE).history
    assert history is not None
    (series,) = history
    assert series.start == start + timedelta(seconds=40)
    assert series.end == start + timedelta(seconds=280)


def test_before_the_recording_there_are_gaps_and_beyond_it_nothing(
    tournament: TrafficSeries,
) -> None:
    fetch = ShiftedSample(OFFSET)()
    begins, ends = tournament.start + OFFSET, tournament.end + OFFSET
    history = fetch(begins - 3 * MINUTE, begins + 2 * MINUTE, MINUTE).history
    assert history is not None
    assert np.isnan(next(iter(history)).rate_rps).tolist() == [True, True, True, False, False]
    assert fetch(ends, ends + 5 * MINUTE, MINUTE).history is None


def test_another_step_than_the_trace_has_is_not_made_up() -> None:
    start = datetime(1998, 6, 18, 15, tzinfo=UTC) + OFFSET
    fetched = ShiftedSample(OFFSET)()(start, start + timedelta(hours=1), timedelta(minutes=5))
    assert fetched.history is None
    assert "0:01:00" in fetched.warnings[0]


def test_it_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(ShiftedSample(OFFSET))) == ShiftedSample(OFFSET)


@pytest.mark.parametrize("late", [0, 1, 59])
def test_a_shift_is_whole_minutes_and_less_than_one_late(late: int) -> None:
    recorded = datetime(1998, 6, 18, 15, 10, tzinfo=UTC)
    now = datetime(2026, 11, 22, 13, 7, late, tzinfo=UTC)
    offset = shift_to(recorded, now)
    assert offset % MINUTE == timedelta(0)
    assert timedelta(0) <= now - (recorded + offset) < MINUTE
