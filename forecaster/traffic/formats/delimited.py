"""CSV and its relatives: comma, semicolon, tab or bar; with or without a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

import numpy as np
import pandas as pd

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.content import EXAMPLE, Content
from forecaster.traffic.formats.numbers import is_number
from forecaster.traffic.formats.rows import Place, numbered
from forecaster.traffic.formats.stamps import is_stamp
from forecaster.traffic.formats.tables import Table

__all__ = ["read_delimited"]

_DELIMITERS = ";\t|,"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_EXCEL_LINE = re.compile(r"^\s*\"?sep=(.)\"?\s*$", re.IGNORECASE)


def read_delimited(content: Content) -> Table:
    """The table in delimited text, every cell as it is written.

    Raises TrafficFileError where the lines do not make a table.
    """
    sheet = _Sheet(content)
    cells = sheet.cells()
    first = [str(cell) for cell in cells.iloc[0]]
    if len(first) == 1:
        raise sheet.error(
            f"a column is missing: there is only {first[0][:60]!r}, and a time stamp and a value "
            "are needed",
            sheet.first_record_line,
        )
    names = _names_where_no_header(first)
    header_line = sheet.first_record_line if names is None else None
    if names is None:
        names, cells = tuple(first), cells.iloc[1:]
        if is_stamp(first[0]):
            raise sheet.error("there is no header line to name the columns", header_line)
    filled = np.ones(len(cells), dtype=bool)
    if len(cells):
        filled = ~((cells.iloc[:, 0] == "") & (cells == "").all(axis=1)).to_numpy()
    if not filled.any():
        raise sheet.error("there is a header and no row of data", header_line)
    records = np.flatnonzero(filled) + (0 if header_line is None else 1)

    def place(row: int) -> Place:
        record = int(records[row])
        known = record < len(sheet.record_lines)
        return numbered(sheet.record_lines[record] if known else None, row)

    return Table(
        path=content.path,
        frame=cells[filled].reset_index(drop=True),
        names=names,
        place=place,
        example=EXAMPLE,
        header_line=header_line,
    )


def _names_where_no_header(first: list[str]) -> tuple[str, ...] | None:
    if len(first) == 2 and is_stamp(first[0]):
        return ("timestamp", "value")
    if len(first) == 3 and is_stamp(first[1]) and is_number(first[2]) and not is_stamp(first[0]):
        return ("series", "timestamp", "value")
    return None


class _Sheet:
    """Delimited text, read at once; lines are looked up only when something is wrong."""

    def __init__(self, content: Content) -> None:
        self.path = content.path
        self.text = content.text
        self.first_line = 1
        line, _, rest = content.text.partition("\n")
        excel = _EXCEL_LINE.match(line)
        if excel:
            self.text, self.first_line = rest, 2
        self.delimiter = excel.group(1) if excel else _delimiter(self.text)

    def cells(self) -> pd.DataFrame:
        if not self.text.strip():
            raise self.error("there is a line 'sep=' and nothing else", 1)
        try:
            cells = pd.read_csv(
                io.StringIO(self.text),
                sep=self.delimiter,
                header=None,
                dtype=str,
                na_filter=False,
                skipinitialspace=True,
            )
        except pd.errors.ParserError as error:
            self._refuse_uneven_records(None, strict=True)
            raise self.error(f"this is not a table: {error}", None) from error
        width = cells.shape[1]
        if '"' in self.text or self.text.count(self.delimiter) != len(cells) * (width - 1):
            self._refuse_uneven_records(width, strict=False)
        return cells

    def error(self, message: str, line: int | None) -> TrafficFileError:
        return TrafficFileError(self.path, message, line=line, example=EXAMPLE)

    @property
    def first_record_line(self) -> int:
        """The line of the first line that is not blank."""
        return next(line for line, _ in self._records(strict=False))

    @cached_property
    def record_lines(self) -> list[int]:
        """The line on which each record starts."""
        return [line for line, _ in self._records(strict=False)]

    def _records(self, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(
            io.StringIO(self.text), delimiter=self.delimiter, skipinitialspace=True, strict=strict
        )
        while True:
            line = self.first_line + reader.line_num
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self.error(
                    f"a quote is opened here and never closed, or stands inside a cell ({error})",
                    line,
                ) from error
            if len(record) > 1 or (record and record[0].strip()):
                yield line, record

    def _refuse_uneven_records(self, width: int | None, *, strict: bool) -> None:
        expected = width or 0
        for line, record in self._records(strict=strict):
            expected = expected or len(record)
            if len(record) == expected:
                continue
            hint = ""
            if len(record) > expected and self.delimiter == ",":
                hint = ". A decimal comma? Write a decimal point, or separate the columns by ';'"
            raise self.error(
                f"{len(record)} {'cell' if len(record) == 1 else 'cells'} where the first line has "
                f"{expected}{hint}",
                line,
            )


def _delimiter(text: str) -> str:
    head = (line for line in io.StringIO(text) if line.strip())
    sample = [_QUOTED.sub("", line) for line in islice(head, 10)]
    counts = {mark: [line.count(mark) for line in sample] for mark in _DELIMITERS}
    steady = [mark for mark in _DELIMITERS if counts[mark][0] and len(set(counts[mark])) == 1]
    return steady[0] if steady else max(",;\t|", key=lambda mark: counts[mark][0])
