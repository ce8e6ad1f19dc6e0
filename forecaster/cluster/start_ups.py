"""The recent start-ups of one workload: found among its pods' changes, kept small, summed up."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from forecaster.cluster.seen import NodeSeen, PodSeen
from forecaster.cluster.start_up import StartUp, start_up
from forecaster.cluster.start_up_rows import (
    NEVER_READY,
    ROW_BYTES,
    Rows,
    StartUpRow,
    packed,
    pod_key,
    row_of,
    unpacked,
)
from forecaster.cluster.start_up_summary import WINDOW_SECONDS, StartUpSummary, summarise

__all__ = ["MOST_KEPT", "StartUps"]

MOST_KEPT = 200
"""Start-ups a workload, so that there is room for 5,000 workloads."""

_FRESH = 60.0
"""Seconds: what is seen so soon after it happened is not yet another time round."""

_PLAUSIBLE = 1800.0
"""Seconds: a pod found ready whose conditions tell of more has lost and regained readiness."""


class StartUps:
    """The start-ups of one workload's pods: the last 200 of the last 14 days.

    A pod counts once, when it is ready for the first time: what happens to its readiness later is
    no start-up. A service that starts, or takes a workload in, must not take a later time round for
    the first one. So:

    - a pod that is ready when first seen is told by its conditions, if none of its containers
      restarted and it took half an hour at the most. Its readiness may be a later one all the same,
      so such start-ups count only until there are enough that were watched;
    - a pod that is first seen not ready more than a minute after its initialisation, or with
      restarts, may have been ready before, and is left out.
    """

    def __init__(self) -> None:
        self._packed = bytearray()
        self._ready = array("d")
        self._lost: list[float] = []
        self._waiting: dict[str, float] = {}
        self._unschedulable: set[str] = set()
        self._settled: set[str] = set()

    def note(
        self,
        now: float,
        before: PodSeen | None,
        after: PodSeen | None,
        node: NodeSeen | None = None,
    ) -> StartUp | None:
        """Take in a pod's change; the start-up that ended with it, or None.

        ``before`` is None for a pod that was not seen before, ``after`` for one that is gone. The
        caller gives the pods of this workload alone, and the ``node`` that ``after`` stands on
        where nodes are read.
        """
        if before is not None and after is not None and before.uid != after.uid:
            self.note(now, before, None)  # a StatefulSet's pod, made again under its name
            before = None
        first = before or after
        if first is None:
            return None
        uid = first.uid
        found = None
        if uid not in self._settled and uid not in self._waiting:
            found = self._take_in(now, first, node)
        if uid in self._waiting:
            found = self._follow(now, uid, after, node)
        if after is None:
            self._settled.discard(uid)
        return found

    def _take_in(self, now: float, pod: PodSeen, node: NodeSeen | None) -> StartUp | None:
        """Decide about a pod that is seen for the first time: wait for it, or have done with it."""
        if pod.ready is None:
            first = pod.initialised is None or now - pod.initialised <= _FRESH
            if first and not pod.restarts and not pod.ending and not self._has(pod.uid):
                self._waiting[pod.uid] = pod.created
            else:
                self._settled.add(pod.uid)
            return None
        self._settled.add(pod.uid)
        told = start_up(pod, node, watched=now - pod.created <= _FRESH)
        if told is None or told.total > _PLAUSIBLE or self._has(pod.uid):
            return None
        if told.restarted and not told.watched:
            return None
        self._keep(told, pod.uid)
        return told

    def _follow(
        self, now: float, uid: str, after: PodSeen | None, node: NodeSeen | None
    ) -> StartUp | None:
        """Look after a pod that has not been ready yet."""
        if after is not None and after.unschedulable is not None:
            self._unschedulable.add(uid)
        gone = after is None or after.ending
        found = None if after is None else start_up(after, node)
        if not gone and found is None:
            return None
        unschedulable = uid in self._unschedulable
        self._unschedulable.discard(uid)
        del self._waiting[uid]
        self._settled.add(uid)
        if after is None or found is None:
            self._give_up(now)
            return None
        found = start_up(after, node, unschedulable=unschedulable)
        if found is not None:
            self._keep(found, uid)
        return found

    def _give_up(self, at: float) -> None:
        self._lost.append(at)
        del self._lost[:-MOST_KEPT]

    def _has(self, uid: str) -> bool:
        return bool((self._rows()["pod"] == pod_key(uid)).any())

    def _keep(self, one: StartUp, uid: str) -> None:
        self._insert(row_of(one, uid))

    def _rows(self) -> Rows:
        return unpacked(bytes(self._packed))

    def _insert(self, row: StartUpRow) -> None:
        """Put a row where its readiness belongs, and let the oldest go."""
        ready = sum(row[:5])
        place = bisect_right(self._ready, ready)
        self._ready.insert(place, ready)
        self._packed[place * ROW_BYTES : place * ROW_BYTES] = packed(row)
        if len(self._ready) > MOST_KEPT:
            del self._ready[0]
            del self._packed[:ROW_BYTES]

    def summary(self, now: float) -> StartUpSummary:
        """What the start-ups of the last 14 days come to, and how many pods wait now."""
        rows = self._rows()[bisect_left(self._ready, now - WINDOW_SECONDS) :]
        lost = sum(at >= now - WINDOW_SECONDS for at in self._lost)
        longest = max((now - created for created in self._waiting.values()), default=0.0)
        return summarise(rows, lost, len(self._waiting), max(longest, 0.0))

    def to_rows(self) -> list[StartUpRow]:
        """All that is kept, as plain numbers; the pods that are waited for are not in it."""
        lost: list[StartUpRow] = [(at, 0.0, 0.0, 0.0, 0.0, NEVER_READY, 0) for at in self._lost]
        return [row.item() for row in self._rows()] + lost

    @classmethod
    def from_rows(cls, rows: Iterable[StartUpRow]) -> StartUps:
        """What :meth:`to_rows` gave, in any order; later ones than 200 are kept."""
        made = cls()
        for row in sorted(rows):
            if row[5] == NEVER_READY:
                made._give_up(row[0])
            else:
                made._insert(row)
        return made
