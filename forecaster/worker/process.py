"""A process of our own beside the serving one: started, listened to, ended."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from typing import Any

from forecaster.durations import format_duration
from forecaster.settings import LogSettings
from forecaster.worker.logs import configure_logging
from forecaster.worker.messages import Message

__all__ = ["Child", "ChildSpec", "Tell"]

Tell = Callable[[Message], None]

_spawn = multiprocessing.get_context("spawn")  # threads of numeric libraries do not survive a fork
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChildSpec:
    """What a process runs.

    ``target`` is ``"package.module:function"``, imported in the child alone, so that the serving
    process never loads what only a trainer needs. The function gets a ``Tell`` and ``arguments``,
    which must be picklable. ``niceness`` is added to the priority number: more is more polite.
    """

    name: str
    target: str
    arguments: tuple[Any, ...]
    niceness: int = 0
    log: LogSettings | None = None


class Child:
    """A running process and the pipe by which it tells. The constructor starts it."""

    def __init__(self, spec: ChildSpec) -> None:
        self._heard_at = time.monotonic()
        self._given_up: str | None = None
        self._receiver, sender = _spawn.Pipe(duplex=False)
        self._process = _spawn.Process(
            target=_run, args=(spec, sender), name=f"preroll-{spec.name}", daemon=True
        )
        # Until the child can say that it ignores Ctrl-C, it inherits that it is not to hear of it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        sender.close()  # the child's end alone is open now: its death is the end of the pipe
        _log.info("process started", extra={"child": spec.name, "child_pid": self._process.pid})

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    @property
    def receiver(self) -> Connection[Any, Any]:
        """Ready to be read when there is a message, or when the process has ended."""
        return self._receiver

    @property
    def silent_for(self) -> timedelta:
        """The time since it told something, or was started."""
        return timedelta(seconds=time.monotonic() - self._heard_at)

    def messages(self) -> tuple[list[Message], bool]:
        """What it has told since, and whether the pipe is still open."""
        told: list[Message] = []
        try:
            while self._receiver.poll():
                told.append(self._receiver.recv())
                self._heard_at = time.monotonic()
        except (EOFError, OSError):
            return told, False
        return told, True

    def give_up(self, reason: str) -> None:
        """Kill it; ``reason`` is how it ended."""
        self._given_up = reason
        self._process.kill()

    def give_up_after(self, silence: timedelta) -> None:
        """Kill it where it has told nothing for so long: it hangs."""
        if self.silent_for > silence:
            self.give_up(f"no sign of life for {format_duration(silence)}")

    def ended(self) -> str | None:
        """How it ended, in words, once its pipe is closed; None after a regular end."""
        code = self.end(patience_seconds=1)
        if self._given_up is not None:
            return self._given_up
        if code == 0:
            return None
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; out of memory?" if -code == signal.SIGKILL else ""
            return f"killed by {name}{hint}"
        return f"exit code {code}"

    def ask_to_end(self) -> None:
        """Send SIGTERM, without waiting."""
        self._process.terminate()

    def end(self, patience_seconds: float) -> int | None:
        """Wait for it to end, and kill it after ``patience_seconds``; its exit code."""
        self._process.join(timeout=patience_seconds)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join(timeout=1)
        code = self._process.exitcode
        self._receiver.close()
        if code is not None:
            self._process.close()
        return code


def _run(spec: ChildSpec, sender: Connection[Any, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if spec.log is not None:
        configure_logging(spec.log, spec.name)
    if spec.niceness:
        os.nice(spec.niceness)
    module, _, function = spec.target.partition(":")
    try:
        getattr(importlib.import_module(module), function)(sender.send, *spec.arguments)
    except BrokenPipeError:  # nobody listens any more
        raise SystemExit(1) from None
    except Exception:
        _log.exception("process failed")
        raise SystemExit(1) from None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
