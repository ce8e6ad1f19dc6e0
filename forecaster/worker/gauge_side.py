"""The conductor's part that concerns capacities: when the gauger runs, and what it finds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from forecaster.planning.measured_capacity_settle import CapacityInUse
from forecaster.settings import (
    CapacitySettings,
    Fleet,
    LogSettings,
    PrometheusSettings,
    WorkloadSettings,
)
from forecaster.worker.capacity_messages import Gauged, GaugingFailed, MeasuredCapacity
from forecaster.worker.gauger import GaugeOrder
from forecaster.worker.helper import Helper
from forecaster.worker.roster import Roster
from forecaster.worker.schedule import back_off

__all__ = ["GaugeSide"]

_NICENESS = 10
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(minutes=30)
# Workloads are declared one after the other: a moment's wait, and one run is for all of them.
_GATHER = timedelta(seconds=5)
_LONGEST_SILENCE = timedelta(minutes=30)
_EVERY = timedelta(days=1)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)

_log = logging.getLogger(__name__)


class GaugeSide:
    """Measures the workloads whose capacity is ``auto``: new ones soon, all once a day.

    ``source`` None: there is no Prometheus to ask, and the reason of each workload says so.
    """

    def __init__(
        self,
        source: PrometheusSettings | None,
        capacity: CapacitySettings,
        roster: Roster,
        clock: Callable[[], datetime],
        log: LogSettings | None,
    ) -> None:
        self._source = source
        self._capacity = capacity
        self._roster = roster
        self._clock = clock
        self._gauger: Helper[None] = Helper(
            "gauger",
            "forecaster.worker.gauger:run_gauging",
            niceness=_NICENESS,
            silence=_LONGEST_SILENCE,
            log=log,
        )
        self._measured: frozenset[str] = frozenset()
        self._seen_at: datetime | None = None
        self._due = _AT_ONCE
        self._failures = 0
        self.trouble: str | None = None
        """Why the last run brought nothing, or None."""

    @property
    def receivers(self) -> list[Connection[Any, Any]]:
        """What to listen to."""
        return self._gauger.receivers

    def round(self, fleet: Fleet, now: datetime) -> None:
        """Hear the gauger, or start it where a run is due."""
        if self._gauger.running:
            self._hear(now)
            return
        wanted = [one for one in fleet.workloads if one.measured.capacity]
        if not wanted:
            return
        names = frozenset(one.workload for one in wanted)
        if self._source is None or self._capacity.replicas is None:
            self._cannot(names)
            return
        fresh = names - self._measured
        if fresh and self._seen_at is None:
            self._seen_at = now
        gathered = self._seen_at is not None and now - self._seen_at >= _GATHER
        if now >= self._due or (gathered and not self._failures):
            self._start(self._source, wanted, fleet)
            self._seen_at = None

    def ask_to_end(self) -> None:
        """Ask the gauger to end, without waiting."""
        self._gauger.ask_to_end()

    def end(self, patience_seconds: float) -> None:
        """End it."""
        self._gauger.end(patience_seconds)

    def _start(
        self, source: PrometheusSettings, wanted: list[WorkloadSettings], fleet: Fleet
    ) -> None:
        known = {one.workload: self._roster.capacity_of(one.workload) for one in wanted}
        before = {name: used for name, one in known.items() if (used := _in_use(one)) is not None}
        order = GaugeOrder(
            source, self._capacity, tuple(wanted), before, fleet.step, fleet.history, self._clock
        )
        self._gauger.start(order)

    def _hear(self, now: datetime) -> None:
        for message in self._gauger.messages():
            if isinstance(message, Gauged):
                self._roster.take_capacities(message.capacities)
                self._measured |= message.capacities.keys()
                self._failures, self._due, self.trouble = 0, now + _EVERY, None
            elif isinstance(message, GaugingFailed):
                self._failed(message.error, now)
        end = self._gauger.ended(now)
        if end is not None and end.how is not None:
            _log.error("gauger died", extra={"reason": end.how})
            self._failed(f"the gauger died ({end.how})", now)

    def _failed(self, reason: str, now: datetime) -> None:
        self._failures += 1
        self._due = now + back_off(self._failures, _FIRST_RETRY, _LONGEST_RETRY)
        self.trouble = f"capacities cannot be measured: {reason}"

    def _cannot(self, names: frozenset[str]) -> None:
        new = names - self._measured
        if not new:
            return
        self._measured = names
        told = (
            "Prometheus has to be asked for ready replicas and saturation: set "
            "capacity.replicas_query and capacity.saturation_query"
        )
        self._roster.take_capacities({name: MeasuredCapacity(None, told) for name in new})


def _in_use(known: MeasuredCapacity | None) -> CapacityInUse | None:
    if known is None or known.rps is None or known.since is None:
        return None
    return CapacityInUse(known.rps, known.since, known.reason, known.provisional)
