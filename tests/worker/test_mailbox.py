"""What is said to a helper: the last thing counts, however large, and saying it never waits."""

import time

from forecaster.worker.mailbox import Outbox
from forecaster.worker.process import Child, ChildSpec


def heard(child, seconds=20):
    found, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        messages, still_open = child.messages()
        found += messages
        if not still_open:
            break
        time.sleep(0.02)
    return found


def test_a_helper_hears_the_last_word_however_large_and_the_end_of_the_talk():
    outbox = Outbox()
    child = Child(ChildSpec("listener", "tests.worker.children:listen", (outbox.inbox,)))
    outbox.started()
    started = time.monotonic()
    for number in range(50):
        outbox.put((number, b"x" * 1_000_000))
    assert time.monotonic() - started < 1.5  # the pipe holds far less than one of them
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        messages, _ = child.messages()
        if 49 in messages:
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the last word never came")
    outbox.close()
    assert heard(child) == ["closed"]
    assert child.ended() is None


def test_a_helper_that_has_died_is_no_trouble():
    outbox = Outbox()
    child = Child(ChildSpec("listener", "tests.worker.children:listen", (outbox.inbox,)))
    outbox.started()
    child.give_up("enough")
    child.ended()
    for _ in range(20):
        outbox.put(b"x" * 1_000_000)
        time.sleep(0.01)
    outbox.close()
