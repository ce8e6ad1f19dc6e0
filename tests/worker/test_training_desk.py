"""When runs begin, and what a failure or a death means for the next one."""

import dataclasses
from datetime import timedelta

import pytest
from freezegun import freeze_time

from forecaster.events.uplift import UpliftModel
from forecaster.planning.snapshot import TrainingState
from forecaster.store import PlanStore, StoredUplift, TrainingRecord, pack
from forecaster.worker import utc_now
from forecaster.worker.board import Board
from forecaster.worker.messages import RunEnded, SourceFailed, Started, Trained, TrainingFailed
from forecaster.worker.served import ServedTargets
from forecaster.worker.training_desk import TrainingDesk
from tests.worker.sources import MINUTE, NOW, fleet
from tests.worker.test_board import outlook

SECOND = timedelta(seconds=1)
TV = fleet("tv/a", "tv/b", step=MINUTE, quantile=0.5)


@pytest.fixture
def store(tmp_path):
    with PlanStore(tmp_path / "preroll.sqlite") as opened:
        yield opened


@pytest.fixture
def board():
    return Board(TV, {})


@pytest.fixture
def desk(board, store):
    return TrainingDesk(TV, board, ServedTargets(), store)


def trained(workload, at=NOW):
    key = TV.training_key(TV.workloads[0].rule)
    record = TrainingRecord(TrainingState(at, 1.0, 1), at, 0, key)
    packed = pack(outlook(workload, start=at))
    return Trained(packed, StoredUplift.of(workload, at, UpliftModel()), record)


def names(workloads):
    return [one.name for one in workloads]


def test_what_is_trained_is_served_at_once(desk, board):
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.take(trained("tv/a"), NOW)
    assert board.snapshot(NOW).target("tv/a", NOW).replicas == 42
    assert names(desk.due(NOW)) == ["b"]


def test_after_a_whole_run_nothing_is_due_until_the_period_has_passed(desk):
    desk.begin()
    for name in ("tv/a", "tv/b"):
        desk.take(Started(name), NOW)
        desk.take(trained(name), NOW)
    desk.take(RunEnded(), NOW)
    desk.ended(None, NOW)
    assert desk.due(NOW + timedelta(hours=6) - SECOND) == ()
    assert names(desk.due(NOW + timedelta(hours=6))) == ["a", "b"]


def test_a_source_that_is_down_is_asked_again_after_5_seconds_10_20_up_to_5_minutes(desk):
    waits = []
    with freeze_time(NOW) as frozen:
        for _ in range(9):
            failed_at = utc_now()
            desk.begin()
            desk.take(SourceFailed(failed_at, "connection refused"), failed_at)
            desk.take(RunEnded(), failed_at)
            desk.ended(None, failed_at)
            while not desk.due(utc_now()):
                frozen.tick(SECOND)
            waits.append((utc_now() - failed_at).total_seconds())
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_once_the_source_is_back_training_does_not_wait(desk):
    for _ in range(7):
        desk.begin()
        desk.take(SourceFailed(NOW, "connection refused"), NOW)
        desk.take(RunEnded(), NOW)
        desk.ended(None, NOW)
    assert desk.due(NOW + MINUTE) == ()
    desk.source_is_back()
    assert names(desk.due(NOW + MINUTE)) == ["a", "b"]


def test_a_source_that_is_down_leaves_no_failure_with_any_workload(desk, board, store):
    desk.begin()
    desk.take(SourceFailed(NOW, "connection refused"), NOW)
    desk.ended(None, NOW)
    assert board.records == {}
    assert store.records() == {}
    assert (
        board.snapshot(NOW)
        .notices[0]
        .startswith("training failed at 2026-05-04 18:00 UTC: connection refused; next try at")
    )


def test_the_death_of_the_trainer_is_blamed_on_the_workload_it_was_at(desk, board, store):
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.ended("killed by SIGKILL; out of memory?", NOW)
    blamed = store.records()["tv/a"]
    assert blamed == board.records["tv/a"]
    assert blamed.state.last_error == (
        "the trainer died (killed by SIGKILL; out of memory?) while training it"
    )
    assert desk.due(NOW + 4 * SECOND) == ()
    assert names(desk.due(NOW + 5 * SECOND)) == ["b"]  # its neighbour does not suffer
    assert names(desk.due(NOW + 10 * MINUTE)) == ["b", "a"]


def test_a_death_between_workloads_is_nobodys_fault(desk, store):
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.take(trained("tv/a"), NOW)
    desk.ended("exit code 1", NOW)
    assert store.records() == {}
    assert names(desk.due(NOW + 5 * SECOND)) == ["b"]


def test_somebody_who_ends_the_trainer_by_sigterm_blames_no_workload(desk, store, board):
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.ended("killed by SIGTERM", NOW)
    assert store.records() == {}
    assert "SIGTERM" in board.snapshot(NOW).notices[0]
    assert names(desk.due(NOW + 5 * SECOND)) == ["a", "b"]


def test_a_trainer_that_dies_again_and_again_is_started_less_and_less_often(desk):
    now, waits = NOW, []
    for _ in range(8):
        desk.begin()
        desk.ended("exit code 1", now)
        died = now
        while not desk.due(now):
            now += SECOND
        waits.append((now - died).total_seconds())
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_workload_that_failed_is_tried_alone_later(desk, board):
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.take(TrainingFailed("tv/a", TrainingRecord().failed(NOW, "too short")), NOW)
    desk.take(Started("tv/b"), NOW)
    desk.take(trained("tv/b"), NOW)
    desk.take(RunEnded(), NOW)
    desk.ended(None, NOW)
    assert desk.due(NOW + 10 * MINUTE - SECOND) == ()
    assert names(desk.due(NOW + 10 * MINUTE)) == ["a"]
    assert board.snapshot(NOW).ready


def test_a_plan_that_could_not_be_stored_is_served_and_that_is_said(desk, board):
    told = trained("tv/a")
    desk.begin()
    desk.take(dataclasses.replace(told, store_error="disk is full"), NOW)
    snapshot = board.snapshot(NOW)
    assert snapshot.target("tv/a", NOW).replicas == 42
    assert "disk is full" in snapshot.notices[0]
