"""The hold-down: a higher number of replicas outlives the need for a while."""

from __future__ import annotations

import numpy as np

from forecaster.planning.capacity import IntArray

__all__ = ["hold"]


def hold(needed: IntArray, steps: int) -> IntArray:
    """The highest of each step's own need and those of the ``steps`` steps before it.

    ``needed`` is in replicas, shape (n,), and so is the answer; what was needed before the first
    step is not known and holds nothing. ValueError where ``steps`` is negative.

    >>> hold(np.array([3, 7, 4, 2, 2]), 2).tolist()
    [3, 7, 7, 7, 4]
    """
    if steps < 0:
        raise ValueError(f"a hold-down is 0 steps or more, for example 5, not {steps}")
    if len(needed) == 0:
        return needed.copy()
    padded = np.concatenate([np.full(steps, needed.min(), dtype=np.int64), needed])
    held: IntArray = np.lib.stride_tricks.sliding_window_view(padded, steps + 1).max(axis=1)
    return held
