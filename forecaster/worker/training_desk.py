"""When a run of the trainer begins, what its messages mean, and what its death does."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from forecaster.errors import ForecastError, StoreError
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import PackedOutlook, PlanStore, StoredUplift, TrainingRecord
from forecaster.worker.board import Board
from forecaster.worker.messages import (
    Message,
    RunEnded,
    SourceFailed,
    Started,
    Trained,
    TrainingFailed,
)
from forecaster.worker.schedule import back_off, due_workloads
from forecaster.worker.served import ServedTargets

__all__ = ["TrainingDesk"]

_FIRST_RETRY = timedelta(seconds=5)
_LONGEST_RETRY = timedelta(minutes=5)

_log = logging.getLogger(__name__)


class TrainingDesk:
    """Runs of the trainer, one at a time; after one that brought nothing the next one waits.

    A trainer that dies while it trains a workload leaves that workload a failure, so that it comes
    last next time, and comes later; the others are not held up by it.
    """

    def __init__(self, fleet: Fleet, board: Board, served: ServedTargets, store: PlanStore) -> None:
        self._fleet = fleet
        self._board = board
        self._served = served
        self._store = store
        self._current: str | None = None
        self._finished = False
        self._failures = 0
        self._retry_at: datetime | None = None

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads or rules: whose turn it is goes by them."""
        self._fleet = fleet

    def due(self, now: datetime) -> tuple[WorkloadSettings, ...]:
        """The workloads that a run should begin with at ``now``; none while it is to wait."""
        if self._retry_at is not None and now < self._retry_at:
            return ()
        return due_workloads(now, self._fleet, self._board.records)

    def begin(self) -> None:
        """A run begins."""
        self._current, self._finished = None, False

    def take(self, message: Message, now: datetime) -> None:
        """What the trainer tells."""
        match message:
            case Started(workload):
                self._current = workload
            case Trained(outlook, uplift, record, store_error):
                self._done(outlook.workload, record, store_error)
                self._plan(outlook, uplift, now)
            case TrainingFailed(workload=workload, record=record, store_error=store_error):
                self._done(workload, record, store_error)
            case SourceFailed(_, error):
                self._finished = True
                self._wait(now, error)
            case RunEnded():
                self._finished = True

    def ended(self, how: str | None, now: datetime) -> None:
        """The trainer's process ended; ``how`` is None after a regular end."""
        if self._finished:
            return
        reason = f"the trainer died ({how})" if how else "the trainer ended before it was done"
        _log.error("trainer died", extra={"reason": reason, "workload": self._current})
        if self._current is not None and "SIGTERM" not in reason:  # that is somebody's wish
            self._blame(self._current, now, f"{reason} while training it")
        self._wait(now, reason)

    def source_is_back(self) -> None:
        """Live traffic comes again: no need to wait any longer."""
        self._retry_at = None

    def _plan(self, packed: PackedOutlook, uplift: StoredUplift, now: datetime) -> None:
        name = packed.workload
        try:
            held = self._served.held(name)
            plan = self._board.take_outlook(packed.unpack(), held, uplift)
        except (StoreError, ForecastError) as error:
            # The trainer has planned by it as well, but by the calendar of its beginning.
            _log.error("not planned", extra={"workload": name, "error": str(error)})
            return
        if plan is not None:
            self._served.note(now, self._board.states([name], now))

    def _done(self, workload: str, record: TrainingRecord, store_error: str | None) -> None:
        self._current = None
        self._failures, self._retry_at = 0, None
        self._board.take_record(workload, record)
        self._board.take_store_error("plans", store_error)

    def _blame(self, workload: str, now: datetime, reason: str) -> None:
        record = self._board.records.get(workload, TrainingRecord()).failed(now, reason)
        self._board.take_record(workload, record)
        try:
            self._store.save_records({workload: record})
        except StoreError as error:
            self._board.take_store_error("plans", str(error))

    def _wait(self, now: datetime, reason: str) -> None:
        self._failures += 1
        self._retry_at = now + back_off(self._failures, _FIRST_RETRY, _LONGEST_RETRY)
        self._board.take_trouble(now, reason, self._retry_at)
