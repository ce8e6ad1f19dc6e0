"""Parquet: the same tables as in CSV, with typed cells."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.parquet as pq

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.content import Content
from forecaster.traffic.formats.rows import Place, numbered
from forecaster.traffic.formats.tables import Table

__all__ = ["read_parquet"]

_INDEX_NAME = re.compile(r"^__index_level_\d+__$")  # how pandas stores an index without a name
_EXAMPLE = (
    "columns timestamp (timestamp[us, tz=UTC]) and value (double); several series: series, too"
)


def read_parquet(content: Content) -> Table:
    """The table in a Parquet file; an index that pandas stored with it is a column, too.

    Raises TrafficFileError where it is damaged or has no rows.
    """
    try:
        frame = pq.read_table(io.BytesIO(content.data)).to_pandas(
            date_as_object=False, ignore_metadata=True
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise TrafficFileError(
            content.path, f"this Parquet file is damaged or cut off ({error})", example=_EXAMPLE
        ) from error
    if frame.empty:
        raise TrafficFileError(
            content.path, "there are columns and no row of data", example=_EXAMPLE
        )
    packed = frame.select_dtypes("category").columns
    return Table(
        path=content.path,
        frame=frame.astype(dict.fromkeys(packed, object)),
        names=tuple(_INDEX_NAME.sub("", str(name)) for name in frame.columns),
        place=_place,
        example=_EXAMPLE,
    )


def _place(row: int) -> Place:
    return numbered(None, row)
