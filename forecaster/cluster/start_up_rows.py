"""Start-ups as rows of numbers: what is kept in memory and in a store."""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from forecaster.cluster.start_up import StartUp

__all__ = [
    "NEVER_READY",
    "PARTS",
    "RESTARTED",
    "ROW_BYTES",
    "UNSCHEDULABLE",
    "WATCHED",
    "Rows",
    "StartUpRow",
    "packed",
    "pod_key",
    "ready_at",
    "row_of",
    "totals",
    "unpacked",
]

StartUpRow = tuple[float, float, float, float, float, int, int]
"""created, scheduling, node, initialising, starting, marks, pod.

``marks`` is 1 restarted + 2 unschedulable + 4 watched; 8 alone for a pod that was given up at
``created`` without having been ready. ``pod`` stands for its uid.
"""

RESTARTED, UNSCHEDULABLE, WATCHED, NEVER_READY = 1, 2, 4, 8

PARTS = ("scheduling", "node", "initialising", "starting")

Rows = NDArray[np.void]

_PACKED = Struct("<dffffBq")
_DTYPE = np.dtype(
    [("created", "<f8"), *((part, "<f4") for part in PARTS), ("marks", "u1"), ("pod", "<i8")]
)
ROW_BYTES = _PACKED.size
"""33 bytes a start-up."""


def pod_key(uid: str) -> int:
    """A number for a uid that fits SQLite's integers."""
    return int.from_bytes(blake2b(uid.encode(), digest_size=8).digest(), "big") >> 1


def row_of(one: StartUp, uid: str) -> StartUpRow:
    """A start-up of the pod of this uid as a row."""
    marks = RESTARTED * one.restarted + UNSCHEDULABLE * one.unschedulable + WATCHED * one.watched
    parts = (one.scheduling, one.node, one.initialising, one.starting)
    return (one.created, *parts, marks, pod_key(uid))


def packed(row: StartUpRow) -> bytes:
    """A row in ROW_BYTES bytes; parts are rounded to single precision."""
    return _PACKED.pack(*row)


def unpacked(rows: bytes) -> Rows:
    """Rows that :func:`packed` made, one after the other."""
    return np.frombuffer(rows, _DTYPE)


def totals(rows: Rows) -> NDArray[np.float64]:
    """Seconds from created to ready of each row."""
    seconds: NDArray[np.float64] = np.zeros(len(rows))
    for part in PARTS:
        seconds += rows[part]
    return seconds


def ready_at(rows: Rows) -> NDArray[np.float64]:
    """When each was ready, Unix seconds."""
    ready: NDArray[np.float64] = rows["created"] + totals(rows)
    return ready
