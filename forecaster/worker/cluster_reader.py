"""The reader: a process that follows the cluster, tells what is news, and reports on objects."""

from __future__ import annotations

import logging
import queue
import signal
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from forecaster.cluster.changes import Told
from forecaster.cluster.client import ClusterClient, connect
from forecaster.cluster.memory import collect_rarely
from forecaster.cluster.reporting import EventReporter, Notice
from forecaster.cluster.resources import resources_to_read
from forecaster.cluster.start_ups import StartUps
from forecaster.cluster.watching import ClusterWatch
from forecaster.errors import ClusterError, StoreError
from forecaster.settings import KubernetesSettings
from forecaster.store import NoteShelf
from forecaster.worker.cluster_messages import ClusterHealth, ReaderAlive
from forecaster.worker.cluster_reading import ClusterReading
from forecaster.worker.declaration_notes import DeclarationNotes
from forecaster.worker.mailbox import Inbox
from forecaster.worker.process import Tell
from forecaster.worker.start_up_watch import KeptLead

__all__ = ["ClusterOrder", "ObjectNotice", "run_reading"]

_NOTES = "start-ups/"
_TOLD_EVERY = 1.0
_SAVED_EVERY = 60.0
_CONNECT_AGAIN = 30.0
# Whoever started us takes a long silence for a hang, and a quiet cluster has no news.
_SIGN_OF_LIFE_EVERY = 30.0
_MOST_AT_ONCE = 2_000

_KEPT = TypeAdapter(KeptLead)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ObjectNotice:
    """What to say on KEDA's object of a workload; ``reason`` is one word in CamelCase."""

    workload: str
    reason: str
    note: str


@dataclass(frozen=True)
class ClusterOrder:
    """Follow the cluster for the workloads of the settings, and those that are declared.

    ``notices`` brings what to report on objects beside their annotations, all of it each time.
    """

    settings: KubernetesSettings
    configured: tuple[str, ...]
    store_path: Path
    clock: Callable[[], datetime]
    notices: Inbox[tuple[ObjectNotice, ...]]


def run_reading(tell: Tell, order: ClusterOrder) -> None:
    """Follow the cluster for ever; while it cannot be reached, say why."""
    collect_rarely()
    shelf = NoteShelf(order.store_path)
    declarations = DeclarationNotes(shelf)
    reading = ClusterReading(order.settings, order.configured, _kept(shelf), declarations.load())
    client = _connected(tell, order)
    told: queue.SimpleQueue[Told] = queue.SimpleQueue()
    resources = resources_to_read(nodes=order.settings.nodes)
    ClusterWatch(client, resources, order.settings.namespaces, told.put).start()
    reporter = EventReporter(client, instance=socket.gethostname())
    saying = _Saying(reading, reporter if order.settings.events else None)
    signal.signal(signal.SIGTERM, _end)
    try:
        _follow(tell, order, reading, told, saying, shelf, declarations)
    finally:
        _save(shelf, reading)
        declarations.save(reading.unsaved_objects())


def _follow(
    tell: Tell,
    order: ClusterOrder,
    reading: ClusterReading,
    told: queue.SimpleQueue[Told],
    saying: _Saying,
    shelf: NoteShelf,
    declarations: DeclarationNotes,
) -> None:
    looked_at = heard_at = saved_at = time.monotonic()
    while True:
        _take(reading, told, order.clock().timestamp())
        if time.monotonic() - looked_at < _TOLD_EVERY:
            continue
        looked_at = time.monotonic()
        now = order.clock()
        news = reading.news(now.timestamp())
        if not news and looked_at - heard_at >= _SIGN_OF_LIFE_EVERY:
            news = [ReaderAlive()]
        for message in news:
            tell(message)
            heard_at = looked_at
        saying.say(now, order.notices.latest())
        declarations.save(reading.unsaved_objects())
        if looked_at - saved_at >= _SAVED_EVERY:
            saved_at = looked_at
            _save(shelf, reading)


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)  # and not at once: the last start-ups are kept


@dataclass
class _Saying:
    """What is said on objects: problems of annotations, and what the serving process noticed."""

    reading: ClusterReading
    reporter: EventReporter | None
    notices: tuple[ObjectNotice, ...] = field(default=())

    def say(self, now: datetime, notices: tuple[ObjectNotice, ...] | None) -> None:
        if self.reporter is None:
            return
        if notices is not None:
            self.notices = notices
        found = [Notice.of_annotation(one) for one in self.reading.problems()]
        for one in self.notices:
            target = self.reading.scaled_object_of(one.workload)
            if target is not None:
                found.append(Notice.on_scaled_object(target, one.reason, one.note))
        for notice in found:
            self.reporter.report(notice, now)
        trouble = self.reporter.trouble
        self.reading.trouble = () if trouble is None else (f"Events cannot be written: {trouble}",)


def _connected(tell: Tell, order: ClusterOrder) -> ClusterClient:
    while True:
        try:
            return connect(order.settings.kubeconfig, order.settings.context)
        except ClusterError as error:
            _log.error("no cluster", extra={"error": str(error)})
            tell(ClusterHealth((str(error),)))
            time.sleep(_CONNECT_AGAIN)


def _take(reading: ClusterReading, told: queue.SimpleQueue[Told], now: float) -> None:
    """What has come, or else what comes within a moment."""
    try:
        reading.take(told.get(timeout=_TOLD_EVERY / 4), now)
        for _ in range(_MOST_AT_ONCE):
            reading.take(told.get_nowait(), now)
    except queue.Empty:
        pass


def _kept(shelf: NoteShelf) -> dict[str, KeptLead]:
    found, unreadable = {}, []
    try:
        for name, document in shelf.load_below(_NOTES).items():
            try:
                kept = _KEPT.validate_json(document or "")
                StartUps.from_rows(kept.rows)  # numbers that no start-up has are refused here
            except (ValueError, OverflowError, struct.error) as error:
                unreadable.append(f"{name}: {error}")
            else:
                found[name] = kept
    except StoreError as error:
        unreadable.append(str(error))
    if unreadable:
        counts = {"error": unreadable[0], "unreadable": len(unreadable)}
        _log.warning("start-ups unreadable", extra=counts)
    return found


def _save(shelf: NoteShelf, reading: ClusterReading) -> None:
    documents = {
        f"{_NOTES}{name}": None if one is None else _KEPT.dump_json(one).decode()
        for name, one in reading.unsaved().items()
    }
    try:
        shelf.save_all(documents)
    except StoreError as error:
        _log.warning("start-ups not stored", extra={"error": str(error)})
