"""The whole between a traffic source and the snapshot that is served."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from forecaster.planning.snapshot import Snapshot
from forecaster.settings import (
    NO_CAPACITY,
    NO_EVENTS,
    NO_KUBERNETES,
    CapacitySettings,
    EventSettings,
    Fleet,
    KubernetesSettings,
    LogSettings,
    PrometheusSettings,
)
from forecaster.store import NoteShelf, PlanStore
from forecaster.worker.cluster_side import ClusterSide
from forecaster.worker.conductor import Conductor, Surroundings
from forecaster.worker.gauge_side import GaugeSide
from forecaster.worker.loading import load_board
from forecaster.worker.programme import Programme
from forecaster.worker.roster import Roster
from forecaster.worker.source import ConfiguredSource, SourceFactory

__all__ = ["Service", "utc_now"]

_STOP_SECONDS = 2.5


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


class Service:
    """Keeps a snapshot of the fleet up to date, from stored plans first, then by training.

    It starts a thread, which starts a process to train and one to refresh; whoever serves reads
    ``snapshot()``. ``source`` makes the function that asks for traffic; ``events`` says what is
    known ahead, and where more of it is; ``kubernetes``, whether the cluster is read;
    ``capacity``, what capacities are measured from; ``clock`` gives aware UTC instants. Source and
    clock go to the other processes, so both must be picklable (see ``SourceFactory``), and a
    program that uses this needs the usual ``if __name__ == "__main__"``. The clock is looked at
    every ``tick_seconds``. With ``log``, the other processes log to stderr in that form.

        with Service(fleet, source, open_store(path, utc_now())) as service:
            serve(service.snapshot)
    """

    def __init__(
        self,
        fleet: Fleet,
        source: SourceFactory,
        store: PlanStore,
        *,
        events: EventSettings = NO_EVENTS,
        kubernetes: KubernetesSettings = NO_KUBERNETES,
        capacity: CapacitySettings = NO_CAPACITY,
        clock: Callable[[], datetime] = utc_now,
        tick_seconds: float = 0.5,
        log: LogSettings | None = None,
    ) -> None:
        self.roster = Roster(fleet, NoteShelf(store.path))
        """Whom is planned for."""
        self.events = Programme(events, fleet, store.path, clock)
        """What is known ahead, for whoever serves it."""
        self.cluster = ClusterSide(kubernetes, fleet, self.roster, store.path, clock, log)
        """What is known of the cluster, for whoever serves it."""
        prometheus = source.settings if isinstance(source, ConfiguredSource) else None
        if not isinstance(prometheus, PrometheusSettings):
            prometheus = None
        gauges = GaugeSide(prometheus, capacity, self.roster, clock, log)
        self._given = Surroundings(
            source, store, self.events, self.roster, self.cluster, gauges, clock, tick_seconds, log
        )
        self._snapshot = Snapshot()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def snapshot(self) -> Snapshot:
        """The latest state of the fleet."""
        return self._snapshot

    def start(self) -> None:
        """Load what is stored, publish it, and begin to train and to refresh.

        Raises StoreError where the store cannot be read.
        """
        now = self._given.clock()
        self.roster.load()
        self.cluster.load()
        fleet = self.roster.fleet()
        self.events.take_fleet(fleet)
        self.events.load(now)
        board, served = load_board(fleet, self._given.store, now)
        board.take_calendar(self.events.calendar, now)
        self.cluster.desk.take_calendar(self.events.calendar, fleet, now)
        board.take_notices(self.events.notices())
        self._publish(board.snapshot(now))
        conductor = Conductor(self._given, board, served, self._publish)
        self._thread = threading.Thread(
            target=conductor.run, args=(self._stopping,), name="preroll-conductor", daemon=True
        )
        self._thread.start()
        self.events.start()

    def ask_to_stop(self) -> None:
        """Begin to stop, without waiting: the last snapshot can still be served."""
        self._stopping.set()
        self.events.stop()

    def stop(self) -> None:
        """End the other processes and close the store: mostly at once, 3 seconds at the most."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join(timeout=_STOP_SECONDS)
        self._given.store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
