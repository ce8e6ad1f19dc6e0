"""The text page of ``/metrics``, made in short turns and shared by scrapes of the same second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from api.cluster_metrics import ClusterCollector, ClusterWorkloadCollector
from api.event_metrics import EventCollector
from api.headroom import HeadroomCollector, Headrooms
from api.metrics import ServiceCollector, WorkloadCollector
from api.old_metrics import OldMetricsCollector, events_near
from api.pacing import in_turns
from forecaster.planning.snapshot import Snapshot, WorkloadState
from forecaster.worker.cluster_view import NOTHING_KNOWN, ClusterView
from forecaster.worker.programme import Programme

__all__ = ["CONTENT_TYPE", "MetricsPage"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

# About half a millisecond of work, so that a turn is not overdrawn by much.
_WORKLOADS_A_SLICE = 4
_WORKLOADS_A_TURN = 50
_SHARED_FOR = timedelta(seconds=1)


@dataclass(frozen=True)
class _Made:
    snapshot: Snapshot
    at: datetime
    text: bytes


class MetricsPage:
    """The exposition text of a snapshot.

    One page is made at a time, and serves all that ask within a second: however many scrape, the
    work is bounded.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        clock: Callable[[], datetime],
        answers: Mapping[int, int],
        headrooms: Headrooms,
        events: Programme | None = None,
        cluster: Callable[[], ClusterView] = lambda: NOTHING_KNOWN,
        old_metrics: bool = False,
    ) -> None:
        self._headrooms = headrooms
        self._events = events
        self._old_metrics = old_metrics
        self._cluster = cluster
        self._snapshot = snapshot
        self._clock = clock
        self._answers = answers
        self._one_at_a_time = asyncio.Lock()
        self._made: _Made | None = None

    async def text(self) -> bytes:
        """The page now, in the text format 0.0.4."""
        async with self._one_at_a_time:
            snapshot, now = self._snapshot(), self._clock()
            made = self._made
            fresh = made is not None and timedelta(0) <= now - made.at < _SHARED_FOR
            if made is None or made.snapshot is not snapshot or not fresh:
                made = _Made(snapshot, now, await self._make(snapshot, now))
                self._made = made
            return made.text

    async def _make(self, snapshot: Snapshot, now: datetime) -> bytes:
        page = _Page()
        ready = True
        states = list(snapshot.workloads.values())
        slices = (
            states[first : first + _WORKLOADS_A_SLICE]
            for first in range(0, len(states), _WORKLOADS_A_SLICE)
        )
        page.add(WorkloadCollector((), now))
        page.add(HeadroomCollector(self._headrooms, (), now))
        async for some in in_turns(slices):
            ready = ready and _settled(some)
            page.add(WorkloadCollector(some, now))
            page.add(HeadroomCollector(self._headrooms, some, now))
        page.add(ServiceCollector(snapshot, ready, self._answers))
        if self._events is not None:
            page.add(EventCollector(await run_in_threadpool(self._events.counts, now)))
        view = self._cluster()
        if self._old_metrics and self._events is not None:
            near = await run_in_threadpool(events_near, self._events.calendar, now)
            for first in range(0, max(len(states), 1), _WORKLOADS_A_TURN):
                some = states[first : first + _WORKLOADS_A_TURN]
                old = OldMetricsCollector(some, self._events, near, view, now)
                await run_in_threadpool(page.add, old)
        if view is not NOTHING_KNOWN:
            names = list(view.workloads)
            parts = (
                {name: view.workloads[name] for name in names[first : first + _WORKLOADS_A_SLICE]}
                for first in range(0, len(names), _WORKLOADS_A_SLICE)
            )
            page.add(ClusterCollector(view, now))
            async for part in in_turns(parts):
                page.add(ClusterWorkloadCollector(part))
        return page.text()


class _Page:
    """Families put together from slices: each keeps one head, as the text format wants it."""

    def __init__(self) -> None:
        self._families: dict[str, list[bytes]] = {}

    def add(self, collector: Collector) -> None:
        for family in collector.collect():
            text = generate_latest(_Only(family))
            if family.name in self._families:
                _help, _type, text = text.split(b"\n", 2)
            self._families.setdefault(family.name, []).append(text)

    def text(self) -> bytes:
        return b"".join(text for family in self._families.values() for text in family)


@dataclass(frozen=True)
class _Only(Collector):
    family: Metric

    def collect(self) -> Iterable[Metric]:
        return (self.family,)


def _settled(states: Sequence[WorkloadState]) -> bool:
    return all(state.settled for state in states)
