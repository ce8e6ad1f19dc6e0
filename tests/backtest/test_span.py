import doctest
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecaster.backtest.span as module
from forecaster.backtest import ReplaySpan
from forecaster.backtest.span import lead_peaks
from forecaster.errors import HistoryTooShort
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAN = float("nan")


def series(*rates):
    return TrafficSeries("web", START, MINUTE, np.array(rates))


def test_the_worked_example_in_the_docstring_holds():
    assert doctest.testmod(module).failed == 0


def test_at_the_start_of_a_step_the_step_before_is_known():
    span = ReplaySpan(series(1.0, 2.0, 3.0, 4.0), START + 2 * MINUTE)
    assert span.rate_rps.tolist() == [3.0, 4.0]
    assert span.known_rps.tolist() == [2.0, 3.0]


def test_nothing_is_known_at_the_start_of_the_series():
    known = ReplaySpan(series(1.0, 2.0), START).known_rps
    assert np.isnan(known[0])
    assert known[1] == 1.0


def test_a_start_within_an_interval_begins_with_the_next_one():
    span = ReplaySpan(series(1.0, 2.0, 3.0), START + timedelta(seconds=61))
    assert (span.first, len(span)) == (2, 1)
    assert span.at(30.0) == START + timedelta(minutes=2, seconds=30)


@pytest.mark.parametrize("start", [START - MINUTE, START + 3 * MINUTE], ids=["before", "after"])
def test_a_start_outside_of_the_traffic_is_refused(start):
    with pytest.raises(ValueError, match="starts within its traffic"):
        ReplaySpan(series(1.0, 2.0, 3.0), start)


def test_a_start_after_the_last_interval_began_is_refused():
    with pytest.raises(ValueError, match="no interval"):
        ReplaySpan(series(1.0, 2.0), START + timedelta(seconds=90))


def test_a_naive_start_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        ReplaySpan(series(1.0), datetime(2026, 6, 1))


def test_a_span_without_any_traffic_observed_is_refused():
    with pytest.raises(HistoryTooShort, match="web"):
        ReplaySpan(series(1.0, NAN, NAN), START + MINUTE)


@given(
    st.lists(st.one_of(st.floats(0, 100), st.just(NAN)), min_size=1, max_size=30),
    st.integers(1, 40),
)
def test_a_lead_peak_is_the_highest_of_the_window_as_far_as_it_was_observed(rates, lead):
    peaks = lead_peaks(np.array(rates), lead)
    for i, peak in enumerate(peaks.tolist()):
        window = [rate for rate in rates[i : i + lead + 1] if not math.isnan(rate)]
        assert peak == max(window) if window else math.isnan(peak)
