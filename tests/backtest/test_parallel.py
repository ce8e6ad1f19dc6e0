import multiprocessing
import os
import signal
import subprocess
import sys
import time
from operator import methodcaller
from pathlib import Path

import pytest

from forecaster.backtest.parallel import map_unordered

WAIT_FOR_EVER = """
import time
from forecaster.backtest.parallel import map_unordered

if __name__ == "__main__":
    import multiprocessing, sys, threading

    def tell():
        while len(multiprocessing.active_children()) < 2:
            time.sleep(0.02)
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)

    threading.Thread(target=tell, daemon=True).start()
    list(map_unordered(time.sleep, [60.0] * 4, 2))
"""


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until_gone(pids, seconds=10.0):
    deadline = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(_alive(pid) for pid in pids)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_is_done_once(jobs):
    tasks = range(-500, 0)  # many and quick: whole batches end at the same time
    assert sorted(map_unordered(abs, tasks, jobs)) == list(range(1, 501))


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_task_is_no_result(jobs):
    assert list(map_unordered(abs, [], jobs)) == []


def test_tasks_are_taken_only_a_few_ahead_of_the_work():
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield number

    results = map_unordered(abs, tasks(), 2)
    next(results)
    assert len(taken) <= 8
    results.close()


def test_an_error_in_the_work_reaches_the_caller_and_ends_the_processes():
    with pytest.raises(ZeroDivisionError):
        list(map_unordered(methodcaller("__truediv__", 0), [1, 2, 3], 2))
    assert multiprocessing.active_children() == []


def test_leaving_early_ends_the_processes():
    for _ in map_unordered(abs, range(1000), 2):
        break
    assert multiprocessing.active_children() == []


def test_processes_keep_to_one_thread_and_leave_our_environment_as_it_was():
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    assert set(map_unordered(os.getenv, ["OPENBLAS_NUM_THREADS"] * 4, 2)) == {"1"}
    assert os.environ.get("OPENBLAS_NUM_THREADS") == before


@pytest.mark.slow
@pytest.mark.parametrize("by", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_processes_do_not_outlive_their_parent(tmp_path, by):
    script = tmp_path / "wait_for_ever.py"
    script.write_text(WAIT_FOR_EVER)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        time.sleep(1.0)  # let them come up: a process that still starts has no ears yet
        parent.send_signal(signal.Signals[by])
        parent.wait(timeout=20)
        assert _wait_until_gone(children)
    finally:
        parent.kill()
        parent.stdout.close()
