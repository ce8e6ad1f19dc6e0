"""What the processes of the tests run."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from forecaster.worker.mailbox import Inbox
from forecaster.worker.messages import RunEnded, SourceFailed, Started
from forecaster.worker.process import Tell


def tell_three(tell: Tell, name: str) -> None:
    """Three messages and a regular end."""
    tell(Started(name))
    tell(SourceFailed(datetime(2026, 5, 4, tzinfo=UTC), "x" * 300_000))  # more than a pipe holds
    tell(RunEnded())


def sleep(tell: Tell) -> None:
    """Until somebody ends it."""
    sleep_for(tell, 60)


def sleep_for(tell: Tell, seconds: float) -> None:
    """So long, or until somebody ends it."""
    tell(Started("asleep"))
    time.sleep(seconds)


def stubborn(tell: Tell) -> None:
    """SIGTERM is not heard."""
    stubborn_for(tell, 60)


def stubborn_for(tell: Tell, seconds: float) -> None:
    """SIGTERM is not heard, for so long."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(Started("stubborn"))
    time.sleep(seconds)


def break_down(tell: Tell) -> None:
    """A fault of the program."""
    tell(Started("broken"))
    raise ValueError("no luck")


def tell_about_itself(tell: Tell) -> None:
    """How nice it is, and whether Ctrl-C reaches it."""
    os.kill(os.getpid(), signal.SIGINT)
    tell(Started(f"nice {os.nice(0)}"))


def write_pid_and_sleep(tell: Tell, path: Path) -> None:
    """Tell who it is by a file."""
    path.write_text(str(os.getpid()))
    time.sleep(60)


def listen(tell: Tell, inbox: Inbox) -> None:
    """Say the number of what was heard last; slow to begin, as a helper that is at work."""
    time.sleep(0.5)
    while not inbox.receiver.closed:
        said = inbox.latest()
        if said is not None:
            tell(said[0])
        time.sleep(0.05)
    tell("closed")
