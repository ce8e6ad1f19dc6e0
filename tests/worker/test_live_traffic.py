"""The last hours of traffic in memory: late, missing and partial intervals."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.traffic.history import TrafficSeries
from forecaster.worker.live_traffic import LiveTraffic, joined
from tests.worker.sources import MINUTE, NOW, fleet

NAN = float("nan")


def series(first, *rates, step=MINUTE):
    """Traffic from ``first`` minutes after NOW on."""
    return TrafficSeries("tv/a", NOW + first * MINUTE, step, np.array(rates, dtype=float))


def test_an_interval_that_comes_late_fills_its_gap():
    old = series(0, 1, 2, NAN, NAN)
    after = joined(old, series(1, 2, 3, NAN, 5), 100)
    np.testing.assert_array_equal(after.rate_rps, [1, 2, 3, NAN, 5])
    assert after.start == NOW


def test_an_interval_that_was_half_there_is_replaced_by_the_whole():
    np.testing.assert_array_equal(joined(series(0, 1, 2), series(1, 4), 100).rate_rps, [1, 4])


def test_what_was_known_is_not_lost_to_an_answer_with_a_gap():
    np.testing.assert_array_equal(joined(series(0, 1, 2), series(1, NAN), 100).rate_rps, [1, 2])


def test_another_grid_takes_the_place_of_the_old_one():
    half = TrafficSeries("tv/a", NOW + MINUTE / 2, MINUTE, np.array([7.0]))
    assert joined(series(0, 1, 2), half, 100) is not None
    np.testing.assert_array_equal(joined(series(0, 1, 2), half, 100).rate_rps, [7])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 300), st.lists(st.none() | st.floats(0, 9), min_size=1, max_size=30)
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 60),
)
@settings(max_examples=100, deadline=None)
def test_joining_is_what_a_dictionary_of_minutes_would_keep(answers, steps):
    kept, by_minute, end = None, {}, -1
    for first, rates in answers:
        new = series(first, *[NAN if one is None else one for one in rates])
        kept = joined(kept, new, steps)
        end = max(end, first + len(rates))
        by_minute |= {first + n: one for n, one in enumerate(rates) if one is not None}
        by_minute = {at: one for at, one in by_minute.items() if at >= end - steps}
    known = {
        (kept.start - NOW) // MINUTE + n: float(one)
        for n, one in enumerate(kept.rate_rps)
        if not np.isnan(one)
    }
    assert len(kept) <= steps
    assert kept.end == NOW + end * MINUTE
    assert known == by_minute


def test_memory_does_not_grow_with_time():
    traffic = LiveTraffic(fleet("tv/a", step=MINUTE))
    lengths = set()
    for minute in range(0, 3000, 5):
        traffic.take(NOW + (minute + 6) * MINUTE, [series(minute, *range(6))])
        lengths.add(len(traffic.recent("tv/a")))
    assert max(lengths) == 240 + 6 + 5  # four hours, a lead window of 5 minutes, what is late


def test_intervals_after_now_are_dropped_when_the_clock_is_set_back():
    traffic = LiveTraffic(fleet("tv/a", "tv/b", step=MINUTE))
    others = TrafficSeries("tv/b", NOW + 20 * MINUTE, MINUTE, np.ones(20))
    traffic.take(NOW + 40 * MINUTE, [series(0, *range(40)), others])
    back = NOW + 10 * MINUTE
    start, end = traffic.question(back)
    assert start < end < back
    traffic.take(back, [series(8, 80, 90, 100, 110)])
    known = traffic.recent("tv/a")
    assert known.end == back
    np.testing.assert_array_equal(known.rate_rps, [*range(8), 80, 90])
    assert traffic.recent("tv/b") is None  # there is nothing before the clock's time


@pytest.mark.parametrize("step", [timedelta(seconds=10), timedelta(minutes=15), timedelta(hours=1)])
def test_it_reaches_as_far_back_as_a_decision_looks(step):
    from forecaster.models.peak.features import recent_steps

    traffic = LiveTraffic(fleet("tv/a", step=step))
    start, _ = traffic.question(NOW)
    assert NOW - start >= (recent_steps(step) + 2) * step
