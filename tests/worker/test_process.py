"""Real processes: what they tell, how they end, and that none is left behind."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from multiprocessing.connection import wait

import pytest

from forecaster.worker.messages import RunEnded, Started
from forecaster.worker.process import Child, ChildSpec
from tests.worker.processes import alive


def spec(function, *arguments, **more):
    return ChildSpec("test", f"tests.worker.children:{function}", arguments, **more)


def listen(child, seconds=30):
    """Everything it tells until it ends."""
    told, open_still, deadline = [], True, time.monotonic() + seconds
    while open_still and time.monotonic() < deadline:
        wait([child.receiver], timeout=1)
        messages, open_still = child.messages()
        told += messages
    assert not open_still
    return told


def first_message(child):
    assert child.receiver.poll(30)
    (message,), _ = child.messages()
    return message


def test_what_is_told_arrives_and_a_regular_end_has_no_words():
    child = Child(spec("tell_three", "tv/api"))
    told = listen(child)
    assert told[0] == Started("tv/api")
    assert told[-1] == RunEnded()
    assert len(told) == 3
    assert child.ended() is None


def test_a_fault_is_logged_by_the_process_and_told_as_its_exit_code(capfd):
    child = Child(spec("break_down"))
    assert listen(child) == [Started("broken")]
    assert child.ended() == "exit code 1"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "killed by SIGKILL; out of memory?"),
        (signal.SIGTERM, "killed by SIGTERM"),
    ],
    ids=["kill", "term"],
)
def test_a_violent_end_is_told_with_the_signal(number, words):
    child = Child(spec("sleep"))
    first_message(child)
    os.kill(child.pid, number)
    assert listen(child) == []
    assert child.ended() == words


def test_a_process_that_does_not_hear_is_killed_after_some_patience():
    child = Child(spec("stubborn"))
    first_message(child)
    pid = child.pid
    began = time.monotonic()
    child.ask_to_end()
    child.end(patience_seconds=0.3)
    assert time.monotonic() - began < 20
    assert not alive(pid)


def test_a_helper_is_nice_and_leaves_ctrl_c_to_its_parent():
    child = Child(spec("tell_about_itself", niceness=3))
    assert listen(child) == [Started(f"nice {min(os.nice(0) + 3, 19)}")]
    assert child.ended() is None


def test_a_helper_does_not_outlive_a_parent_that_was_killed(tmp_path):
    path = tmp_path / "pid"
    script = f"""
import time
from pathlib import Path
from forecaster.worker.process import Child, ChildSpec
if __name__ == "__main__":
    path = Path({str(path)!r})
    child = Child(ChildSpec("x", "tests.worker.children:write_pid_and_sleep", (path,)))
    time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": ":".join(sys.path)}
    )
    try:
        deadline = time.monotonic() + 30
        while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        pid = int(path.read_text())
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pid)


def test_a_process_that_hangs_is_given_up_with_that_reason():
    child = Child(spec("sleep"))
    first_message(child)
    time.sleep(0.2)
    assert timedelta(seconds=0.2) <= child.silent_for < timedelta(seconds=30)
    child.give_up("no sign of life for 30m")
    assert listen(child) == []
    assert child.ended() == "no sign of life for 30m"
