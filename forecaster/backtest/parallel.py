"""Origins in several processes, in the order in which they end.

Processes are spawned, not forked: threads of numeric libraries do not survive a fork.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import connection
from typing import TypeVar

from forecaster.threads import THREAD_LIMITS

__all__ = ["map_unordered"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def map_unordered(
    work: Callable[[_Task], _Result], tasks: Iterable[_Task], jobs: int
) -> Iterator[_Result]:
    """``work(task)`` for every task; with one job in this process, else in ``jobs`` others.

    Tasks are taken from the iterable only a few ahead of the work. ``work``, tasks and results
    must be picklable where there are several jobs. Whatever ends the iteration (an error in
    ``work``, Ctrl-C, the caller's ``break``) ends the processes too.
    """
    if jobs == 1:
        yield from map(work, tasks)
        return
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_follow_parent
    )
    waiting = iter(tasks)
    pending: set[Future[_Result]] = set()
    finished = False
    try:
        with _calm_start():
            pending.update(executor.submit(work, task) for task in islice(waiting, jobs))
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            pending.update(
                executor.submit(work, task) for task in islice(waiting, 2 * jobs - len(pending))
            )
            for future in done:
                yield future.result()
        finished = True
    finally:
        if not finished:
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
        executor.shutdown(cancel_futures=True)


@contextmanager
def _calm_start() -> Iterator[None]:
    """Processes that start meanwhile never see Ctrl-C, which is the parent's to answer, and keep
    their numeric libraries to one thread each.

    Both have to be in place before a process runs its first line: it inherits them.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _follow_parent() -> None:
    """End with the parent, even where it is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def follow() -> None:
            connection.wait([sentinel])
            os._exit(1)

        threading.Thread(target=follow, name="follow-parent", daemon=True).start()
