"""The exporter's metrics without its faults, and what an HPA that reads them does."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.backtest.hpa import Band, ValueMetric
from forecaster.backtest.hpa.metrics import Tolerance, thousandths
from forecaster.events import Calendar, Event, Selector
from forecaster.migration.old_metrics import (
    OLD_METRIC_HELP,
    OLD_METRIC_LABELS,
    old_metrics,
    prescaling_metric,
)
from tests.migration.conftest import event, hpa, moved

TARGET = ValueMetric(10)
BANDS = [Band.INCLUSIVE, Band.DISTANCE]


def asked(value, current, band):
    """What an HPA asks for that reads the value with a target of 10."""
    return TARGET.replicas(thousandths(value), current, current, Tolerance(0.1, 0.1, band))


@pytest.mark.parametrize("band", BANDS)
def test_an_hpa_never_stops_short_and_never_asks_for_fewer(band):
    for wanted in (1, 2, 7, 20, 101, 1000):
        for current in range(1, 2 * wanted + 3):
            found = asked(prescaling_metric(wanted, current), current, band)
            if current < wanted:
                assert current < found <= max(math.ceil(1.2 * current), wanted), (wanted, current)
            else:
                assert wanted <= found <= current, (wanted, current)


@pytest.mark.parametrize("band", BANDS)
def test_an_overshoot_is_a_tenth_at_the_most(band):
    for wanted in (11, 100, 333):
        for current in range(1, wanted):
            found = asked(prescaling_metric(wanted, current), current, band)
            assert found <= math.ceil(1.101 * wanted)


@pytest.mark.parametrize("band", BANDS)
def test_from_10_to_100_takes_12_syncs(band):
    current, syncs = 10, 0
    while current < 100:
        current, syncs = asked(prescaling_metric(100, current), current, band), syncs + 1
    assert syncs == 12
    assert 100 <= current <= 101


def grown(value_of, wanted=60, start=5, slow=20):
    """The syncs until ``wanted`` replicas are there, each ready ``slow`` syncs after it was asked
    for; and the most that were ever asked for."""
    current = [start] * (slow + 1)
    for sync in range(2000):
        ready = current[-slow - 1]
        value = value_of(wanted, current[-1], ready)
        found = TARGET.replicas(
            thousandths(value), current[-1], ready, Tolerance(0.1, 0.1, Band.DISTANCE)
        )
        current.append(max(found, current[-1]))
        if current[-1] >= wanted:
            return sync + 1, max(current)
    raise AssertionError("it never grew")


def test_slow_pods_hold_the_exporter_up_for_two_hours_and_this_for_minutes():
    """Pods that take 5 minutes; a sync is 15 s."""
    by_elevens, _ = grown(lambda wanted, current, ready: 11 if current < wanted else 10)
    ours, most = grown(prescaling_metric)
    assert by_elevens * 15 / 3600 > 1.5
    assert ours * 15 / 60 < 30
    assert most <= 1.2 * 60 + 1


def test_with_pods_that_start_it_never_shrinks_and_never_goes_a_fifth_too_far():
    tolerance = Tolerance(0.1, 0.1, Band.INCLUSIVE)
    for wanted in (3, 20, 101):
        for current in range(1, 2 * wanted):
            for ready in range(current + 1):
                value = prescaling_metric(wanted, current, ready)
                found = TARGET.replicas(thousandths(value), current, ready, tolerance)
                later = TARGET.replicas(thousandths(value), current, current, tolerance)
                if current <= wanted:
                    assert found >= current, (wanted, current, ready)
                    assert later <= math.ceil(1.2 * wanted) + 1, (wanted, current, ready)
                else:
                    assert found >= wanted, (wanted, current, ready)


def test_the_exporters_own_values_do_not_work_on_newer_controllers():
    assert asked(11, 10, Band.INCLUSIVE) == 10  # exactly 10 % is ignored
    assert asked(9, 40, Band.INCLUSIVE) == 40  # and so nothing is ever let go


@pytest.mark.parametrize("band", BANDS)
def test_what_is_too_many_is_let_go_down_to_a_tenth_above(band):
    current = 80
    for _ in range(20):
        current = asked(prescaling_metric(20, current), current, band)
    assert 20 <= current <= 22


def at(calendar, local, workload="streaming/player-api", **more):
    """The values at a local time of Paris in summer."""
    now = datetime.fromisoformat(f"2026-07-{local}").replace(tzinfo=UTC) - timedelta(hours=2)
    found = old_metrics(workload, calendar, now, current_replicas=more.pop("current", 10), **more)
    return (found.wanted, found.min_replica, found.multiplier)


def calendar_of(*objects):
    return moved(*objects, timezone="Europe/Paris").calendar


def test_outside_of_all_windows_it_is_off():
    found = old_metrics(
        "streaming/player-api",
        calendar_of(hpa()),
        datetime(2026, 7, 19, 9, tzinfo=UTC),
        current_replicas=7,
    )
    assert (found.metric, found.min_replica, found.multiplier, found.wanted) == (0.0, 12, 1.0, 0)


def test_what_crosses_midnight_goes_on():
    calendar = calendar_of(
        hpa(window=("19:30:00", "00:30:00", "8")), event(start="20:30:00", end="00:45:00")
    )
    assert at(calendar, "19T23:50:00") == (24, 8, 3.0)
    assert at(calendar, "20T00:20:00") == (24, 8, 3.0)
    assert at(calendar, "20T00:50:00") == (0, 8, 1.0)
    assert at(calendar, "21T00:20:00") == (8, 8, 1.0)


def test_of_several_events_the_largest_counts():
    calendar = calendar_of(
        hpa(), event("a-show", start="20:00:00", end="22:00:00", multiplier=2), event(multiplier=4)
    )
    assert at(calendar, "19T20:15:00") == (24, 12, 2.0)
    assert at(calendar, "19T21:00:00") == (48, 12, 4.0)


def test_an_event_adds_to_the_window():
    calendar = calendar_of(hpa(), event(start="20:30:00", end="21:00:00"))
    assert [at(calendar, f"19T{clock}")[0] for clock in ("20:10", "20:40", "21:10")] == [12, 36, 12]


def test_multipliers_may_be_fractions():
    assert at(calendar_of(hpa(), event(multiplier=1.5)), "19T21:00:00") == (18, 12, 1.5)


def test_selectors_count():
    picky = event()
    picky["metadata"]["annotations"] = {"preroll/workloads": "streaming/player-api"}
    calendar = calendar_of(hpa(), hpa("manifest"), picky)
    assert at(calendar, "19T21:00:00")[0] == 36
    assert at(calendar, "19T21:00:00", "streaming/manifest")[0] == 12


def test_a_workload_without_a_window_is_reached_by_a_floor():
    start = datetime(2026, 7, 19, 18, tzinfo=UTC)
    show = Event(
        start,
        start + timedelta(hours=2),
        "show",
        selector=Selector(labels=(("tier", "edge"),)),
        floor_replicas=30,
    )
    calendar = Calendar((show,))
    assert at(calendar, "19T21:00:00", labels={"tier": "edge"}) == (30, 30, 1.0)
    assert at(calendar, "19T21:00:00", labels={"tier": "core"}) == (0, 0, 1.0)


def test_with_a_lead_time_replicas_are_there_before_the_start():
    calendar = calendar_of(hpa())
    lead = timedelta(minutes=5)
    clocks = ("19:54", "19:55", "23:29", "23:30")
    assert [at(calendar, f"19T{one}", lead_time=lead)[0] for one in clocks] == [0, 12, 12, 0]


def test_a_cancelled_event_is_none():
    calendar = calendar_of(hpa(), event())
    cancelled = Calendar(
        tuple(replace(one, cancelled=True) for one in calendar.events), calendar.recurring
    )
    assert at(cancelled, "19T21:00:00")[0] == 12


def test_without_known_replicas_no_value_is_served():
    found = old_metrics(
        "streaming/player-api",
        calendar_of(hpa()),
        datetime(2026, 7, 19, 19, tzinfo=UTC),
        current_replicas=None,
    )
    assert (found.metric, found.wanted) == (None, 12)


def test_names_and_labels_are_the_exporters():
    assert tuple(OLD_METRIC_HELP) == (
        "prescaling_metric",
        "prescaling_min_replica",
        "prescaling_multiplier",
        "prescaling_replicas",
    )
    assert OLD_METRIC_LABELS == ("project", "deployment", "namespace")
