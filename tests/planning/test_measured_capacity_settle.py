"""A capacity in use, day after day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.planning.measured_capacity_result import (
    CapacityLine,
    Measured,
    Refusal,
    Refused,
)
from forecaster.planning.measured_capacity_settle import CapacityInUse, settle_capacity

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
DAY = timedelta(days=1)
USED = CapacityInUse(100.0, NOW - 5 * DAY, "measured")
RELEASED = Refused(
    Refusal.CHANGED, "a request costs 25% more", "Wait", changed_at=NOW - DAY, cost_ratio=1.25
)


def measured(low: float, high: float) -> Measured:
    line = CapacityLine(0.05, 0.006, 10, 120)
    middle = (low * high) ** 0.5
    return Measured(middle, low, high, 0.7, line, NOW - 14 * DAY, NOW, 12.0, 0.8)


def test_the_first_measurement_is_used_by_its_lower_end():
    found = settle_capacity(None, measured(95, 105), NOW)
    assert found is not None
    assert (found.capacity_rps, found.since) == (95, NOW)
    assert "95 to 105" in found.reason


def test_nothing_in_use_and_nothing_told_is_nothing():
    assert settle_capacity(None, RELEASED, NOW) is None


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(98, 110, id="the interval holds it"),
        pytest.param(102, 112, id="just beside it"),
        pytest.param(96, 99, id="just beneath it"),
    ],
)
def test_what_is_not_contradicted_stays(low, high):
    found = settle_capacity(USED, measured(low, high), NOW)
    assert found is not None
    assert (found.capacity_rps, found.since) == (USED.capacity_rps, USED.since)
    assert found.reason.startswith("kept")


def test_more_is_believed_once_a_day():
    fresh = replace(USED, since=NOW - timedelta(hours=5))
    kept = settle_capacity(fresh, measured(130, 140), NOW)
    assert kept is not None
    assert kept.capacity_rps == 100
    moved = settle_capacity(USED, measured(130, 140), NOW)
    assert moved is not None
    assert (moved.capacity_rps, moved.since) == (130, NOW)


def test_less_is_believed_at_once():
    fresh = replace(USED, since=NOW - timedelta(hours=5))
    moved = settle_capacity(fresh, measured(70, 80), NOW)
    assert moved is not None
    assert moved.capacity_rps == 70


def test_days_of_like_measurements_move_nothing():
    now, used = NOW, USED
    for shift in (0.99, 1.02, 0.98, 1.03, 1.0):
        now += DAY
        found = settle_capacity(used, measured(100 * shift, 106 * shift), now)
        assert found is not None
        used = found
    assert used.capacity_rps == 100


def test_a_dearer_release_lowers_it_once_until_it_is_measured():
    lowered = settle_capacity(USED, RELEASED, NOW)
    assert lowered is not None
    assert lowered.capacity_rps == pytest.approx(80)
    assert lowered.provisional
    again = settle_capacity(lowered, RELEASED, NOW + timedelta(hours=6))
    assert again is not None
    assert again.capacity_rps == pytest.approx(80)
    later = settle_capacity(lowered, measured(84, 88), NOW + timedelta(hours=12))
    assert later is not None
    assert later.capacity_rps == pytest.approx(84)
    assert not later.provisional


def test_a_cheaper_release_waits_for_a_measurement():
    found = settle_capacity(USED, replace(RELEASED, cost_ratio=0.8), NOW)
    assert found is not None
    assert found.capacity_rps == 100
    assert "kept" in found.reason


def test_a_refusal_keeps_what_is_in_use():
    found = settle_capacity(USED, Refused(Refusal.UNRELATED, "no relation", "Look"), NOW)
    assert found is not None
    assert found.capacity_rps == 100
    assert "no relation" in found.reason
