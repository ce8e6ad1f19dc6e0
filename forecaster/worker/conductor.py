"""The conductor's round: hear what the helpers tell, start what is due, note what is served."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import wait

from forecaster.errors import StoreError
from forecaster.planning.snapshot import Snapshot
from forecaster.settings import LogSettings
from forecaster.store import PlanStore
from forecaster.worker.board import Board
from forecaster.worker.cluster_side import ClusterSide
from forecaster.worker.gauge_side import GaugeSide
from forecaster.worker.helper import Helper, Restarts
from forecaster.worker.loading import take_fleet
from forecaster.worker.mailbox import Outbox
from forecaster.worker.messages import Foretold, Refreshed, RefreshFailed
from forecaster.worker.orders import FleetChange, RefreshOrder, TrainingOrder
from forecaster.worker.programme import Programme
from forecaster.worker.roster import Roster
from forecaster.worker.served import ServedTargets
from forecaster.worker.source import SourceFactory
from forecaster.worker.training_desk import TrainingDesk

__all__ = ["Conductor", "Surroundings"]

_TRAINER_NICENESS = 10
_REFRESHER_NICENESS = 5
_RESTARTS = Restarts(timedelta(seconds=1), timedelta(minutes=1))
# A snapshot of a large fleet costs milliseconds. Without news it is made anew all the same: plans
# end, and traffic grows old.
_NEWS_SECONDS = 0.5
_QUIET_SECONDS = 5.0
_PATIENCE_SECONDS = 1.0
# No workload takes this long to train, and no question to a source this long to be answered.
_TRAINER_SILENCE = timedelta(minutes=30)
_REFRESHER_SILENCE = timedelta(minutes=15)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What a service is given: see ``Service``."""

    source: SourceFactory
    store: PlanStore
    events: Programme
    roster: Roster
    cluster: ClusterSide
    gauges: GaugeSide
    clock: Callable[[], datetime]
    tick_seconds: float
    log: LogSettings | None


class Conductor:
    """One round after the other, in one thread, until it is asked to stop."""

    def __init__(
        self,
        given: Surroundings,
        board: Board,
        served: ServedTargets,
        publish: Callable[[Snapshot], None],
    ) -> None:
        self._given = given
        self._board = board
        self._served = served
        self._publish = publish
        self._desk = TrainingDesk(board.fleet, board, served, given.store)
        self._fleet = board.fleet
        self._source = given.source.for_fleet(board.fleet)
        self._trainer: Helper[None] = Helper(
            "trainer",
            "forecaster.worker.trainer:run_training",
            niceness=_TRAINER_NICENESS,
            silence=_TRAINER_SILENCE,
            log=given.log,
        )
        self._refresher: Helper[FleetChange] = Helper(
            "refresher",
            "forecaster.worker.refresher:run_refreshing",
            niceness=_REFRESHER_NICENESS,
            silence=board.fleet.step + _REFRESHER_SILENCE,
            log=given.log,
            restarts=_RESTARTS,
        )
        self._minded = (self._trainer, self._refresher, given.cluster, given.gauges)
        self._noted_step: int | None = None
        self._news = True
        self._published_at = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Go round until ``stopping``; then end the helpers."""
        while not stopping.is_set():
            try:
                self._round(self._given.clock())
                self._listen(stopping)
            except Exception:  # the worker's loop: what was published last is served on
                _log.exception("a round failed")
                stopping.wait(self._given.tick_seconds)
        for one in self._minded:
            one.ask_to_end()
        for one in self._minded:
            one.end(_PATIENCE_SECONDS)

    def _round(self, now: datetime) -> None:
        self._note_served(now)
        self._given.cluster.round(self._board, now)
        self._given.gauges.round(self._fleet, now)
        self._look_at_fleet(now)
        self._look_at_events(now)
        self._hear_trainer(now)
        self._hear_refresher(now)
        self._start_trainer(now)
        self._start_refresher()
        since = time.monotonic() - self._published_at
        if since >= (_NEWS_SECONDS if self._news else _QUIET_SECONDS):
            self._publish(self._board.snapshot(now))
            self._news, self._published_at = False, time.monotonic()

    def _listen(self, stopping: threading.Event) -> None:
        """Wait for a tick, or until somebody tells something."""
        receivers = [receiver for one in self._minded for receiver in one.receivers]
        if receivers:
            wait(receivers, timeout=self._given.tick_seconds)
        else:
            stopping.wait(self._given.tick_seconds)

    def _look_at_fleet(self, now: datetime) -> None:
        fleet = self._given.roster.fleet()
        if fleet is self._fleet:
            return
        self._fleet = fleet
        self._source = self._source.for_fleet(fleet)
        self._given.events.take_fleet(fleet)
        self._desk.take_fleet(fleet)
        self._refresher.say(FleetChange(fleet, self._source))
        problem: str | None = None
        try:
            take_fleet(fleet, self._board, self._served, self._given.store, now)
        except StoreError as error:
            problem = str(error)
            _log.error("stored plans unreadable", extra={"error": problem})
        self._noted_step, self._news = None, True
        _log.info("fleet changed", extra={"workloads": len(fleet.workloads), "error": problem})

    def _look_at_events(self, now: datetime) -> None:
        events = self._given.events
        if events.look(now):
            self._given.cluster.desk.take_calendar(events.calendar, self._fleet, now)
            if self._board.take_calendar(events.calendar, now):
                self._noted_step = None  # a need that is larger than the step began with counts
                self._news = True
        troubles = (self._given.roster.trouble, self._given.gauges.trouble)
        told = (*events.notices(), *(one for one in troubles if one is not None))
        if self._board.take_notices(told):
            self._news = True

    def _hear_trainer(self, now: datetime) -> None:
        for message in self._trainer.messages():
            self._desk.take(message, now)
            self._news = True
        end = self._trainer.ended(now)
        if end is not None:
            self._desk.ended(end.how, now)
            self._news = True

    def _start_trainer(self, now: datetime) -> None:
        if not self._trainer.may_start or not self._given.events.settled:
            return
        workloads = self._desk.due(now)
        if not workloads:
            return
        given = self._given
        names = {one.workload for one in workloads}
        records = {name: one for name, one in self._board.records.items() if name in names}
        order = TrainingOrder(
            self._fleet, workloads, records, self._source, given.store.path, given.clock
        )
        _log.info("training begins", extra={"workloads": len(workloads)})
        self._trainer.start(order)
        self._desk.begin()

    def _hear_refresher(self, now: datetime) -> None:
        messages = self._refresher.messages()
        for message in messages:
            if isinstance(message, Refreshed | RefreshFailed):
                was_failing = self._board.source_failing
                self._board.take_refresh(message)
                self._refresher.proven()
                self._news = True
                if was_failing and not self._board.source_failing:
                    self._desk.source_is_back()
            elif isinstance(message, Foretold):
                self._board.take_foretold(message)
                self._news = True
        if messages:  # a need that is larger than what the step began with counts at once
            self._noted_step = None
            self._note_served(now)
        end = self._refresher.ended(now)
        if end is not None:
            self._board.take_refresh(RefreshFailed(now, f"the refresher died ({end.how})"))
            self._news = True

    def _start_refresher(self) -> None:
        if not self._refresher.may_start:
            return
        given = self._given
        changes: Outbox[FleetChange] = Outbox()
        order = RefreshOrder(
            self._fleet,
            self._source,
            given.store.path,
            given.clock,
            given.tick_seconds,
            changes.inbox,
        )
        self._refresher.start(order, changes)

    def _note_served(self, now: datetime) -> None:
        step = (now - _AT_ONCE) // self._fleet.step
        if step == self._noted_step:
            return
        self._noted_step = step
        longest_hold = self._fleet.longest_hold_down
        if longest_hold:
            self._served.note(now, self._board.snapshot(now).workloads.values())
        problem: str | None = None
        try:
            self._given.store.save_served(self._served.unsaved(), now - longest_hold)
        except StoreError as error:
            problem = str(error)
            _log.error("not stored", extra={"error": problem})
        self._board.take_store_error("served targets", problem)
