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
from forecaster.settings import Fleet, KubernetesSettings, LogSettings
from forecaster.store import NoteShelf
from forecaster.worker.board import Board
from forecaster.worker.cluster_desk import ClusterDesk
from forecaster.worker.cluster_messages import (
    ClusterHealth,
    ClusterRoom,
    ClusterSeen,
    Declared,
    LeadTimesSeen,
)
from forecaster.worker.cluster_reader import ClusterOrder, ObjectNotice
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView
from forecaster.worker.mailbox import Outbox
from forecaster.worker.process import Child, ChildSpec
from forecaster.worker.roster import Roster
from forecaster.worker.schedule import back_off

__all__ = ["ClusterSide"]

_NICENESS = 5
_FIRST_RESTART = timedelta(seconds=1)
_LONGEST_RESTART = timedelta(minutes=1)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
# A target changes with each step and each refresh; a minute without all that was due is noticed.
_NOTED_EVERY = timedelta(seconds=15)
_AHEAD_EVERY = timedelta(minutes=1)
_SAVED_EVERY = timedelta(minutes=10)
_SHOWN_SECONDS = 1.0

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
        self._log = log
        self._desk = ClusterDesk(roster, NoteShelf(path), watched=settings.watch)
        self._reader: Child | None = None
        self._notices: Outbox[tuple[ObjectNotice, ...]] | None = None
        self._said: tuple[ObjectNotice, ...] = ()
        self._deaths = 0
        self._due = _AT_ONCE
        self._noted_at = self._ahead_at = self._saved_at = _AT_ONCE
        self._shown_at = 0.0
        self._view = NOTHING_KNOWN

    @property
    def desk(self) -> ClusterDesk:
        """Where a calendar is told."""
        return self._desk

    @property
    def receivers(self) -> list[Connection[Any, Any]]:
        """What to listen to."""
        return [] if self._reader is None else [self._reader.receiver]

    def view(self) -> ClusterView:
        """What was known last."""
        return self._view

    def load(self) -> None:
        """Take what the store knows."""
        if self._settings.watch:
            self._desk.load()

    def round(self, board: Board, now: datetime) -> None:
        """Hear the reader, note what is delivered, look ahead; what is due of it."""
        heard = self._settings.watch and self._hear(now)
        if self._settings.watch and not timedelta(0) <= now - self._noted_at < _NOTED_EVERY:
            self._noted_at = now
            self._desk.note(board.snapshot(now).workloads.values(), now)
            heard = True
        if not timedelta(0) <= now - self._ahead_at < _AHEAD_EVERY:
            self._ahead_at, heard = now, True
            self._look_ahead(board, now)
        if self._settings.watch and not timedelta(0) <= now - self._saved_at < _SAVED_EVERY:
            if self._saved_at != _AT_ONCE:
                self._desk.save()
            self._saved_at = now
        if heard and time.monotonic() - self._shown_at >= _SHOWN_SECONDS:
            self._shown_at = time.monotonic()
            self._view = self._desk.view(board.fleet, now)

    def ask_to_end(self) -> None:
        """Ask the reader to end, without waiting."""
        if self._reader is not None:
            self._reader.ask_to_end()

    def end(self, patience_seconds: float) -> None:
        """End it, and keep what was delivered."""
        if self._reader is not None:
            self._reader.end(patience_seconds)
        if self._settings.watch:
            self._desk.save()

    def _hear(self, now: datetime) -> bool:
        if self._reader is None:
            if now >= self._due:
                self._start()
            return False
        messages, open_still = self._reader.messages()
        for message in messages:
            if isinstance(
                message, ClusterSeen | Declared | LeadTimesSeen | ClusterRoom | ClusterHealth
            ):
                self._deaths = 0
                self._desk.take(message)
        if not open_still:
            self._deaths += 1
            how = self._reader.ended()
            self._due = now + back_off(self._deaths, _FIRST_RESTART, _LONGEST_RESTART)
            _log.error("reader died", extra={"reason": how, "restart_at": self._due})
            self._desk.take_trouble(f"the reader of the cluster died ({how})", now)
            if self._notices is not None:
                self._notices.close()
            self._reader = self._notices = None
        return bool(messages) or not open_still

    def _start(self) -> None:
        self._notices = Outbox()
        order = ClusterOrder(
            self._settings, self._configured, self._path, self._clock, self._notices.inbox
        )
        self._reader = Child(
            ChildSpec(
                name="reader",
                target="forecaster.worker.cluster_reader:run_reading",
                arguments=(order,),
                niceness=_NICENESS,
                log=self._log,
            )
        )
        self._notices.started()
        self._notices.put(self._said)

    def _look_ahead(self, board: Board, now: datetime) -> None:
        for one in self._desk.look_ahead(board.plans, now):
            _log.warning("will not fit", extra={"warning": one.text()})
        said = tuple(_notice(one, name) for one in self._desk.fit for name in _named(one))
        if said != self._said:
            self._said = said
            if self._notices is not None:
                self._notices.put(said)


def _named(warning: FitWarning) -> tuple[str, ...]:
    if warning.limit is Limit.MAXIMUM:
        return (f"{warning.namespace}/{warning.name}",)
    return warning.workloads


def _notice(warning: FitWarning, workload: str) -> ObjectNotice:
    return ObjectNotice(workload, "PrerollWillNotFit", warning.text())
