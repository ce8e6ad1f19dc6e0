"""Traffic to a file that ``read_traffic`` reads back."""

from __future__ import annotations

import csv
import gzip
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import numpy as np

from forecaster.errors import TrafficFileError
from forecaster.traffic.files import Unit
from forecaster.traffic.formats.content import EXAMPLE
from forecaster.traffic.formats.tables import file_stem
from forecaster.traffic.history import FloatArray, TrafficHistory, TrafficSeries

__all__ = ["write_traffic", "write_traffic_csv"]


def write_traffic_csv(path: Path | str, history: TrafficHistory, unit: Unit = Unit.RPS) -> None:
    """Write the observed values of ``history`` to ``path``, gzipped where it ends in ``.gz``.

    The file appears whole or not at all; what it holds, :func:`write_traffic` says.
    Raises TrafficFileError where it cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with unfinished.open("xb") as file:
                write_traffic(file, path.name, history, unit)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TrafficFileError(
            path, f"cannot be written: {error.strerror}", example=EXAMPLE
        ) from error


def write_traffic(
    file: BinaryIO, name: str, history: TrafficHistory, unit: Unit = Unit.RPS
) -> None:
    """Write the observed values of ``history`` to ``file``, which is called ``name``.

    Where that ends in ``.parquet`` it is Parquet, else CSV, gzipped for ``.gz``. The columns are
    ``timestamp,value`` for one series that is called like the file (that is the id such a file is
    read with), else ``series,timestamp,value``. A gap is an absent row. Rates stand as they are, to
    the last digit; values in requests are rounded to 15 digits.
    """
    named = history.ids != (file_stem(Path(name)),)
    if name.endswith(".parquet"):
        _write_parquet(file, history, unit, named)
    elif name.endswith(".gz"):
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            _write_csv(cast(BinaryIO, packed), history, unit, named)
    else:
        _write_csv(file, history, unit, named)


def _write_csv(file: BinaryIO, history: TrafficHistory, unit: Unit, named: bool) -> None:
    with _as_text(file) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["series", "timestamp", "value"] if named else ["timestamp", "value"])
        for series in history:
            at, values = _rows(series)
            whole = not (at.astype(np.int64) % 1_000_000).any()
            stamps = np.datetime_as_string(at, unit="s" if whole else "us", timezone="UTC").tolist()
            cells: Iterable[str] = map(repr, values.tolist())
            if unit is Unit.REQUESTS and series.step_seconds != 1.0:
                cells = (f"{value:.15g}" for value in (values * series.step_seconds).tolist())
            columns = [repeat(series.series_id), stamps, cells] if named else [stamps, cells]
            writer.writerows(zip(*columns, strict=False))  # repeat has no end


def _write_parquet(file: BinaryIO, history: TrafficHistory, unit: Unit, named: bool) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stamp = pa.timestamp("us", tz="UTC")
    fields = [("series", pa.string())] if named else []
    schema = pa.schema([*fields, ("timestamp", stamp), ("value", pa.float64())])
    with pq.ParquetWriter(file, schema) as writer:
        for series in history:
            at, values = _rows(series)
            if unit is Unit.REQUESTS:
                values = values * series.step_seconds
            columns = [pa.array(at.astype(np.int64), pa.int64()).cast(stamp), pa.array(values)]
            if named:
                columns.insert(0, pa.array([series.series_id] * len(values), pa.string()))
            writer.write_table(pa.table(columns, schema=schema))


def _rows(series: TrafficSeries) -> tuple[np.ndarray, FloatArray]:
    """The stamps, datetime64 in microseconds, and rates of the steps that have one."""
    observed = np.flatnonzero(~np.isnan(series.rate_rps))
    start = np.datetime64(series.start.replace(tzinfo=None), "us")
    return start + observed * np.timedelta64(series.step), series.rate_rps[observed]


@contextmanager
def _as_text(file: BinaryIO) -> Iterator[TextIO]:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        yield text
    finally:
        text.detach()  # flushes, and leaves the file open
