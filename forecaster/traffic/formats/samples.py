"""Samples as JSON has them: stamps as epoch numbers, values as numbers or texts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from forecaster.traffic.formats.numbers import check_values
from forecaster.traffic.formats.rows import Int64Array
from forecaster.traffic.formats.stamps import FIRST_SECOND, LAST_SECOND
from forecaster.traffic.grid import RowError
from forecaster.traffic.history import FloatArray

__all__ = ["sample_arrays"]


def sample_arrays(
    stamps: Sequence[object], values: Sequence[object], unit_us: int
) -> tuple[Int64Array, FloatArray]:
    """Stamps, counted in ``unit_us`` microseconds, as microseconds; values with NaN for null.

    Raises RowError for the first sample that is none.
    """
    seconds = _floats(stamps, "the time stamp") * (unit_us / 1e6)
    wrong = np.flatnonzero(~((seconds >= FIRST_SECOND) & (seconds < LAST_SECOND)))
    if len(wrong):
        row = int(wrong[0])
        unit = "seconds" if unit_us == 10**6 else "milliseconds"
        raise RowError(f"{stamps[row]!r} is not a time stamp in {unit} since the epoch", row)
    value = _floats(values, "the value")
    check_values(value)
    return np.rint(seconds * 1e6).astype(np.int64), value


def _floats(cells: Sequence[object], what: str) -> FloatArray:
    try:
        return np.array(cells, dtype=np.float64).reshape(len(cells))
    except (TypeError, ValueError):
        return np.array([_float(cell, what, row) for row, cell in enumerate(cells)])


def _float(cell: object, what: str, row: int) -> float:
    if cell is None:
        return np.nan
    if isinstance(cell, int | float | str) and not isinstance(cell, bool):
        try:
            return float(cell)
        except (ValueError, OverflowError):
            pass
    raise RowError(f"{what} {json.dumps(cell)[:80]} is not a number", row)
