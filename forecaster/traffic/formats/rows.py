"""What every format gives before the grid: stamped values, each with its place in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forecaster.errors import TrafficFileError
from forecaster.traffic.grid import RowError
from forecaster.traffic.history import FloatArray

__all__ = ["Int64Array", "Place", "PlaceOf", "RawSeries", "RawTraffic", "located", "numbered"]

Int64Array = NDArray[np.int64]


@dataclass(frozen=True)
class Place:
    """Where a row stands: its line (None where the format has none) and how to say so."""

    line: int | None
    text: str


PlaceOf = Callable[[int], Place]
"""From a row's number, counted from 0 without header and blank lines, to its place."""


@dataclass(frozen=True, eq=False)
class RawSeries:
    """One series as it stands in the file.

    ``at_us`` are stamps in microseconds since the epoch, UTC, in the order of the file; ``value``
    is NaN where the cell is blank; ``row`` numbers the rows for ``PlaceOf``. ``name`` is what the
    file calls the values; ``metric`` the metric's name, where the file tells it.
    """

    series_id: str
    at_us: Int64Array
    value: FloatArray
    row: Int64Array
    name: str
    metric: str | None = None


@dataclass(frozen=True, eq=False)
class RawTraffic:
    """All series of a file.

    ``stamps_end_interval`` is true where a value at t covers (t − step, t]; ``zone_assumed`` where
    stamps without a zone were taken as UTC; ``example`` is a valid piece of such a file.
    """

    series: tuple[RawSeries, ...]
    place: PlaceOf
    example: str
    notices: tuple[str, ...] = ()
    stamps_end_interval: bool = False
    zone_assumed: bool = False


def numbered(line: int | None, row: int) -> Place:
    """The place of a row by its line, or by its number where it has none."""
    return Place(line, f"row {row + 1}" if line is None else f"line {line}")


def located(path: Path, problem: RowError, place: PlaceOf, example: str) -> TrafficFileError:
    """The error for ``problem``, with the line it stands on."""
    where = place(problem.row)
    message = problem.message if where.line is not None else f"{where.text}: {problem.message}"
    if problem.compare is not None:
        message = f"{message} (compare {place(problem.compare).text})"
    return TrafficFileError(path, message, line=where.line, example=example)
