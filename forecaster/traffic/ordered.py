"""Series with their rows in order of time, each stamp once, and where their rows stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.local_time import looks_like_repeated_hour
from forecaster.traffic.formats.rows import Int64Array, RawSeries, RawTraffic, located
from forecaster.traffic.grid import DuplicateStampsError, RowError, SortedRows, sort_rows

__all__ = ["OrderedSeries", "Source", "counted", "in_order", "order_notices", "there_were"]


@dataclass(frozen=True, eq=False)
class OrderedSeries:
    """A series in order of time: ``rows`` hold its values, ``stamps`` its blank cells, too."""

    raw: RawSeries
    rows: SortedRows
    stamps: Int64Array


@dataclass(frozen=True)
class Source:
    """The file at hand: turns a problem of one of its series into an error with a line."""

    path: Path
    raw: RawTraffic

    def refusal(
        self, series: RawSeries, message: str, row: int, compare: int | None = None
    ) -> TrafficFileError:
        """The error that ``row`` of ``series`` gives rise to; ``compare`` is another row of it."""
        if len(self.raw.series) > 1:
            message = f"series {series.series_id}: {message}"
        other = None if compare is None else int(series.row[compare])
        problem = RowError(message, int(series.row[row]), other)
        return located(self.path, problem, self.raw.place, self.raw.example)


def in_order(source: Source, raw: RawSeries) -> OrderedSeries:
    """``raw`` in order of time, without its blank cells and without copies of a row.

    Raises TrafficFileError where a stamp stands twice with different values.
    """
    seen = np.flatnonzero(~np.isnan(raw.value))
    try:
        rows = sort_rows(raw.at_us[seen], raw.value[seen])
    except DuplicateStampsError as problem:
        message = problem.message
        if source.raw.zone_assumed and looks_like_repeated_hour(problem.at_us, problem.spacing_us):
            message += (
                "; this looks like the hour that stands twice when clocks are put back. Say which "
                "clock it is, for example --timezone Europe/Paris"
            )
        row, compare = int(seen[problem.row]), int(seen[problem.compare or 0])
        raise source.refusal(raw, message, row, compare) from problem
    rows = SortedRows(rows.at_us, rows.value, seen[rows.row], seen[rows.moved], seen[rows.dropped])
    return OrderedSeries(raw, rows, np.unique(raw.at_us))


def order_notices(source: Source, every: Sequence[OrderedSeries]) -> list[str]:
    """What was sorted and what was dropped, as sentences."""
    notices = []
    moved = [int(row) for one in every for row in one.raw.row[one.rows.moved]]
    if moved:
        first = source.raw.place(min(moved)).text
        notices.append(f"{there_were(len(moved), 'row')} out of order (first at {first}): sorted")
    dropped = [int(row) for one in every for row in one.raw.row[one.rows.dropped]]
    if dropped:
        first = source.raw.place(min(dropped)).text
        notices.append(f"{there_were(len(dropped), 'row')} there twice (first at {first}): dropped")
    return notices


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(2, "row")
    '2 rows'
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def there_were(number: int, noun: str) -> str:
    """A number with its noun and its verb.

    >>> there_were(1, "row")
    '1 row was'
    """
    return f"{counted(number, noun)} {'was' if number == 1 else 'were'}"
