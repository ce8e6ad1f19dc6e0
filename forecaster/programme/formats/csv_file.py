"""A calendar in CSV: the columns start, end, name, category (or kind), importance, and id.

``category`` is the kind. Further columns are ignored; commas, semicolons and tabs separate.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from forecaster.programme.entries import Entries, merged
from forecaster.programme.mapping import Listing
from forecaster.programme.options import ReadCalendar, ReadOptions

__all__ = ["CSV_EXAMPLE", "read_csv"]

CSV_EXAMPLE = """\
start,end,name,category,importance
2026-06-11T19:00:00Z,2026-06-11T20:55:00Z,Brazil v Scotland,football,4"""

_COLUMNS = {
    "start": "start",
    "end": "end",
    "name": "name",
    "category": "kind",
    "kind": "kind",
    "importance": "importance",
    "id": "id",
}


def read_csv(text: str, source: str, options: ReadOptions) -> ReadCalendar:
    """The calendar in a CSV text; the mapping's rules see name and kind as title and category.

    EventFileError without the columns that are needed, for what is no CSV, or where an entry is
    bad and the options refuse that.
    """
    entries = Entries(source, options)
    rows = _rows(text, entries)
    _, header = next(rows, (1, []))
    columns = _columns(header, entries)
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header):
            entries.problem(
                f"line {line}",
                f"{len(row)} values for {len(header)} columns",
                example=CSV_EXAMPLE.splitlines()[1],
            )
            continue
        data = {field: row[at].strip() for field, at in columns.items()}
        listing = Listing([data.get("name", "")], [data.get("kind", "")])
        given = options.mapping.given_to(listing)
        if given is None:
            entries.dropped += 1
            continue
        entries.add(merged(data, given), f"line {line}")
    return entries.finish()


def _rows(text: str, entries: Entries) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins in."""
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise entries.unusable(
            f"not CSV: {error}", place=f"line {line}", example=CSV_EXAMPLE
        ) from error


def _columns(header: list[str], entries: Entries) -> dict[str, int]:
    names = [cell.strip().lower() for cell in header]
    columns: dict[str, int] = {}
    for name, field in _COLUMNS.items():  # kind comes after category: it counts before it
        if name in names:
            columns[field] = names.index(name)
    missing = [name for name in ("start", "kind") if name not in columns]
    if "start" in columns and entries.options.mapping.rules:
        missing = []  # a rule may give the kind
    if missing:
        needed = (
            "start and category" if len(missing) == 2 else missing[0].replace("kind", "category")
        )
        raise entries.unusable(
            f"no column {needed}; there are {', '.join(header[:20]) or 'none'}",
            place="line 1",
            example=CSV_EXAMPLE,
        )
    return columns
