"""From stamped values to a regular grid: sorting, and snapping small jitter.

Stamps are whole microseconds since the epoch, UTC. Nothing is filled in and nothing is added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = [
    "MAX_STEPS",
    "DuplicateStampsError",
    "Grid",
    "RowError",
    "SortedRows",
    "snap_to_grid",
    "sort_rows",
    "stamp_text",
]

MAX_STEPS = 20_000_000
"""The longest series accepted, 38 years of minutes: more is a wrong stamp or a wrong step."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_MOST_MERGED = 0.01


def stamp_text(at_us: int) -> str:
    """An instant as text, like 2024-03-01T20:05:00Z."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


class RowError(Exception):
    """A row that cannot stand as it is; whoever knows the file turns it into an error with a line.

    ``row`` is the row's position in the array that was passed in; ``compare`` is another row that
    the message is about.
    """

    def __init__(self, message: str, row: int, compare: int | None = None) -> None:
        self.message = message
        self.row = row
        self.compare = compare
        super().__init__(message)


class DuplicateStampsError(RowError):
    """A stamp stands twice with different values; ``at_us`` are all stamps that stand twice."""

    def __init__(
        self, message: str, row: int, compare: int, at_us: NDArray[np.int64], spacing_us: int
    ) -> None:
        super().__init__(message, row, compare)
        self.at_us = at_us
        self.spacing_us = spacing_us


@dataclass(frozen=True, eq=False)
class SortedRows:
    """Rows in order of time, each stamp once; ``row`` are their positions before sorting.

    ``moved`` rows stood after a later one; ``dropped`` rows were equal copies of another row.
    """

    at_us: NDArray[np.int64]
    value: FloatArray
    row: NDArray[np.int64]
    moved: NDArray[np.int64]
    dropped: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Values at a regular step from ``start_us``, NaN where no row stands.

    ``snapped`` rows were off the grid, the farthest by ``largest_shift_us``; ``merged`` ones fell
    into the step of a row with the same value.
    """

    start_us: int
    value: FloatArray
    snapped: int
    largest_shift_us: int
    merged: int


def sort_rows(at_us: NDArray[np.int64], value: FloatArray) -> SortedRows:
    """The rows in order of time; a copy of a row with the same value is dropped.

    Raises DuplicateStampsError where a stamp stands twice with different values.
    """
    before = np.maximum.accumulate(at_us) if len(at_us) else at_us
    moved = np.flatnonzero(at_us < before)
    order = np.argsort(at_us, kind="stable") if len(moved) else np.arange(len(at_us))
    at, values = at_us[order], value[order]
    again = np.flatnonzero(np.diff(at) == 0) + 1
    differ = again[values[again] != values[again - 1]]
    if len(differ):
        first = int(differ[0])
        distinct = np.diff(np.unique(at))
        raise DuplicateStampsError(
            f"{stamp_text(int(at[first]))} stands twice with different values, {values[first]:g} "
            f"here and {values[first - 1]:g} before",
            int(order[first]),
            int(order[first - 1]),
            np.unique(at[again]),
            int(np.median(distinct)) if len(distinct) else 0,
        )
    keep = np.ones(len(at), dtype=bool)
    keep[again] = False
    return SortedRows(at[keep], values[keep], order[keep], moved, np.sort(order[again]))


def snap_to_grid(at_us: NDArray[np.int64], value: FloatArray, step_us: int) -> Grid:
    """Sorted rows on a grid of ``step_us``; each moves by less than half a step.

    The grid stands where half of the stamps stand exactly; else on multiples of the step
    since the epoch, where the stamps scatter around those; else in the middle of the stamps.
    Raises RowError where two rows with different values fall into one step (or more than one in
    a hundred with equal ones), and where the grid would have more than ``MAX_STEPS`` steps.
    """
    phase = _phase(at_us, step_us)
    slot = _slots(at_us, step_us, phase)
    shift = np.abs(at_us - phase - slot * step_us)
    together = np.flatnonzero(np.diff(slot) == 0) + 1
    differing = together[value[together] != value[together - 1]]
    if len(differing) or len(together) > _MOST_MERGED * len(value):
        row = int(differing[0] if len(differing) else together[0])
        raise RowError(
            f"only {(at_us[row] - at_us[row - 1]) / _SECOND:g} s after the row before it, so that "
            "both fall into the same step",
            row,
            row - 1,
        )
    steps = int(slot[-1] - slot[0]) + 1
    if steps > MAX_STEPS:
        row = int(np.argmax(np.diff(at_us))) + 1
        raise RowError(
            f"a jump of {(at_us[row] - at_us[row - 1]) / _SECOND / 86_400:.0f} days from the row "
            f"before it; the whole would be {steps:,} steps. Is the stamp (or the step) right?",
            row,
            row - 1,
        )
    values = np.full(steps, np.nan)
    values[slot - slot[0]] = value
    return Grid(
        start_us=int(phase + slot[0] * step_us),
        value=values,
        snapped=int(np.count_nonzero(shift)),
        largest_shift_us=int(shift.max()),
        merged=len(together),
    )


def _slots(at_us: NDArray[np.int64], step_us: int, phase: int) -> NDArray[np.int64]:
    return (at_us - phase + step_us // 2) // step_us


def _phase(at_us: NDArray[np.int64], step_us: int) -> int:
    offset = at_us % step_us
    distinct, counts = np.unique(offset, return_counts=True)
    if counts.max() >= 0.5 * len(at_us):
        return int(distinct[np.argmax(counts)])
    angle = 2 * np.pi * offset / step_us
    centre = float(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())) / (2 * np.pi) * step_us
    around = (offset - centre + step_us / 2) % step_us - step_us / 2
    low, high = centre + around.min(), centre + around.max()
    middle = round(centre + float(np.median(around)))
    if step_us >= 10 * _SECOND:
        middle = round(middle / _SECOND) * _SECOND
    if high - low < step_us / 2:
        return 0 if -step_us / 2 < low and high < step_us / 2 else middle % step_us
    clashes = [np.count_nonzero(np.diff(_slots(at_us, step_us, at)) == 0) for at in (0, middle)]
    return 0 if clashes[0] <= clashes[1] else middle % step_us
