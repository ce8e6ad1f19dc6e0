"""Instants to whole steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.traffic.prometheus.grid import StepGrid, format_instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@settings(deadline=None)
@given(
    start_ms=st.integers(-(10**13), 10**13),
    length_ms=st.integers(0, 10**9),
    step_ms=st.integers(1, 10**8),
)
def test_the_grid_is_every_whole_step_inside_the_range_and_no_other(start_ms, length_ms, step_ms):
    start, step = EPOCH + timedelta(milliseconds=start_ms), timedelta(milliseconds=step_ms)
    end = start + timedelta(milliseconds=length_ms)
    grid = StepGrid.within(start, end, step)

    assert grid.start_ms % step_ms == 0
    assert grid.start >= start > grid.start - step
    assert grid.count == 0 or grid.starts_at(grid.count) <= end < grid.starts_at(grid.count + 1)
    # With none inside, not even the first step would have fitted.
    assert grid.count > 0 or grid.starts_at(1) > end


def test_a_step_is_evaluated_at_its_end():
    start = datetime(1998, 6, 10, 15, 30, tzinfo=UTC)
    grid = StepGrid.within(start, start + timedelta(minutes=10), MINUTE)

    assert grid.start == start
    assert grid.evaluated_ms(0) == int((start + MINUTE).timestamp() * 1000)
    assert grid.evaluated_ms(9) == int((start + timedelta(minutes=10)).timestamp() * 1000)


def test_zones_do_not_matter():
    paris = timezone(timedelta(hours=2))
    start = datetime(2024, 7, 14, 21, 0, tzinfo=paris)
    grid = StepGrid.within(start, start + MINUTE, MINUTE)

    assert format_instant(grid.start) == "2024-07-14T19:00:00Z"


@pytest.mark.parametrize(
    ("start", "end", "step", "words"),
    [
        pytest.param(datetime(2024, 1, 1), EPOCH, MINUTE, "has no time zone", id="naive"),
        pytest.param(EPOCH + MINUTE, EPOCH, MINUTE, "lies before start", id="backwards"),
        pytest.param(EPOCH, EPOCH, timedelta(0), "not a positive number", id="no step"),
        pytest.param(EPOCH, EPOCH, -MINUTE, "not a positive number", id="negative step"),
        pytest.param(
            EPOCH, EPOCH, timedelta(microseconds=1500), "of milliseconds", id="microseconds"
        ),
    ],
)
def test_what_is_no_range_is_refused(start, end, step, words):
    with pytest.raises(ValueError, match=words):
        StepGrid.within(start, end, step)
