"""Column charts in text, for people who would rather look than read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from rich.text import Text

from forecaster.traffic.history import FloatArray

__all__ = ["column_chart", "compact_number", "per_column", "time_axis"]

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LABEL_WIDTH = 8
_HOUR = timedelta(hours=1)
_NOTHING = 1e-9  # a model's rounding, not traffic


def per_column(values: FloatArray, columns: int, *, peak: bool) -> FloatArray:
    """``values`` in ``columns`` parts of about equal length: the peak of each, or its mean."""
    parts = np.array_split(values, min(columns, len(values)))
    return np.array([part.max() if peak else part.mean() for part in parts])


def column_chart(
    values: FloatArray,
    height: int,
    *,
    colour: str,
    above: FloatArray | None = None,
    shade_style: str | None = None,
) -> list[Text]:
    """Lines of text, the top one first, with a scale from 0 to the highest value at the left.

    ``above`` is drawn as a shade behind the columns of ``values``, a value per column, too;
    dimly in the same colour, unless ``shade_style`` says otherwise.
    """
    behind = values if above is None else above
    top = float(max(behind.max(), values.max()))
    if top < _NOTHING:
        top = 1.0
    eighths = np.rint(values / top * height * 8).astype(int)
    shade = np.ceil(behind / top * height - 1e-9).astype(int)
    labels = {height - 1: top, 0: 0.0}
    lines = []
    for row in range(height - 1, -1, -1):
        label = compact_number(labels[row]) if row in labels else ""
        line = Text(f"{label:>{_LABEL_WIDTH - 1}} ", style="dim")
        for filled, shaded in zip(eighths, shade, strict=True):
            level = int(np.clip(filled - row * 8, 0, 8))
            if level:
                line.append(_EIGHTHS[level], style=colour)
            else:
                line.append("░" if row < shaded else " ", style=shade_style or f"{colour} dim")
        lines.append(line)
    return lines


def time_axis(
    start: datetime,
    span: timedelta,
    columns: int,
    zone: ZoneInfo,
    every: timedelta = timedelta(hours=6),
) -> list[Text]:
    """Two lines below a chart: the clock ``every`` so often, and the day where it begins.

    Ticks stand at the local hours 0, 6, 12 and 18, or at multiples of another part of a day since
    midnight, as far as there is room.
    """
    clock = [" "] * (columns + 6)
    days = [" "] * (columns + 12)
    free = 0
    for tick in _ticks(start, start + span, zone, every):
        column = int((tick - start) / span * columns)
        if column < free:
            continue
        text = f"{tick.astimezone(zone):%H:%M}"
        clock[column : column + len(text)] = text
        free = column + len(text) + 1
        if f"{tick.astimezone(zone):%H:%M}" == "00:00" or not "".join(days).strip():
            day = f"{tick.astimezone(zone):%a %d %b}"
            days[column : column + len(day)] = day
    pad = " " * _LABEL_WIDTH
    return [Text(pad + "".join(line).rstrip(), style="dim") for line in (clock, days)]


def _ticks(start: datetime, end: datetime, zone: ZoneInfo, every: timedelta) -> list[datetime]:
    first = start.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    pace = min(every, timedelta(hours=1))
    ticks = [first + n * pace for n in range(int((end - start) / pace) + 2 * _HOUR // pace)]
    return [one for one in ticks if start <= one < end and not _since_midnight(one, zone) % every]


def _since_midnight(instant: datetime, zone: ZoneInfo) -> timedelta:
    local = instant.astimezone(zone)
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)


def compact_number(value: float) -> str:
    """Seven characters and three figures at most: 0, 0.0012, 7.5, 34, 1.23k, 3.1M.

    >>> compact_number(1234.0)
    '1.23k'
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}" if value == 0 or value >= 0.001 else f"{value:.1e}"
