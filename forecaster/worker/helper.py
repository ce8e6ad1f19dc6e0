"""A helper of the conductor: a process that is heard, given up when it hangs, started again."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from forecaster.settings import LogSettings
from forecaster.worker.mailbox import Outbox
from forecaster.worker.messages import Message
from forecaster.worker.process import Child, ChildSpec
from forecaster.worker.schedule import back_off

__all__ = ["Ended", "Helper", "Restarts"]

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Restarts:
    """How long to wait after the first, second … death in a row: doubling up to ``longest``.

    A helper that has lived for ``proven_after`` had no part in the row of deaths; where that is
    None, its owner says by ``Helper.proven`` that it does its work.
    """

    first: timedelta
    longest: timedelta
    proven_after: timedelta | None = None


@dataclass(frozen=True)
class Ended:
    """A helper's end; ``how`` in words, None after a regular one."""

    how: str | None


class Helper(Generic[T]):
    """A process that is to be minded; its owner knows when it is due, and what it tells.

        if helper.may_start:
            helper.start(order)
        for message in helper.messages():
            ...
        if (end := helper.ended(now)) is not None:
            ...

    ``target`` is ``"package.module:function"`` (see ``ChildSpec``), which gets the order that it is
    started with. One that tells nothing for ``silence`` is killed. With ``restarts``, it is to be
    there always: each end is a death, logged, and ``may_start`` waits. Without, the owner judges
    ends. ``T`` is what it is told while it runs. One thread's; waits go by the steady clock, so
    that a clock that is set back holds nobody up.
    """

    def __init__(
        self,
        name: str,
        target: str,
        *,
        niceness: int,
        silence: timedelta,
        log: LogSettings | None,
        restarts: Restarts | None = None,
    ) -> None:
        self._name = name
        self._target = target
        self._niceness = niceness
        self._silence = silence
        self._log = log
        self._restarts = restarts
        self._child: Child | None = None
        self._outbox: Outbox[T] | None = None
        self._open = False
        self._deaths = 0
        self._started_at = self._due_at = 0.0

    @property
    def running(self) -> bool:
        """Whether there is one, or one whose end was not asked for by ``ended`` yet."""
        return self._child is not None

    @property
    def may_start(self) -> bool:
        """Whether there is none, and the wait after the last death is over."""
        return self._child is None and time.monotonic() >= self._due_at

    @property
    def receivers(self) -> list[Connection[Any, Any]]:
        """What to listen to: empty where there is none."""
        return [] if self._child is None else [self._child.receiver]

    def start(self, order: object, outbox: Outbox[T] | None = None) -> None:
        """Start one with this order; ``outbox`` is the one whose inbox the order holds."""
        self._started_at = time.monotonic()
        spec = ChildSpec(self._name, self._target, (order,), self._niceness, self._log)
        self._child, self._open = Child(spec), True
        self._outbox = outbox
        if outbox is not None:
            outbox.started()

    def say(self, one: T) -> None:
        """Tell it something; where there is none, nobody hears."""
        if self._outbox is not None:
            self._outbox.put(one)

    def messages(self) -> list[Message]:
        """What it has told since."""
        if self._child is None:
            return []
        told, self._open = self._child.messages()
        return told

    def proven(self) -> None:
        """It does its work: deaths are counted anew."""
        self._deaths = 0

    def ended(self, now: datetime) -> Ended | None:
        """Its end, once, where ``messages`` has heard the last of it; kills one that hangs."""
        if self._child is None:
            return None
        self._child.give_up_after(self._silence)
        if self._open:
            return None
        how = self._child.ended()
        self._let_go()
        if self._restarts is not None:
            self._died(self._restarts, how, now)
        return Ended(how)

    def ask_to_end(self) -> None:
        """Ask it to end, without waiting."""
        if self._child is not None:
            self._child.ask_to_end()

    def end(self, patience_seconds: float) -> None:
        """End it, by force after so long."""
        if self._child is not None:
            self._child.end(patience_seconds)
            self._let_go()

    def _let_go(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
        self._child = self._outbox = None

    def _died(self, restarts: Restarts, how: str | None, now: datetime) -> None:
        lived = timedelta(seconds=time.monotonic() - self._started_at)
        if restarts.proven_after is not None and lived >= restarts.proven_after:
            self._deaths = 0
        self._deaths += 1
        wait = back_off(self._deaths, restarts.first, restarts.longest)
        self._due_at = time.monotonic() + wait.total_seconds()
        _log.error(f"{self._name} died", extra={"reason": how, "restart_at": now + wait})
