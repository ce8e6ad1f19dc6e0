from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.events import Event, Shape

KICK_OFF = datetime(2026, 6, 11, 19, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(**keys: Any) -> Event:
    return Event(**{"start": KICK_OFF, "end": KICK_OFF + 115 * MINUTE, "kind": "football", **keys})


def test_times_are_kept_in_utc() -> None:
    paris = ZoneInfo("Europe/Paris")
    one = event(
        start=datetime(2026, 3, 28, 23, tzinfo=paris), end=datetime(2026, 3, 29, 4, tzinfo=paris)
    )
    assert (one.start.tzinfo, one.start.hour) == (UTC, 22)
    assert one.duration == timedelta(hours=4)  # the night in which an hour is skipped
    autumn = event(
        start=datetime(2026, 10, 31, 23, tzinfo=ZoneInfo("America/New_York")),
        end=datetime(2026, 11, 1, 4, tzinfo=ZoneInfo("America/New_York")),
    )
    assert autumn.duration == timedelta(hours=6)


def test_an_open_end_is_the_ceiling() -> None:
    one = event(end=None, ceiling=timedelta(hours=4))
    assert one.planned_end == one.latest_end == KICK_OFF + timedelta(hours=4)
    assert one.duration == timedelta(hours=4)


def test_a_held_event_may_last_until_its_ceiling_and_no_other() -> None:
    assert event().latest_end == KICK_OFF + 115 * MINUTE
    assert event(hold=True).latest_end == KICK_OFF + timedelta(hours=6)
    assert event(hold=True, ceiling=MINUTE).latest_end == KICK_OFF + 115 * MINUTE


def test_an_uncertain_start_may_be_earlier() -> None:
    assert event(start_uncertainty=5 * MINUTE).earliest_start == KICK_OFF - 5 * MINUTE


def test_what_may_start_late_may_end_as_late() -> None:
    half = timedelta(minutes=30)
    assert event().late_end == event().planned_end
    unsure = event(start_uncertainty=half)
    assert unsure.planned_end == KICK_OFF + 115 * MINUTE
    assert unsure.late_end == unsure.latest_end == KICK_OFF + 115 * MINUTE + half
    held = event(start_uncertainty=half, hold=True)
    assert held.latest_end == KICK_OFF + timedelta(hours=6) + half


def test_a_declared_uplift_is_for_the_event_alone() -> None:
    one = event(uplift=1.7)
    seconds = np.array([-1, 0, 60, 115 * 60 - 1, 115 * 60, 1e6])
    assert one.declared_factors(seconds).tolist() == [1, 1.7, 1.7, 1.7, 1, 1]
    assert event().declared_factors(seconds).tolist() == [1] * 6
    assert (one.declares_uplift, event().declares_uplift) == (True, False)


@given(
    st.lists(
        st.tuples(st.integers(-7200, 7200), st.floats(0.01, 1000)),
        min_size=2,
        max_size=8,
        unique_by=lambda point: point[0],
    ).map(sorted),
    st.floats(-10_000, 10_000),
)
def test_a_shape_is_straight_between_its_points(points: list[tuple[int, float]], at: float) -> None:
    shape = Shape(tuple((timedelta(seconds=second), factor) for second, factor in points))
    expected = 1.0
    for (a, low), (b, high) in itertools.pairwise(points):
        if a <= at <= b:
            expected = low + (high - low) * (at - a) / (b - a)
    assert event(shape=shape).declared_factors(np.array([at]))[0] == pytest.approx(expected)
    assert shape.highest == max(factor for _, factor in points)


def test_factors_keep_the_shape_of_what_is_asked() -> None:
    seconds = np.zeros((3, 4))
    assert event(uplift=2).declared_factors(seconds).shape == (3, 4)
    shape = Shape(((timedelta(0), 1.0), (MINUTE, 2.0)))
    assert event(shape=shape).declared_factors(seconds).shape == (3, 4)


def test_an_audience_is_the_kind_where_none_is_named() -> None:
    assert (event().group, event(audience="fans").group) == ("football", "fans")


def test_a_reason_names_the_event() -> None:
    assert event().label() == "football"
    assert event(name="Mexico v Italy").label() == 'football "Mexico v Italy"'


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"start": datetime(2026, 6, 11, 19)}, "start: .* has no time zone"),
        ({"end": datetime(2026, 6, 11, 21)}, "end: .* has no time zone"),
        ({"end": KICK_OFF}, "end: .* is not after the start"),
        ({"end": KICK_OFF + timedelta(days=32)}, "end: .* 31d at the longest"),
        ({"kind": " "}, "kind: a word is needed"),
        ({"importance": -1}, "importance: a number from 0 to 100"),
        ({"importance": float("nan")}, "importance"),
        ({"uplift": 0}, "uplift: a factor above 0"),
        ({"uplift": 1001}, "uplift: .* at most 1000"),
        ({"uplift": float("nan")}, "uplift"),
        ({"floor_replicas": -1}, "floor_replicas: 0 to 1,000,000"),
        ({"floor_rps": float("inf")}, "floor_rps: traffic per second"),
        ({"floor_rps": -0.1}, "floor_rps"),
        ({"start_uncertainty": -MINUTE}, "start_uncertainty"),
        ({"start_uncertainty": timedelta(hours=13)}, "start_uncertainty: 0s to 12h"),
        ({"ceiling": timedelta(0)}, "ceiling: above 0s"),
        ({"ceiling": timedelta(days=32)}, "ceiling: .* at most 31d"),
    ],
)
def test_what_cannot_be_is_refused_by_its_fields_name(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}"):
        event(**keys)


def test_a_shape_needs_points_that_rise_and_factors_that_are_some() -> None:
    for points in ((), ((MINUTE, 1.0),), ((MINUTE, 1.0), (MINUTE, 2.0))):
        with pytest.raises(ValueError, match="two points or more"):
            Shape(points)
    for factor in (0.0, -1.0, 1001.0, float("nan")):
        with pytest.raises(ValueError, match="a factor lies above 0"):
            Shape(((timedelta(0), 1.0), (MINUTE, factor)))
    with pytest.raises(ValueError, match="not both"):
        event(uplift=2, shape=Shape(((timedelta(0), 1.0), (MINUTE, 2.0))))


def test_an_event_is_a_value() -> None:
    one = event(name="A")
    assert one == event(name="A")
    assert hash(one) == hash(event(name="A"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.kind = "x"  # type: ignore[misc]
