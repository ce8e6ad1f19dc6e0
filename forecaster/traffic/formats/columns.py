"""Which column is the time, which the series, which the values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.traffic.formats.numbers import is_gap
from forecaster.traffic.formats.stamps import is_stamp

__all__ = ["HeaderError", "Roles", "find_roles", "is_value_name"]

_TIME = frozenset(
    [
        *("time", "timestamp", "ts", "t", "date", "datetime", "date_time", "ds", "when", "stamp"),
        *("epoch", "unix", "unix_time", "_time", "@timestamp", "time_utc", "timestamp_utc"),
        *("interval_start", "start_time"),
    ]
)
_VALUE = frozenset(
    [
        *("value", "values", "_value", "y", "v", "requests", "request_count", "req", "count"),
        *("counts", "hits", "traffic", "rate", "rate_rps", "rps", "qps", "requests_per_second"),
    ]
)
_SERIES = frozenset(
    ["series", "unique_id", "id", "series_id", "series_name", "workload", "metric", "name"]
)
_LABELS = frozenset(
    [
        *("namespace", "deployment", "statefulset", "service", "app", "pod", "container"),
        *("instance", "job"),
    ]
)
_DAY = re.compile(r"^\d{4}-?\d{2}-?\d{2}$")
_ROW_NUMBERS = frozenset(["", "id", "index", "row", "unnamed:_0"])


class HeaderError(Exception):
    """Columns that do not make a table of traffic; the message names the columns there are."""


@dataclass(frozen=True)
class Roles:
    """Columns by position. One ``values`` column with ``labels`` is the long form (the labels tell
    the series apart); several without are the wide form, a series each.
    """

    time: int
    values: tuple[int, ...]
    labels: tuple[int, ...] = ()
    ignored: tuple[int, ...] = ()


def find_roles(frame: pd.DataFrame, names: tuple[str, ...]) -> Roles:
    """The roles of the columns of ``frame``, called ``names``.

    Raises HeaderError.
    """
    used = [at for at in range(len(names)) if not _is_filler(frame.iloc[:, at], names[at])]
    plain = {at: _plain(names[at]) for at in used}
    time = _time_column(frame, names, used, plain)
    rest = [at for at in used if at != time and plain[at] not in _TIME]
    _refuse_split_stamps(frame, names, time, [at for at in used if plain[at] in _TIME])
    series = [at for at in rest if plain[at] in _SERIES]
    if series and len(rest) == 1 and _is_numeric(frame.iloc[:, rest[0]]):
        return Roles(time, tuple(rest))  # "timestamp,workload" with numbers: its only series
    values = [at for at in rest if at not in series]
    if not values:
        raise HeaderError(f"no column of values {_among(names)}")
    named = [at for at in values if plain[at] in _VALUE]
    numeric = [at for at in values if _is_numeric(frame.iloc[:, at])]
    value = next((some[0] for some in (named, numeric, values) if len(some) == 1), None)
    labels = series or [
        at
        for at in values
        if at != value and (_is_text(frame.iloc[:, at]) or (named and plain[at] in _LABELS))
    ]
    if labels and value is None:
        raise HeaderError(f"no column called 'value' {_among(names)}")
    chosen = tuple(values) if value is None or not labels else (value,)
    read = {time, *labels, *chosen}
    ignored = tuple(at for at in range(len(names)) if at not in read and names[at].strip())
    return Roles(time, chosen, tuple(labels), ignored)


def is_value_name(name: str) -> bool:
    """Whether a column's name only says that it holds values, not whose."""
    return _plain(name) in _VALUE


def _time_column(
    frame: pd.DataFrame, names: tuple[str, ...], used: list[int], plain: dict[int, str]
) -> int:
    named = [at for at in used if plain[at] in _TIME]
    if named:
        return max(named, key=lambda at: _precision(_first_filled(frame.iloc[:, at])))
    for at in used:
        if plain[at] not in _SERIES | _VALUE and is_stamp(_first_filled(frame.iloc[:, at])):
            return at
    if len(used) == 2 and plain[used[0]] not in _SERIES | _VALUE:
        return used[0]  # "when,amount": its cells will say what is wrong with them
    raise HeaderError(f"no column of time stamps {_among(names)}")


def _precision(cell: object) -> int:
    """2 for a stamp, 1 for a day, 0 for what is neither."""
    return is_stamp(cell) + (is_stamp(cell) and not _DAY.match(str(cell).strip()))


def _refuse_split_stamps(
    frame: pd.DataFrame, names: tuple[str, ...], time: int, times: list[int]
) -> None:
    for at in times:
        if at != time and not is_stamp(_first_filled(frame.iloc[:, at])):
            raise HeaderError(
                f"the columns {names[time]!r} and {names[at]!r} hold one stamp between them; write "
                "it in one column, as in 2024-03-01T20:05:00Z"
            )


def _plain(name: str) -> str:
    word = re.sub(r"[\s-]+", "_", name.strip().lower())
    return re.sub(r"_?(?:#[a-z]|\(.*\)|\[.*\])$", "", word)


def _among(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return f"among {shown}{', …' if len(names) > 8 else ''}" if names else "in it"


def _first_filled(cells: pd.Series) -> object:
    for cell in cells.head(1000):
        if not is_gap(cell):
            return cell
    return ""


def _is_numeric(cells: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return True
    return bool(pd.to_numeric(cells.head(1000), errors="coerce").notna().any())


def _is_text(cells: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(cells.dtype) and bool(
        re.search(r"^[^\W\d]", str(_first_filled(cells)).strip())
    )


def _is_filler(cells: pd.Series, name: str) -> bool:
    """Whether a column holds nothing: a delimiter at the line's end, or the number of the row."""
    if _plain(name) not in _ROW_NUMBERS:
        return False
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if len(cells) > 2 and (np.diff(numbers) == 1).all():
        return True
    return not name.strip() and bool((cells.astype(str).str.strip() == "").all())
