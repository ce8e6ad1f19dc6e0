"""Fewer points for a long line: the lowest and highest of each stretch, so no peak is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = ["MOST_STRETCHES", "stretch_edges", "stretch_extremes", "thin_rows"]

MOST_STRETCHES = 700
"""About one stretch for each pixel or two of a figure's width."""


def stretch_edges(length: int, most: int = MOST_STRETCHES) -> NDArray[np.int64]:
    """Where each stretch of a line of ``length`` points begins, and the end of the last.

    >>> stretch_edges(7, most=3).tolist()
    [0, 3, 6, 7]
    """
    width = max(1, -(-length // most))
    return np.append(np.arange(0, length, width), length)


def thin_rows(values: FloatArray, most: int = MOST_STRETCHES) -> NDArray[np.int64]:
    """The rows to draw, in order: of each stretch its lowest, its highest and its first gap.

    A level stretch has one row. Also the first and the last of all; every row where there are not
    more than two a stretch.

    >>> thin_rows(np.array([1.0, 9.0, 3.0, 2.0, 2.5, 0.0]), most=2).tolist()
    [0, 1, 4, 5]
    """
    if len(values) <= 2 * most:
        return np.arange(len(values))
    edges = stretch_edges(len(values), most)
    rows = {0, len(values) - 1}
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[begin:end]
        gaps = np.isnan(part)
        if gaps.any():
            rows.add(begin + int(np.argmax(gaps)))
        if gaps.all():
            continue
        lowest, highest = int(np.nanargmin(part)), int(np.nanargmax(part))
        level = part[lowest] == part[highest]
        rows.update((begin + lowest, begin + (lowest if level else highest)))
    return np.array(sorted(rows))


def stretch_extremes(
    low: FloatArray, high: FloatArray, most: int = MOST_STRETCHES
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """A band with fewer points: the middle row of each stretch, its lowest low, its highest high.

    NaN where a stretch has nothing else; as it is where there are not more than two a stretch.
    """
    if len(low) <= 2 * most:
        return np.arange(len(low)), low, high
    edges = stretch_edges(len(low), most)
    starts, ends = edges[:-1], edges[1:]
    return (
        (starts + ends - 1) // 2,
        np.fmin.reduceat(low, starts),
        np.fmax.reduceat(high, starts),
    )
