"""The conductor's part that concerns the cluster: its reader, and what is judged in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from forecaster.cluster.fit_warning import FitWarning, Limit
from forecaster.planning.snapshot import WorkloadState
from forecaster.settings import Fleet, KubernetesSettings, LogSettings
from forecaster.store import NoteShelf
from forecaster.worker.board import Board
from forecaster.worker.cluster_desk import ClusterDesk
from forecaster.worker.cluster_messages import ClusterMessage
from forecaster.worker.cluster_reader import ClusterOrder, ObjectNotice
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView
from forecaster.worker.helper import Helper, Restarts
from forecaster.worker.mailbox import Outbox
from forecaster.worker.roster import Roster

__all__ = ["ClusterSide"]

_NICENESS = 5
# One that dies while it reads the first lists has told something too: it is no success yet.
_RESTARTS = Restarts(timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5))
# It gives a sign of life every 30 s. An API server that hangs takes it two minutes at the most.
_SILENCE = timedelta(minutes=5)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
# A target changes with each step and each refresh; a minute without all that was due is noticed.
_NOTED_EVERY = timedelta(seconds=15)
_AHEAD_EVERY = timedelta(minutes=1)
_SAVED_EVERY = timedelta(minutes=10)
_KEPT_EVERY = timedelta(seconds=10)
_SHOWN_SECONDS = 1.0
# In a round: so that the conductor, with thousands of workloads, is back within milliseconds.
_LEAST_NOTED, _NOTING_ROUNDS = 100, 20
_MOST_KEPT = 200

_log = logging.getLogger(__name__)


class ClusterSide:
    """Where ``settings.watch`` is not set, nothing is read, and events that come late are all.

    ``round`` is called once a round of the conductor; ``view`` may be asked for by any thread.
    """

    def __init__(
        self,
        settings: KubernetesSettings,
        configured: Fleet,
        roster: Roster,
        path: Path,
        clock: Callable[[], datetime],
        log: LogSettings | None,
    ) -> None:
        self._settings = settings
        self._configured = tuple(one.workload for one in configured.workloads)
        self._path = path
        self._clock = clock
        self._roster = roster
        self._desk = ClusterDesk(roster, NoteShelf(path), watched=settings.watch)
        self._reader: Helper[tuple[ObjectNotice, ...]] = Helper(
            "reader",
            "forecaster.worker.cluster_reader:run_reading",
            niceness=_NICENESS,
            silence=_SILENCE,
            log=log,
            restarts=_RESTARTS,
        )
        self._said: tuple[ObjectNotice, ...] = ()
        self._to_note: list[WorkloadState] = []
        self._noted_at = self._ahead_at = self._saved_at = self._kept_at = _AT_ONCE
        self._unshown = False
        self._shown_at = 0.0
        self._view = NOTHING_KNOWN

    @property
    def desk(self) -> ClusterDesk:
        """Where a calendar is told."""
        return self._desk

    @property
    def receivers(self) -> list[Connection[Any, Any]]:
        """What to listen to."""
        return self._reader.receivers

    def view(self) -> ClusterView:
        """What was known last."""
        return self._view

    def load(self) -> None:
        """Take what the store knows."""
        if self._settings.watch:
            self._desk.load()
        if not (self._settings.watch and self._settings.annotations):
            self._roster.take_declared(())  # nobody asks any more what was declared

    def round(self, board: Board, now: datetime) -> None:
        """Hear the reader, note what is delivered, look ahead; what is due of it.

        It never raises: whatever the cluster is like, planning goes on.
        """
        try:
            self._round(board, now)
        except Exception as error:  # what is known of the cluster grows old, and says so
            _log.exception("cluster round failed")
            self._desk.take_trouble(f"what the cluster told cannot be used: {error!r}", now)

    def _round(self, board: Board, now: datetime) -> None:
        heard = self._settings.watch and self._hear(now)
        if self._settings.watch:
            heard |= self._note(board, now)
            if not timedelta(0) <= now - self._saved_at < _SAVED_EVERY:
                if self._saved_at != _AT_ONCE:
                    board.take_store_error("deliveries", self._desk.save())
                self._saved_at = now
        if not timedelta(0) <= now - self._ahead_at < _AHEAD_EVERY:
            self._ahead_at, heard = now, True
            self._look_ahead(board, now)
        if not timedelta(0) <= now - self._kept_at < _KEPT_EVERY:
            more = self._roster.save(_MOST_KEPT)
            self._kept_at = _AT_ONCE if more else now
        self._unshown |= heard
        if self._unshown and time.monotonic() - self._shown_at >= _SHOWN_SECONDS:
            self._unshown, self._shown_at = False, time.monotonic()
            self._view = self._desk.view(board.fleet, now)

    def ask_to_end(self) -> None:
        """Ask the reader to end, without waiting."""
        self._reader.ask_to_end()

    def end(self, patience_seconds: float) -> None:
        """End it, and keep what was delivered."""
        self._reader.end(patience_seconds)
        if self._settings.watch:
            self._desk.save()
        self._roster.save()

    def _note(self, board: Board, now: datetime) -> bool:
        """Note some of the deliveries that are due; whether all are noted now."""
        if not self._to_note:
            if timedelta(0) <= now - self._noted_at < _NOTED_EVERY:
                return False
            self._noted_at = now
            states = board.snapshot(now).workloads
            self._desk.retain(states)
            self._to_note = list(states.values())
        count = max(_LEAST_NOTED, len(board.fleet.workloads) // _NOTING_ROUNDS)
        some, self._to_note = self._to_note[:count], self._to_note[count:]
        self._desk.note(some, now)
        return not self._to_note

    def _hear(self, now: datetime) -> bool:
        if not self._reader.running:
            if self._reader.may_start:
                self._start()
            return False
        messages = self._reader.messages()
        for message in messages:
            if isinstance(message, ClusterMessage):
                self._desk.take(message)
        end = self._reader.ended(now)
        if end is not None:
            self._desk.take_trouble(f"the reader of the cluster died ({end.how})", now)
        return bool(messages) or end is not None

    def _start(self) -> None:
        notices: Outbox[tuple[ObjectNotice, ...]] = Outbox()
        order = ClusterOrder(
            self._settings, self._configured, self._path, self._clock, notices.inbox
        )
        self._reader.start(order, notices)
        self._reader.say(self._said)

    def _look_ahead(self, board: Board, now: datetime) -> None:
        for one in self._desk.look_ahead(board.plans, now):
            _log.warning("will not fit", extra={"warning": one.text()})
        said = tuple(_notice(one, name) for one in self._desk.fit for name in _named(one))
        if said != self._said:
            self._said = said
            self._reader.say(said)


def _named(warning: FitWarning) -> tuple[str, ...]:
    if warning.limit is Limit.MAXIMUM:
        return (f"{warning.namespace}/{warning.name}",)
    return warning.workloads


def _notice(warning: FitWarning, workload: str) -> ObjectNotice:
    return ObjectNotice(workload, "PrerollWillNotFit", warning.text())
