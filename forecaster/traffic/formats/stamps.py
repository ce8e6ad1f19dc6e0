"""Time stamps as files write them: ISO 8601 with or without a zone, and epoch numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecaster.traffic.formats.rows import Int64Array
from forecaster.traffic.grid import RowError

__all__ = ["FIRST_SECOND", "LAST_SECOND", "Stamps", "is_stamp", "parse_stamps"]

# An epoch number is believed between 1990 and 2100 only: 202403011200 is then no millisecond.
FIRST_SECOND, LAST_SECOND = 631_152_000, 4_102_444_800
_EPOCH_UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_NOT_EPOCH = -1
_ZONE = r"[T ]\d{2}[\d:.]*(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_LOCAL_DATE = re.compile(r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b")


@dataclass(frozen=True, eq=False)
class Stamps:
    """Stamps in microseconds since the epoch; where ``naive``, of a wall clock not known yet."""

    at_us: Int64Array
    naive: bool


def is_stamp(cell: object) -> bool:
    """Whether one cell reads as a stamp."""
    try:
        parse_stamps(pd.Series([cell]))
    except RowError:
        return False
    return True


def parse_stamps(cells: pd.Series) -> Stamps:
    """The stamps of a column.

    Raises RowError for a cell that is no stamp, and where some cells have a zone and others
    have none.
    """
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return _from_times(cells.dt.tz_convert("UTC").dt.tz_localize(None), naive=False)
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return _from_times(cells, naive=True)
    codes, distinct = pd.factorize(cells, use_na_sentinel=False)
    words = pd.Series(distinct)
    try:
        parsed = _parse_distinct(words)
    except RowError as problem:  # from the distinct cells back to the first row of each
        first_row = pd.Series(np.arange(len(codes))).groupby(codes).first()
        compare = None if problem.compare is None else int(first_row[problem.compare])
        raise RowError(problem.message, int(first_row[problem.row]), compare) from None
    return Stamps(parsed.at_us[codes], parsed.naive)


def _from_times(times: pd.Series, *, naive: bool) -> Stamps:
    blank = np.flatnonzero(times.isna().to_numpy())
    if len(blank):
        raise RowError("the time stamp is blank", int(blank[0]))
    return Stamps(times.to_numpy().astype("datetime64[us]").astype(np.int64), naive)


def _parse_distinct(words: pd.Series) -> Stamps:
    numbers = pd.to_numeric(words, errors="coerce")
    unit = _epoch_unit(numbers.to_numpy(dtype=np.float64))
    epoch = unit != _NOT_EPOCH
    if not epoch.any():
        return _parse_texts(words)
    if epoch.mean() < 0.5:
        row = int(np.argmax(epoch))
        raise RowError(f"{words[row]!r} is an epoch number where other stamps are dates", row)
    if not epoch.all():
        row = int(np.argmin(epoch))
        raise RowError(
            f"{_shown(words[row])} is not a time stamp; others here are epoch numbers", row
        )
    if (unit != unit[0]).any():
        row = int(np.argmax(unit != unit[0]))
        names = list(_EPOCH_UNITS)
        raise RowError(
            f"{words[row]!r} is an epoch in {names[unit[row]]} where {words[0]!r} is one in "
            f"{names[unit[0]]}",
            row,
            0,
        )
    scale = list(_EPOCH_UNITS.values())[unit[0]]
    if pd.api.types.is_integer_dtype(numbers.dtype):  # exact: float64 loses nanoseconds
        whole = numbers.to_numpy(dtype=np.int64)
        at_us = whole * (10**6 // scale) if scale <= 10**6 else whole // (scale // 10**6)
    else:
        at_us = np.rint(numbers.to_numpy(dtype=np.float64) * (1e6 / scale)).astype(np.int64)
    return Stamps(at_us, naive=False)


def _epoch_unit(numbers: np.ndarray) -> np.ndarray:
    unit = np.full(len(numbers), _NOT_EPOCH)
    for place, scale in enumerate(_EPOCH_UNITS.values()):
        unit[(numbers >= FIRST_SECOND * scale) & (numbers < LAST_SECOND * scale)] = place
    return unit


def _parse_texts(words: pd.Series) -> Stamps:
    texts = pc.utf8_upper(pc.utf8_trim_whitespace(pa.array(words.astype(str), pa.string())))
    texts = pc.replace_substring_regex(texts, r"\s*(?:UTC|GMT)$", "Z")
    texts = pc.replace_substring_regex(texts, r"\s+([+-]\d{2}:?\d{2})$", r"\1")
    times = pd.to_datetime(texts.to_pandas(), format="ISO8601", utc=True, errors="coerce")
    short = pc.less(pc.utf8_length(texts), len("2024-3-1")).to_numpy(zero_copy_only=False)
    bad = times.isna().to_numpy() | short
    if bad.any():
        row = int(np.argmax(bad))
        raise RowError(_no_stamp(words[row]), row)
    zoned = pc.match_substring_regex(texts, _ZONE).to_numpy(zero_copy_only=False)
    if zoned.any() and not zoned.all():
        other = int(np.argmax(zoned != zoned[0]))
        has, has_not = ("has", "has none") if zoned[other] else ("has no", "has one")
        what = "a time zone" if zoned[other] else "time zone"
        raise RowError(
            f"mixed zones: {words[other]!r} {has} {what} and {words[0]!r} {has_not}", other, 0
        )
    at_us = times.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    return Stamps(at_us, naive=not zoned.all())


def _shown(cell: object) -> str:
    blank = cell is None or (isinstance(cell, float) and math.isnan(cell)) or not str(cell).strip()
    return "a blank cell" if blank else repr(cell)


def _no_stamp(cell: object) -> str:
    if _shown(cell) == "a blank cell":
        return "the time stamp is blank"
    if _LOCAL_DATE.match(str(cell).strip()):
        return (
            f"{cell!r} is not supported: such dates are ambiguous in general, day first or month "
            "first. Write the year first (ISO 8601), as in 2024-03-01 20:05:00"
        )
    return (
        f"{cell!r} is not a time stamp; write 2024-03-01T20:05:00Z or seconds since the epoch, "
        "1709323500"
    )
