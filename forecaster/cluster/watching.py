"""Watches: list, follow, go on after whatever happens; each in a thread of its own.

    told: SimpleQueue[Told] = SimpleQueue()
    watch = ClusterWatch(client, resources_to_read(nodes=False), namespaces, told.put)
    watch.start()
    …                     # Inventory.take(told.get()), in one thread
    watch.stop()

A watch never ends by itself. What goes wrong is told as a WatchState with its ``problem``, while
the other kinds go on; it is tried again until ``stop``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from forecaster.cluster.changes import Changed, Gone, Listed, Told, WatchState
from forecaster.cluster.client import ClusterClient
from forecaster.cluster.listing import broken_of, list_seen
from forecaster.cluster.pace import Pace, problem_of
from forecaster.cluster.parsing import BrokenObject, key_of, seen_of
from forecaster.cluster.resources import Resource
from forecaster.errors import (
    ClusterAnswerError,
    ClusterError,
    ClusterExpired,
    ClusterUnavailable,
)

__all__ = ["ClusterWatch", "Deliver"]

Deliver = Callable[[Told], None]

_log = logging.getLogger(__name__)


class ClusterWatch:
    """A watch for each kind, and for each namespace where some are named.

    ``deliver`` is called by many threads; a queue's ``put`` is meant.
    """

    def __init__(
        self,
        client: ClusterClient,
        resources: Iterable[Resource],
        namespaces: Iterable[str],
        deliver: Deliver,
        *,
        pace: Pace = Pace(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        named = tuple(namespaces) or (None,)
        self._watches = [
            _ResourceWatch(client, resource, namespace, deliver, pace, clock)
            for resource in resources
            for namespace in (named if resource.namespaced else (None,))
        ]

    def start(self) -> None:
        """Begin to read."""
        for one in self._watches:
            one.thread.start()

    def stop(self, patience_seconds: float = 5.0) -> bool:
        """End all watches; false where one still waits for an answer after ``patience_seconds``."""
        for one in self._watches:
            one.stop()
        until = time.monotonic() + patience_seconds
        for one in self._watches:
            if one.thread.ident is not None:
                one.thread.join(max(0.0, until - time.monotonic()))
        return not any(one.thread.is_alive() for one in self._watches)


class _ResourceWatch:
    """One kind, in one namespace or in all."""

    def __init__(
        self,
        client: ClusterClient,
        resource: Resource,
        namespace: str | None,
        deliver: Deliver,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._client, self._resource, self._namespace = client, resource, namespace
        self._deliver, self._pace, self._clock = deliver, pace, clock
        self._stopped = threading.Event()
        self._end_stream: Callable[[], None] | None = None
        self._version: str | None = None  # None: all is to be read anew
        self._heard: float | None = None
        self._state: WatchState | None = None
        self._settled = False
        name = f"watch-{resource.plural}" + ("" if namespace is None else f"-{namespace}")
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def stop(self) -> None:
        """End soon; the open stream is cut."""
        self._stopped.set()
        end = self._end_stream
        if end is not None:
            end()

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            self._settled = False
            try:
                self._list_and_follow()
                error: ClusterError | None = None
            except ClusterError as raised:
                error = raised
            except Exception as raised:
                _log.exception("watch broken", extra={"kind": self._resource.kind})
                error = ClusterAnswerError(f"{self._resource.kind}: {raised!r}")
            if self._stopped.is_set():
                return
            if isinstance(error, ClusterExpired | ClusterAnswerError):
                self._version = None
            # After a stream that worked, the first attempt comes at once and nothing is told.
            failures = 1 if self._settled else failures + 1
            if failures == 1 and self._heard is not None and _passing(error):
                continue
            if error is not None:
                self._tell(
                    connected=False, problem=problem_of(error, self._resource, self._namespace)
                )
            self._stopped.wait(self._pace.wait_seconds(failures, error))

    def _list_and_follow(self) -> None:
        if self._version is None:
            listed = list_seen(
                self._client, self._resource, self._namespace, stopped=self._stopped.is_set
            )
            if self._stopped.is_set():
                return
            kind = self._resource.kind
            self._deliver(Listed(kind, self._namespace, listed.values, listed.broken))
            self._version, self._heard = listed.version, self._clock()
        stream = self._client.watch(self._resource, self._namespace, self._version)
        began = time.monotonic()
        self._end_stream = stream.end
        if self._stopped.is_set():
            stream.end()
        self._heard = self._clock()
        self._tell(connected=True)
        try:
            for line in stream:
                self._take(line)
                self._settled = True
        finally:
            self._end_stream = None
            self._settled |= time.monotonic() - began >= self._pace.settled_seconds

    def _take(self, line: Mapping[str, Any]) -> None:
        self._heard = self._clock()
        item, how = line["object"], line.get("type")
        about = item.get("metadata")
        version = about.get("resourceVersion") if isinstance(about, dict) else None
        if how != "BOOKMARK":
            self._deliver_change(item, how)
        if isinstance(version, str) and version:
            self._version = version

    def _deliver_change(self, item: Mapping[str, Any], how: Any) -> None:
        kind = self._resource.kind
        if how == "DELETED":
            self._deliver(Gone(kind, *key_of(item)))
            return
        try:
            value = seen_of(self._resource, item)
        except BrokenObject as error:
            self._deliver(broken_of(error))
            return
        if value is None:
            self._deliver(Gone(kind, *key_of(item)))
        else:
            self._deliver(Changed(kind, "added" if how == "ADDED" else "changed", value))

    def _tell(self, *, connected: bool, problem: str | None = None) -> None:
        state = WatchState(self._resource.kind, self._namespace, connected, self._heard, problem)
        before, self._state = self._state, state
        if before is None or (before.connected, before.problem) != (connected, problem):
            told = {"kind": state.kind, "namespace": state.namespace}
            if connected:
                _log.info("watch open", extra=told)
            else:
                _log.warning("watch failed", extra={**told, "problem": problem})
            self._deliver(state)


def _passing(error: ClusterError | None) -> bool:
    """An end, a cut, or a version that is too old: nothing to speak of, the first time."""
    if isinstance(error, ClusterUnavailable):
        return error.status is None
    return error is None or isinstance(error, ClusterExpired | ClusterAnswerError)
