"""The series in a table, whatever kind of file the table came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.columns import HeaderError, Roles, find_roles, is_value_name
from forecaster.traffic.formats.labels import METRIC_NAME, parse_labels, series_ids
from forecaster.traffic.formats.local_time import to_utc
from forecaster.traffic.formats.numbers import parse_values
from forecaster.traffic.formats.rows import Int64Array, PlaceOf, RawSeries, RawTraffic, located
from forecaster.traffic.formats.stamps import parse_stamps
from forecaster.traffic.grid import RowError

__all__ = ["Table", "file_stem", "read_table"]

_COUNTER_NAME = re.compile(r"^[a-zA-Z_:][\w:]*_(?:total|count|sum|bucket)$")


@dataclass(frozen=True, eq=False)
class Table:
    """Cells with names for their columns; ``place`` takes a row's position in ``frame``."""

    path: Path
    frame: pd.DataFrame
    names: tuple[str, ...]
    place: PlaceOf
    example: str
    header_line: int | None = None


def read_table(table: Table, zone: ZoneInfo | None) -> RawTraffic:
    """The series of ``table``; stamps without a zone are of ``zone``, or UTC where that is None.

    Raises TrafficFileError with the line of whatever is wrong.
    """
    try:
        roles = find_roles(table.frame, table.names)
        return _read(table, roles, zone)
    except HeaderError as problem:
        raise TrafficFileError(
            table.path,
            str(problem),
            line=table.header_line or table.place(0).line,
            example=table.example,
        ) from problem
    except RowError as problem:
        raise located(table.path, problem, table.place, table.example) from problem


def _read(table: Table, roles: Roles, zone: ZoneInfo | None) -> RawTraffic:
    frame = table.frame
    _refuse_second_header(table, roles)
    stamps = parse_stamps(frame.iloc[:, roles.time])
    codes, labels = _label_sets(table, roles)
    at_us, notices = (
        stamps.at_us,
        [f"column {table.names[at]!r} was not read" for at in roles.ignored],
    )
    if zone is None and stamps.naive:
        notices.append("stamps have no time zone: read as UTC (if they are local: --timezone)")
    elif zone is not None and stamps.naive:
        at_us = to_utc(at_us, codes, zone)
    elif zone is not None:
        notices.append(f"stamps carry their own time zone; {zone.key} was not needed")
    if len(roles.values) > 1 and any(is_value_name(table.names[at]) for at in roles.values):
        named = ", ".join(repr(table.names[at]) for at in roles.values)
        notices.append(f"the columns {named} were read as a series each")
    if roles.labels:
        series = _long(table, roles.values[0], at_us, codes, labels)
    else:
        series = _wide(table, roles, at_us)
    return RawTraffic(
        series=tuple(series),
        place=table.place,
        example=table.example,
        notices=tuple(notices),
        zone_assumed=zone is None and stamps.naive,
    )


def _column(table: Table, at: int) -> tuple[pd.Series, str]:
    return table.frame.iloc[:, at], table.names[at]


def _refuse_second_header(table: Table, roles: Roles) -> None:
    cells = table.frame.iloc[:, roles.time]
    if table.header_line is None or not pd.api.types.is_object_dtype(cells.dtype):
        return
    again = np.flatnonzero((cells == table.names[roles.time]).to_numpy())
    if len(again):
        raise RowError("the header stands here a second time; were files joined?", int(again[0]))


def _label_sets(table: Table, roles: Roles) -> tuple[Int64Array, list[dict[str, str]]]:
    """The number of each row's series, and the labels of each series."""
    if not roles.labels:
        return np.zeros(len(table.frame), dtype=np.int64), []
    columns = table.frame.iloc[:, list(roles.labels)].astype(str)
    columns.columns = pd.RangeIndex(len(roles.labels))
    if len(roles.labels) == 1:
        factors, distinct = pd.factorize(columns[0])
        codes = factors.astype(np.int64)
        blank = next((code for code, name in enumerate(distinct) if not name.strip()), None)
        if blank is not None:
            raise RowError("the name of the series is blank", int(np.argmax(codes == blank)))
        return codes, [_named(str(name)) for name in distinct]
    groups = columns.groupby(list(columns.columns), sort=False).ngroup()
    codes = groups.to_numpy().astype(np.int64)
    first_rows = columns.iloc[np.unique(codes, return_index=True)[1]]
    names = [table.names[at].strip() for at in roles.labels]
    sets = [
        {name: cell for name, cell in zip(names, cells, strict=True) if cell}
        for cells in first_rows.itertuples(index=False)
    ]
    return codes, sets


def _named(name: str) -> dict[str, str]:
    return parse_labels(name) or {METRIC_NAME: name}


def _long(
    table: Table, at: int, at_us: Int64Array, codes: Int64Array, labels: list[dict[str, str]]
) -> list[RawSeries]:
    values = parse_values(*_column(table, at))
    name = table.names[at]
    order = np.argsort(codes, kind="stable")
    blocks = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return [
        RawSeries(series_id, at_us[rows], values[rows], rows, name, _metric(one))
        for series_id, one, rows in zip(series_ids(labels), labels, blocks, strict=True)
    ]


def _wide(table: Table, roles: Roles, at_us: Int64Array) -> list[RawSeries]:
    rows = np.arange(len(at_us))
    names = [table.names[at].strip() for at in roles.values]
    if len(names) == 1 and is_value_name(names[0]):
        labels = [{METRIC_NAME: file_stem(table.path)}]
    else:
        labels = [_named(name) for name in names]
    ids = series_ids(labels)
    repeated = next((one for one in ids if ids.count(one) > 1), None)
    if repeated is not None:
        raise HeaderError(
            f"two columns are called {repeated!r}; each series needs a name of its own"
        )
    return [
        RawSeries(
            series_id, at_us, parse_values(*_column(table, at)), rows, table.names[at], _metric(one)
        )
        for series_id, one, at in zip(ids, labels, roles.values, strict=True)
    ]


def _metric(labels: dict[str, str]) -> str | None:
    name = labels.get(METRIC_NAME)
    known = name is not None and (len(labels) > 1 or _COUNTER_NAME.match(name))
    return name if known else None


def file_stem(path: Path) -> str:
    """The id of an only series that has no name of its own: the file's, without its endings."""
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name
