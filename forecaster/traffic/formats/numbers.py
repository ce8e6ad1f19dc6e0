"""Values as files write them: numbers, and the many ways to write that there is none."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from forecaster.traffic.grid import RowError
from forecaster.traffic.history import FloatArray

__all__ = ["check_values", "is_gap", "is_number", "parse_values"]

_GAPS = frozenset({"", "nan", "null", "none", "undefined", "na", "n/a", "-", "<na>"})
_WITH_UNIT = re.compile(r"^[+-]?\d[\d.,]*\s*(?![eE][+-]?\d+$|x)[^\d.,\s].*$")
_WITH_COMMA = re.compile(r"^[+-]?\d+(?:[.\s]\d{3})*,\d+$")
_WITH_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")


def is_gap(cell: object) -> bool:
    """Whether a cell says that there is no value."""
    return str(cell).strip().lower() in _GAPS


def is_number(cell: object) -> bool:
    """Whether one cell reads as a number; a blank is none."""
    return bool(np.isfinite(pd.to_numeric(pd.Series([cell]), errors="coerce"))[0])


def parse_values(cells: pd.Series, name: str) -> FloatArray:
    """The values of a column, NaN where a cell says that there is none.

    Raises RowError for a cell that is no number, infinite or negative.
    """
    kind = cells.dtype
    if not (pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)):
        cells = cells.astype(str)
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if cells.dtype == object:  # once more, exactly: to_numeric is off by a last digit now and then
        read = ~np.isnan(values)
        values[read] = cells.to_numpy()[read].astype(np.float64)
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        words = cells.iloc[missing].astype(str).str.strip().str.lower()
        bad = missing[~words.isin(_GAPS).to_numpy()]
        if len(bad):
            row = int(bad[0])
            raise RowError(_no_number(str(cells.iloc[row]).strip(), name), row)
    check_values(values)
    return values


def check_values(values: FloatArray) -> None:
    """Raises RowError for a value that is infinite or negative."""
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero((values < 0) | np.isinf(values))
    if not len(bad):
        return
    row = int(bad[0])
    if np.isinf(values[row]):
        raise RowError("the value is infinite; leave it blank where nothing was measured", row)
    raise RowError(f"the value {values[row]:g} is negative; traffic is 0 or more", row)


def _no_number(text: str, name: str) -> str:
    if _WITH_THOUSANDS.match(text):
        return f"{text!r} in column {name!r} has commas; write {text.replace(',', '')}"
    if _WITH_COMMA.match(text):
        return (
            f"{text!r} in column {name!r} has a decimal comma; write a decimal point, as in 1250.5"
        )
    if _WITH_UNIT.match(text):
        return (
            f"{text!r} in column {name!r} is not a plain number but one formatted for reading. In "
            "Grafana, turn off 'Formatted data' (Inspect > Data > Data options) and download again"
        )
    return f"{text!r} in column {name!r} is not a number"
