"""From the raw rows of a file to series on one regular step, with a notice of all that was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecaster.errors import HistoryTooShort, TrafficFileError
from forecaster.traffic.common_step import common_step, forced_step, regularity, step_text
from forecaster.traffic.counters import looks_like_counter, rate_query
from forecaster.traffic.formats.rows import RawTraffic
from forecaster.traffic.grid import Grid, RowError, snap_to_grid
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.ordered import (
    OrderedSeries,
    Source,
    counted,
    in_order,
    order_notices,
    there_were,
)

__all__ = ["FEWEST_VALUES", "assemble"]

FEWEST_VALUES = 3

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SHOWN_NAMES = 5
_IRREGULAR = 0.5


def assemble(
    path: Path, raw: RawTraffic, step: timedelta | None
) -> tuple[list[TrafficSeries], tuple[str, ...]]:
    """The series of ``raw`` at one step (inferred where None), values as given, and the notices.

    A value that ends its interval is stored at the interval's start. Among several series, those
    with fewer than three values are left out with a notice. A series begins and ends with a value.
    Raises TrafficFileError and HistoryTooShort.
    """
    source = Source(path, raw)
    _refuse_repeated_ids(source)
    every = [in_order(source, one) for one in raw.series]
    notices = [*raw.notices, *order_notices(source, every)]
    kept = [one for one in every if len(one.rows.value) >= FEWEST_VALUES]
    if not kept:
        raise _too_short(source, every)
    if len(kept) < len(every):
        notices.append(_left_out(every))
    step_us = common_step(source, kept) if step is None else forced_step(source, kept, step)
    for one in kept:
        _refuse_counter(source, one, step_us)
    grids = [_grid(source, one, step_us) for one in kept]
    notices.extend(_snap_notices(grids, step_us))
    lag_us = 0
    if raw.stamps_end_interval:
        lag_us = step_us
        notices.append("a value at t covers the step before t, so it is stored at t minus one step")
    series = [
        TrafficSeries(
            one.raw.series_id,
            _EPOCH + (grid.start_us - lag_us) * _MICROSECOND,
            step_us * _MICROSECOND,
            grid.value,
        )
        for one, grid in zip(kept, grids, strict=True)
    ]
    return series, tuple(notices)


def _refuse_repeated_ids(source: Source) -> None:
    seen: set[str] = set()
    for one in source.raw.series:
        if one.series_id in seen:
            raise source.refusal(one, "another series has the same name and labels", 0)
        seen.add(one.series_id)


def _too_short(
    source: Source, every: Sequence[OrderedSeries]
) -> TrafficFileError | HistoryTooShort:
    longest = max(every, key=lambda one: (len(one.rows.value), len(one.raw.row)))
    rows, values = len(longest.raw.row), len(longest.rows.value)
    if values == 0 and rows >= FEWEST_VALUES:
        return source.refusal(longest.raw, "every value is blank (NaN)", 0)
    what = f"only {counted(rows, 'row')}"
    if values < rows:
        what = f"only {counted(values, 'value')} in {counted(rows, 'row')}"
    if len(every) > 1:
        what += f" in the longest of {len(every)} series"
    needed = f"at least {FEWEST_VALUES} are needed to know the step, and a day or more to forecast"
    return HistoryTooShort(str(source.refusal(longest.raw, f"{what}; {needed}", rows - 1)))


def _left_out(every: Sequence[OrderedSeries]) -> str:
    names = [one.raw.series_id for one in every if len(one.rows.value) < FEWEST_VALUES]
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
    return f"{len(names)} of {len(every)} series left out for having fewer than 3 values: {shown}"


def _refuse_counter(source: Source, one: OrderedSeries, step_us: int) -> None:
    metric = one.raw.metric
    if looks_like_counter(one.rows.value, metric):
        message = (
            f"{metric or one.raw.name!r} only ever grows: it is a counter exported raw, not "
            f"traffic. Export its rate instead: {rate_query(metric, step_us * _MICROSECOND)}"
        )
        raise source.refusal(one.raw, message, int(one.rows.row[0]))


def _grid(source: Source, one: OrderedSeries, step_us: int) -> Grid:
    try:
        return snap_to_grid(one.rows.at_us, one.rows.value, step_us)
    except RowError as problem:
        message = f"{problem.message} (the step is {step_text(step_us)})"
        if regularity([one.rows.at_us], step_us) < _IRREGULAR:
            message += "; the rows have no regular step: export sums or rates at a fixed step"
        compare = None if problem.compare is None else int(one.rows.row[problem.compare])
        row = int(one.rows.row[problem.row])
        raise source.refusal(one.raw, message, row, compare) from problem


def _snap_notices(grids: Sequence[Grid], step_us: int) -> list[str]:
    snapped = sum(grid.snapped for grid in grids)
    merged = sum(grid.merged for grid in grids)
    notices = []
    if snapped:
        shift = max(grid.largest_shift_us for grid in grids) / 1e6
        stamps = there_were(snapped, "stamp")
        notices.append(f"{stamps} up to {shift:g} s off the grid of {step_text(step_us)}: snapped")
    if merged:
        rows = there_were(merged, "row")
        notices.append(f"{rows} in the same step as an equal neighbour: dropped")
    return notices
