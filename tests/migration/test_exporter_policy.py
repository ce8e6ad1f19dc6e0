"""The exporter as it is, faults and all, in the replay; expectations are worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from forecaster.backtest import DailyWindow, ReplaySettings, ReplaySpan, replay_policy
from forecaster.backtest.hpa import PolicyType, ScaleBehavior
from forecaster.errors import ManifestError
from forecaster.events import Event
from forecaster.migration.behavior import read_behavior
from forecaster.migration.exporter_objects import OldEvent
from forecaster.migration.exporter_policy import OldExporter, exporter_replicas
from forecaster.migration.moved_policy import MovedPreroll
from forecaster.traffic.history import TrafficSeries

EVENING = DailyWindow(time(20), time(23, 30), 10)
DAY = date(2026, 7, 19)


def event(name, start, end, multiplier, day=DAY):
    return OldEvent("prescaling", name, day, start, end, multiplier)


FINAL = event("final", time(20, 30), time(0, 30), 3)
SHOW = event("a-show", time(19), time(21), 2)


def wanted(window, events, *clocks):
    local = [datetime.fromisoformat(f"2026-07-{one}") for one in clocks]
    return exporter_replicas(window, events, local).tolist()


def test_a_window_counts_from_its_start_to_its_end_both_included():
    assert wanted(EVENING, (), "19T19:59:59", "19T20:00:00", "19T23:30:00", "19T23:30:01") == [
        -1,
        10,
        10,
        -1,
    ]


def test_fault_1_what_crosses_midnight_ends_there():
    late = DailyWindow(time(19, 30), time(0, 30), 8)
    assert wanted(late, (), "19T23:59:59", "20T00:00:00", "20T00:29:00") == [8, -1, -1]
    assert wanted(EVENING, (FINAL,), "19T23:59:59", "20T00:15:00") == [30, -1]


def test_fault_2_of_two_events_the_first_by_name_counts():
    both = (SHOW, FINAL)
    assert wanted(EVENING, both, "19T20:45:00", "19T21:15:00") == [20, 30]


def test_fault_3_an_event_takes_the_place_of_the_window():
    small = event("small", time(20, 30), time(22), 0)
    assert wanted(EVENING, (FINAL,), "19T20:15:00", "19T20:45:00", "19T23:45:00") == [10, 30, 30]
    assert wanted(EVENING, (small,), "19T21:00:00") == [10]


def test_fault_4_a_multiplier_of_0_counts_as_1():
    nothing = event("nothing", time(9), time(10), 0)
    assert wanted(EVENING, (nothing,), "19T09:30:00") == [10]


def test_fault_5_without_a_window_no_event_reaches_it():
    assert wanted(None, (FINAL,), "19T21:00:00") == [-1]


def test_an_event_counts_on_its_own_day_alone():
    assert wanted(EVENING, (FINAL,), "18T21:00:00", "20T21:00:00") == [10, 10]


def flat(rate, hours=8, start=datetime(2026, 7, 19, 16, tzinfo=UTC)):
    """Traffic that never changes, by the minute."""
    steps = hours * 60
    return ReplaySpan(
        TrafficSeries("tv/web", start, timedelta(minutes=1), np.full(steps, rate)), start
    )


SETTINGS = ReplaySettings(100.0, timedelta(minutes=2), max_replicas=200)


def at(span, replay, clock):
    """The replicas asked for at a time of UTC."""
    step = int(
        (datetime.fromisoformat(f"2026-07-{clock}+00:00") - span.start).total_seconds() // 60
    )
    return replay.asked[step]


QUICK = ReplaySettings(100.0, timedelta(seconds=1), max_replicas=200)


def test_fault_7_it_grows_by_a_tenth_a_sync_from_the_start_of_the_window():
    # 1, 2, 3, 4, …: +1 a sync up to 10, then a tenth rounded up; 40 are there after 21 syncs.
    growing, syncs = 1, 0
    while growing < 40:
        growing, syncs = -(-growing * 11 // 10), syncs + 1
    assert syncs == 21
    span = flat(70.0)
    old = OldExporter(DailyWindow(time(20), time(23, 30), 40), (), "Europe/Paris", 0.7)
    replay = replay_policy(span, old, QUICK)
    assert at(span, replay, "19T17:59") == 1
    assert at(span, replay, "19T18:04") < 40 <= at(span, replay, "19T18:06")


def test_hpa_multiplies_what_is_ready_so_pods_that_start_slowly_slow_it_further():
    span = flat(70.0)
    old = OldExporter(DailyWindow(time(20), time(23, 30), 40), (), "Europe/Paris", 0.7)
    slow = replay_policy(span, old, SETTINGS)  # ready after two minutes
    assert at(span, slow, "19T18:30") < 40 <= at(span, slow, "19T19:00")


def test_it_is_read_in_its_own_time_zone():
    span = flat(70.0)
    old = OldExporter(DailyWindow(time(20), time(23, 30), 40), (), "UTC", 0.7)
    replay = replay_policy(span, old, QUICK)
    assert at(span, replay, "19T18:30") == 1
    assert at(span, replay, "19T20:30") >= 40


def test_without_a_window_the_metric_fails_and_hpa_never_scales_down():
    span = flat(70.0)
    rates = span.series.rate_rps.copy()
    rates[60:120] = 2000.0
    span = ReplaySpan(TrafficSeries("tv/web", span.start, timedelta(minutes=1), rates), span.start)
    failing = replay_policy(span, OldExporter(None, (FINAL,), "UTC", 0.7), SETTINGS)
    assert failing.asked[-1] >= 20
    working = replay_policy(span, OldExporter(EVENING, (), "Asia/Tokyo", 0.7), SETTINGS)
    assert working.asked[-1] == 1


def test_prerolls_floor_is_there_a_lead_time_before_and_at_once():
    span = flat(70.0)
    start = datetime(2026, 7, 19, 18, tzinfo=UTC)
    show = Event(start, start + timedelta(hours=1), "show", floor_replicas=40)
    told = np.full(len(span), 70.0)
    replay = replay_policy(span, MovedPreroll(0.98, told, 0.7, (show,)), SETTINGS)
    assert at(span, replay, "19T17:57") == 1
    assert at(span, replay, "19T17:59") == 40
    assert at(span, replay, "19T18:59") == 40


def test_prerolls_floor_goes_on_while_its_audience_stays_and_is_held_down_as_the_planner_does():
    span = flat(70.0)
    rates = span.series.rate_rps.copy()
    start = datetime(2026, 7, 19, 18, tzinfo=UTC)
    eight = int((start + timedelta(hours=2) - span.start) / timedelta(minutes=1))
    rates[:eight] = 2000.0  # more than half of what 40 replicas stand for, until 20:00
    span = ReplaySpan(TrafficSeries("tv/web", span.start, timedelta(minutes=1), rates), span.start)
    told = np.full(len(span), 70.0)
    show = Event(start, start + timedelta(hours=1), "show", floor_replicas=40, hold=True)
    moved = MovedPreroll(0.98, told, 0.7, (show,), timedelta(minutes=5))
    floor = moved.floor(span, SETTINGS).source.values
    assert [int(floor[eight + minutes]) for minutes in (-30, 0, 5, 6)] == [40, 40, 40, 1]


def test_prerolls_replicas_are_planned_as_full_as_the_hpa_wants_them():
    span = flat(1.0)
    told = np.full(len(span), 700.0)  # at 70 of 100 a replica: 10
    replay = replay_policy(span, MovedPreroll(0.98, told, 0.7), SETTINGS)
    assert replay.asked[-1] == 10


def test_a_behavior_is_read_with_the_defaults_of_the_api_server():
    assert read_behavior({}) is None
    assert read_behavior({"scaleUp": {}}) == ScaleBehavior()
    read = read_behavior(
        {
            "scaleDown": {
                "stabilizationWindowSeconds": 600,
                "policies": [{"type": "Percent", "value": 20, "periodSeconds": 60}],
                "selectPolicy": "Min",
            }
        }
    )
    down = read.scale_down
    assert (down.stabilization_window_seconds, down.select_policy.value) == (600.0, "Min")
    assert [(one.type, one.value, one.period_seconds) for one in down.policies] == [
        (PolicyType.PERCENT, 20, 60)
    ]
    assert read.scale_up == ScaleBehavior().scale_up


@pytest.mark.parametrize(
    "policy", [None, {}, {"type": "Pods", "value": 0, "periodSeconds": 15}, {"type": "All"}]
)
def test_a_behavior_that_is_none_is_refused_with_an_example(policy):
    with pytest.raises(ManifestError, match="a policy is for example"):
        read_behavior({"scaleUp": {"policies": [policy]}})


@pytest.mark.parametrize("utilisation", [0.0, 11.0])
def test_a_target_that_cannot_be_is_refused(utilisation):
    with pytest.raises(ValueError, match="utilisation"):
        OldExporter(None, (), "UTC", utilisation)
