"""The step of stamped rows: what it is, and where it changes.

Stamps and spacings are whole microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["StepChange", "find_step_change", "infer_step"]

_SECOND = 1_000_000
_CLEAR_MODE = 0.6
_USUAL_STEPS_US = _SECOND * np.array(
    [1, 2, 5, 10, 15, 20, 30]
    + [60 * n for n in (1, 2, 3, 5, 10, 15, 20, 30)]
    + [3600 * n for n in (1, 2, 3, 4, 6, 8, 12, 24, 168)]
)


@dataclass(frozen=True)
class StepChange:
    """From row ``row`` on (a position in the sorted rows) the step is another one."""

    row: int
    before_us: int
    after_us: int


def infer_step(spacings_us: Sequence[NDArray[np.int64]]) -> int:
    """The step, in microseconds, of series whose neighbouring rows are ``spacings_us`` apart.

    The most common spacing, where nearly all others are multiples of it (absent rows); else the
    smallest or the greatest common divisor, where all are multiples of that (a series that is
    mostly absent); else, the stamps being uneven, a usual step near the typical spacing, if the
    stamps keep its time, or that spacing itself.
    Raises ValueError where there is no spacing at all.
    """
    spacing = np.concatenate([np.asarray(one, dtype=np.int64) for one in spacings_us])
    if len(spacing) == 0:
        raise ValueError("a step needs at least two different stamps")
    distinct, counts = np.unique(spacing, return_counts=True)
    common = int(distinct[np.argmax(counts)])
    if np.mean(spacing % common == 0) >= 0.95:
        return common
    smallest = int(distinct[0])
    if counts[0] >= max(3, len(spacing) // 100) and not (spacing % smallest).any():
        return smallest
    if counts.max() >= _CLEAR_MODE * len(spacing):
        return common  # the others will have to explain themselves
    divisor = int(np.gcd.reduce(spacing))
    if divisor >= 10 * _SECOND and divisor in _USUAL_STEPS_US:
        return divisor  # few rows of a series that is mostly absent
    return _uneven_step(spacings_us)


def _uneven_step(spacings_us: Sequence[NDArray[np.int64]]) -> int:
    spacing = np.concatenate(spacings_us)
    typical = float(np.median(spacing[spacing <= 1.5 * np.median(spacing)]))
    usual_us = _USUAL_STEPS_US[np.argmin(np.abs(_USUAL_STEPS_US / typical - 1))]
    if abs(usual_us / typical - 1) <= 0.15 and _concentration(spacings_us, usual_us) >= 0.2:
        return int(usual_us)
    slots = float(np.rint(spacing / typical).sum())  # whole steps in all: jitter averages out
    seconds = float(spacing.sum()) / max(slots, 1.0) / _SECOND
    whole = round(seconds)
    if abs(whole / seconds - 1) <= 0.002:
        return whole * _SECOND
    return max(round(seconds * 1000), 1) * 1000


def _concentration(spacings_us: Sequence[NDArray[np.int64]], step_us: float) -> float:
    """How close stamps stand to a common phase of the step: 1 for exact ones, 0 for scattered."""
    turns = [np.exp(2j * np.pi * np.append(0, np.cumsum(one)) / step_us) for one in spacings_us]
    sizes = np.array([len(one) for one in turns])
    return float(np.average([abs(one.mean()) for one in turns], weights=sizes))


def find_step_change(at_us: NDArray[np.int64], step_us: int) -> StepChange | None:
    """Where sorted stamps turn from one steady spacing to another, or None.

    Absent rows are not a change: spacings are put into classes 25 % wide, and only runs too long
    to be chance count. A change needs two different ones, four stretches at most, and four fifths
    of all rows in them; a service that reports now and then, or closes at night, has none of that.
    """
    spacing = np.diff(at_us)
    count = len(spacing)
    if count < 8:
        return None
    kind = np.rint(np.log(spacing / step_us) / np.log(1.25)).astype(np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(kind)) + 1])
    lengths = np.diff(np.concatenate([starts, [count]]))
    steady = lengths >= max(4, min(20, count // 20))
    if lengths[steady].sum() < 0.8 * count:
        return None
    starts, kinds = starts[steady], kind[starts[steady]]
    turns = np.flatnonzero(np.diff(kinds)) + 1
    if not 1 <= len(turns) <= 3:
        return None
    first, turn = int(starts[0]), int(starts[turns[0]])
    return StepChange(turn + 1, int(spacing[first]), int(spacing[turn]))
