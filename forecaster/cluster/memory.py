"""How a process that reads a cluster treats its memory."""

from __future__ import annotations

import gc

__all__ = ["collect_rarely"]


def collect_rarely() -> None:
    """Look for cycles after 50,000 new objects instead of 700; for a process of its own.

    A page of pods is a tree of 200,000 objects that lives for some milliseconds and holds no cycle;
    walking through it again and again took more than half of the time of reading it.
    """
    gc.set_threshold(50_000, 20, 100)
