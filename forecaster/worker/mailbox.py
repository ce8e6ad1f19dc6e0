"""The way to a helper process: the last thing said counts, and saying it never waits."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

__all__ = ["Inbox", "Outbox"]

T = TypeVar("T")

_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Inbox(Generic[T]):
    """The helper's end; it goes with the arguments of its process."""

    receiver: Connection[Any, Any]

    @property
    def waiting(self) -> bool:
        """Whether something was said since the last call of ``latest``."""
        try:
            return not self.receiver.closed and self.receiver.poll()
        except OSError:
            return False

    def latest(self) -> T | None:
        """What was said last since the last call; None where nothing was, or nobody is there."""
        found: T | None = None
        try:
            while self.receiver.poll():
                found = self.receiver.recv()
        except (EOFError, OSError):
            self.receiver.close()
        return found


class Outbox(Generic[T]):
    """Our end. A pipe takes some kilobytes and a fleet is more, so a thread does the sending."""

    def __init__(self) -> None:
        receiver, self._sender = _spawn.Pipe(duplex=False)
        self.inbox: Inbox[T] = Inbox(receiver)
        self._waiting: list[T] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def started(self) -> None:
        """The helper has its end: ours of it is closed, so that its death is noticed."""
        self.inbox.receiver.close()
        self._thread = threading.Thread(target=self._send, name="preroll-outbox", daemon=True)
        self._thread.start()

    def put(self, one: T) -> None:
        """Say it, in the place of what has not been sent yet."""
        with self._changed:
            self._waiting = [one]
            self._changed.notify()

    def close(self) -> None:
        """Nothing more will be said."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _send(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._waiting))
                if self._closed:
                    break
                (one,), self._waiting = self._waiting, []
            try:
                self._sender.send(one)
            except OSError:  # it has died; the next one has an outbox of its own
                break
        self._sender.close()
