"""Wall clocks to UTC, with the hour that stands twice in autumn and the one missing in spring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecaster.traffic.formats.rows import Int64Array
from forecaster.traffic.grid import RowError

__all__ = ["looks_like_repeated_hour", "to_utc", "wall_text"]

_HOUR = 3_600_000_000


def to_utc(wall_us: Int64Array, series: Int64Array, zone: ZoneInfo) -> Int64Array:
    """UTC microseconds of wall-clock stamps of ``zone``, given in the order of the file.

    ``series`` numbers the series of each row. A repeated hour is told apart by that order:
    either each stamp of it stands twice, or the clock jumps back once.
    Raises RowError for a stamp that never was on that clock, and for a repeated hour that
    stands once only.
    """
    wall = pd.DatetimeIndex(wall_us.astype("datetime64[us]"))
    one = wall.tz_localize(zone, ambiguous=np.ones(len(wall), dtype=bool), nonexistent="NaT")
    never = np.flatnonzero(one.isna())
    if len(never):
        row = int(never[0])
        raise RowError(
            f"{wall_text(int(wall_us[row]))} never was on a clock in {zone.key}: it was put "
            "forward over it. Is the zone right? Stamps in UTC, like 2024-03-01T20:05:00Z, have no "
            "such gap",
            row,
        )
    other = wall.tz_localize(zone, ambiguous=np.zeros(len(wall), dtype=bool), nonexistent="NaT")
    first = _microseconds(one)
    second = _microseconds(other)
    first, second = np.minimum(first, second), np.maximum(first, second)
    twice = np.flatnonzero(first != second)
    if not len(twice):
        return first
    result = first.copy()
    for code in np.unique(series[twice]):
        rows = np.flatnonzero(series == code)
        steps = np.sign(np.diff(first[rows]))
        if (steps < 0).sum() > (steps > 0).sum():
            rows = rows[::-1]
        ambiguous = rows[first[rows] != second[rows]]
        nights = wall_us[ambiguous] // (24 * _HOUR)
        for night in np.unique(nights):
            block = ambiguous[nights == night]
            later = _is_second_pass(wall_us[block])
            if later is None:
                row = int(block[0])
                raise RowError(
                    f"{wall_text(int(wall_us[row]))} happened twice in {zone.key} that night and "
                    "the rows do not tell which one is meant. Export the file with stamps in UTC "
                    "(2024-03-01T20:05:00Z, or epoch seconds)",
                    row,
                )
            result[block[later]] = second[block[later]]
    return result


def _microseconds(times: pd.DatetimeIndex) -> Int64Array:
    return (
        times.tz_convert("UTC")
        .tz_localize(None)
        .to_numpy()
        .astype("datetime64[us]")
        .astype(np.int64)
    )


def _is_second_pass(wall_us: Int64Array) -> NDArray[np.bool_] | None:
    """For the rows of one repeated hour, in time's order: which belong to its second pass."""
    later = np.zeros(len(wall_us), dtype=bool)
    _, where, counts = np.unique(wall_us, return_inverse=True, return_counts=True)
    if (counts == 2).all():
        order = np.argsort(where, kind="stable")
        later[order[1::2]] = True
        return later
    back = np.flatnonzero(np.diff(wall_us) <= 0)
    if len(back) != 1:
        return None
    later[back[0] + 1 :] = True
    return later


def looks_like_repeated_hour(at_us: Int64Array, spacing_us: int) -> bool:
    """Whether stamps that stand twice look like clocks put back.

    That is: most of an hour, at night, once a year. ``spacing_us`` is the usual distance of rows.
    """
    at = np.unique(at_us)
    groups = np.split(at, np.flatnonzero(np.diff(at) > 2 * _HOUR) + 1)
    years = [pd.Timestamp(int(group[0]), unit="us").year for group in groups]
    rows_an_hour = max(_HOUR // max(spacing_us, 1), 1)
    return len(set(years)) == len(years) and all(
        group[-1] - group[0] < _HOUR
        and group[0] % (24 * _HOUR) < 4 * _HOUR
        and len(group) >= rows_an_hour / 2
        for group in groups
    )


def wall_text(wall_us: int) -> str:
    """A wall-clock stamp as text."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_us)
    return moment.replace(tzinfo=None).isoformat(sep=" ")
