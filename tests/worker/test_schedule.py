"""Who is due, in which order, and how failures wait."""

import dataclasses
from datetime import timedelta

import pytest
from freezegun import freeze_time

from forecaster.planning import Mode, ScalingRule
from forecaster.planning.snapshot import TrainingState
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import TrainingRecord
from forecaster.worker import utc_now
from forecaster.worker.schedule import back_off, due_workloads, next_refresh
from tests.worker.sources import MINUTE, NOW, fleet

HOUR = timedelta(hours=1)


def trained(at, of, failed=0):
    key = of.training_key(of.workloads[0].rule)
    return TrainingRecord(TrainingState(at, 1.0, 1), at, failed, key)


def names(workloads):
    return [one.name for one in workloads]


def test_a_workload_that_was_never_trained_is_due_at_once():
    assert names(due_workloads(NOW, fleet("tv/a", "tv/b"), {})) == ["a", "b"]


@freeze_time(NOW)
def test_a_trained_workload_is_due_when_its_period_has_passed():
    tv = fleet("tv/a")
    records = {"tv/a": trained(utc_now(), tv)}
    with freeze_time(NOW + 6 * HOUR - timedelta(seconds=1)):
        assert due_workloads(utc_now(), tv, records) == ()
    with freeze_time(NOW + 6 * HOUR):
        assert names(due_workloads(utc_now(), tv, records)) == ["a"]


def test_those_without_an_outlook_come_first_and_the_oldest_next():
    tv = fleet("tv/new", "tv/young", "tv/old", "tv/failing")
    records = {
        "tv/young": trained(NOW - 7 * HOUR, tv),
        "tv/old": trained(NOW - 9 * HOUR, tv),
        "tv/failing": TrainingRecord().failed(NOW - HOUR, "too short"),
    }
    assert names(due_workloads(NOW, tv, records)) == ["new", "failing", "old", "young"]


def test_one_that_is_due_takes_those_along_whose_turn_is_near():
    tv = fleet("tv/due", "tv/soon", "tv/fresh")
    records = {
        "tv/due": trained(NOW - 6 * HOUR, tv),
        "tv/soon": trained(NOW - 3 * HOUR, tv),
        "tv/fresh": trained(NOW - 2 * HOUR, tv),
    }
    assert names(due_workloads(NOW, tv, records)) == ["due", "soon"]


def test_a_new_workload_does_not_make_the_others_train_early():
    tv = fleet("tv/new", "tv/soon")
    assert names(due_workloads(NOW, tv, {"tv/soon": trained(NOW - 5 * HOUR, tv)})) == ["new"]


def test_what_training_depends_on_has_changed():
    tv = fleet("tv/a")
    records = {"tv/a": trained(NOW, tv)}
    assert due_workloads(NOW, tv, records) == ()
    changed = dataclasses.replace(tv, timezone="Europe/Paris")
    assert names(due_workloads(NOW, changed, records)) == ["a"]


def test_a_changed_capacity_needs_no_training():
    tv = fleet("tv/a")
    records = {"tv/a": trained(NOW, tv)}
    assert due_workloads(NOW, fleet("tv/a", capacity_rps=7, quantile=0.9), records) == ()


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 10), (2, 20), (3, 40), (6, 320), (7, 360), (99, 360)]
)
def test_a_failing_workload_waits_longer_each_time_up_to_the_period(failures, minutes):
    tv = fleet("tv/a")
    record = TrainingRecord(tried_at=NOW, failed_in_a_row=failures)
    just = NOW + minutes * MINUTE
    assert due_workloads(just - timedelta(seconds=1), tv, {"tv/a": record}) == ()
    assert names(due_workloads(just, tv, {"tv/a": record})) == ["a"]


def test_a_failing_workload_waits_even_when_its_settings_changed():
    tv = fleet("tv/a")
    record = dataclasses.replace(trained(NOW, tv, failed=1), training_key="another")
    assert due_workloads(NOW + MINUTE, tv, {"tv/a": record}) == ()


def test_a_workload_that_is_off_is_never_due():
    rule = ScalingRule(capacity_rps=1, mode=Mode.OFF)
    assert due_workloads(NOW, Fleet((WorkloadSettings("tv", "a", rule),)), {}) == ()


def test_back_off_doubles_to_its_limit_and_stays():
    waits = [back_off(n, timedelta(seconds=5), 5 * MINUTE).total_seconds() for n in range(1, 9)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert back_off(10_000, timedelta(seconds=5), 5 * MINUTE) == 5 * MINUTE


@pytest.mark.parametrize(
    ("now", "step", "failures", "expected"),
    [
        ("18:00:00", "1m", 0, "18:00:15"),
        ("18:00:14", "1m", 0, "18:00:15"),
        ("18:00:15", "1m", 0, "18:01:15"),
        ("18:00:40", "1m", 1, "18:01:15"),
        ("18:00:40", "1m", 2, "18:02:15"),
        ("18:00:40", "1m", 3, "18:04:15"),
        ("18:00:40", "1m", 9, "18:05:15"),
        ("18:00:00", "10s", 0, "18:00:02.500000"),
        ("18:00:40", "1h", 9, "19:00:15"),
    ],
)
def test_traffic_is_asked_for_shortly_after_each_step_and_less_often_in_an_outage(
    now, step, failures, expected
):
    from forecaster.durations import parse_duration

    at = NOW.fromisoformat(f"2026-05-04T{now}+00:00")
    following = next_refresh(at, parse_duration(step), failures)
    assert following == NOW.fromisoformat(f"2026-05-04T{expected}+00:00")
    assert following > at
