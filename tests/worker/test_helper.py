"""Helpers that are real processes: minded from their start to the last of their ends."""

import os
import signal
import time
from datetime import timedelta
from multiprocessing.connection import wait

import pytest

from forecaster.worker import helper as helpers
from forecaster.worker.helper import Ended, Helper, Restarts
from forecaster.worker.mailbox import Outbox
from forecaster.worker.messages import RunEnded, Started
from tests.worker.processes import alive
from tests.worker.sources import NOW

LONG = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def make():
    made = []

    def helper(function, silence=LONG, **more):
        target = f"tests.worker.children:{function}"
        made.append(Helper("test", target, niceness=0, silence=silence, log=None, **more))
        return made[-1]

    yield helper
    for one in made:
        one.end(0)


@pytest.fixture
def clock(monkeypatch):
    """The steady clock of waits, moved on by hand."""

    class Clock:
        seconds = 1000.0

        def monotonic(self):
            return self.seconds

    moved = Clock()
    monkeypatch.setattr(helpers, "time", moved)
    return moved


def heard_out(helper, now=NOW, seconds=30):
    """All that it tells, and its end."""
    told, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        wait(helper.receivers, timeout=0.05)
        told += helper.messages()
        if (end := helper.ended(now)) is not None:
            return told, end
    raise AssertionError("it did not end in time")


def killed(helper, now=NOW):
    """Let it be killed by somebody else, once it is at work."""
    assert wait(helper.receivers, timeout=30)
    os.kill(helper._child.pid, signal.SIGKILL)
    return heard_out(helper, now)


def test_one_that_has_no_work_yet_tells_nothing_and_has_no_end(make):
    helper = make("tell_three")
    assert (helper.running, helper.may_start, helper.receivers) == (False, True, [])
    assert helper.messages() == [] and helper.ended(NOW) is None
    helper.say("nobody hears")
    helper.ask_to_end()
    helper.end(1)


def test_all_that_it_tells_is_heard_before_its_end_which_is_told_once(make, caplog):
    helper = make("tell_three")
    helper.start("tv/api")
    assert (helper.running, helper.may_start) == (True, False)
    told, end = heard_out(helper)
    assert told[0] == Started("tv/api") and told[-1] == RunEnded() and len(told) == 3
    assert end == Ended(None)
    assert helper.ended(NOW) is None
    assert (helper.running, helper.may_start, helper.receivers) == (False, True, [])
    assert "test died" not in caplog.messages  # its owner judges that


def test_without_restarts_a_death_is_told_and_the_owner_may_start_the_next(make, caplog):
    helper = make("sleep_for")
    helper.start(60)
    assert killed(helper)[1] == Ended("killed by SIGKILL; out of memory?")
    assert helper.may_start
    assert "test died" not in caplog.messages


def test_one_that_is_silent_for_too_long_is_given_up(make):
    helper = make("sleep_for", silence=SECOND)
    helper.start(60)
    assert heard_out(helper)[1] == Ended("no sign of life for 1s")


def test_deaths_in_a_row_are_logged_and_waited_after_longer_and_longer(make, clock, caplog):
    helper = make("sleep_for", restarts=Restarts(SECOND, 4 * SECOND))
    waits = []
    for _ in range(4):
        helper.start(60)
        killed(helper)
        (death,) = [one for one in caplog.records if one.message == "test died"]
        assert death.reason == "killed by SIGKILL; out of memory?"
        waits.append((death.restart_at - NOW).total_seconds())
        caplog.clear()
        clock.seconds += waits[-1] - 0.1
        assert not helper.may_start
        clock.seconds += 0.2
        assert helper.may_start
    assert waits == [1, 2, 4, 4]
    helper.start(60)
    helper.proven()
    killed(helper)
    clock.seconds += 1.1
    assert helper.may_start


def test_one_that_has_lived_for_long_had_no_part_in_the_row(make, clock):
    helper = make("sleep_for", restarts=Restarts(SECOND, LONG, proven_after=LONG))
    for lived, waited in ((0, 1), (59, 2), (61, 1)):
        helper.start(60)
        clock.seconds += lived
        killed(helper)
        clock.seconds += waited - 0.1
        assert not helper.may_start
        clock.seconds += 0.2
        assert helper.may_start


def test_one_that_is_to_be_there_always_is_started_again_after_a_regular_end_too(make, caplog):
    helper = make("tell_three", restarts=Restarts(LONG, LONG))
    helper.start("tv/api")
    assert heard_out(helper)[1] == Ended(None)
    assert "test died" in caplog.messages
    assert not helper.may_start


def test_a_clock_that_is_set_back_does_not_hold_the_next_one_up(make):
    helper = make("sleep_for", restarts=Restarts(timedelta(seconds=0.1), SECOND))
    helper.start(60)
    killed(helper, NOW + timedelta(days=30))
    time.sleep(0.2)
    assert helper.may_start


def test_what_is_said_is_heard_by_the_one_that_runs_and_its_death_ends_the_box(make):
    helper = make("listen")
    for word in ("first", "second"):
        outbox = Outbox()
        helper.start(outbox.inbox, outbox)
        helper.say([word])
        deadline, told = time.monotonic() + 30, []
        while not told and time.monotonic() < deadline:
            wait(helper.receivers, timeout=0.1)
            told = helper.messages()
        assert told == [word]
        pid = helper._child.pid
        helper.ask_to_end()
        assert heard_out(helper)[1] == Ended("killed by SIGTERM")
        assert not alive(pid)
        outbox._thread.join(5)
        assert not outbox._thread.is_alive()


def test_the_end_does_not_wait_for_one_that_does_not_hear(make):
    helper = make("stubborn_for")
    outbox = Outbox()
    helper.start(60, outbox)
    assert wait(helper.receivers, timeout=30)
    pid, began = helper._child.pid, time.monotonic()
    helper.ask_to_end()
    helper.end(0.3)
    assert time.monotonic() - began < 3
    assert not alive(pid) and not helper.running
    outbox._thread.join(5)
    assert not outbox._thread.is_alive()
