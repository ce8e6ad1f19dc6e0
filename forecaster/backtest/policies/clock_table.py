"""What a person who types schedules knows: each clock slot's highest traffic of the last days.

Schedules are typed anew every midnight of the audience's clock, from the days that have ended by
then. That is kind: people do it once a season.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from forecaster.backtest.span import ReplaySpan, lead_peaks
from forecaster.planning.capacity import IntArray
from forecaster.traffic.history import FloatArray

__all__ = ["ClockDay", "clock_days"]

_DAY_SECONDS = 86_400
_DAYS_FOR_CLASSES = 14


@dataclass(frozen=True, eq=False)
class ClockDay:
    """One local day of the span: its steps, each step's clock, and the table typed for it.

    ``first`` and ``last`` (not included) are positions in the span; ``clock_seconds`` is each
    step's start since local midnight, ``slot`` its row in ``peaks_rps``. A row is the highest
    traffic of its slot, and of the lead time after it, over the days known; NaN where none is.
    """

    first: int
    last: int
    clock_seconds: IntArray
    slot: IntArray
    slot_seconds: int
    peaks_rps: FloatArray


def clock_days(
    span: ReplaySpan,
    lead_steps: int,
    *,
    days: int,
    slot: timedelta,
    timezone: str,
    day_classes: bool,
) -> Iterator[ClockDay]:
    """The local days of the span in order, each with its table.

    A table looks ``days`` days back from its midnight; with ``day_classes`` at working days only
    or at weekends only, like the day itself, once 14 days are known. A slot is one step at least.
    ValueError where ``days`` or ``slot`` is out of range.
    """
    if days < 1:
        raise ValueError(f"days must be 1 or more, for example 14, not {days}")
    if not timedelta(minutes=1) <= slot <= timedelta(days=1):
        raise ValueError(f"slot must be a minute to a day, for example 30 minutes, not {slot}")
    local = span.series.times.tz_convert(timezone)
    clock = (local.hour * 3600 + local.minute * 60 + local.second).to_numpy(dtype=np.int64)
    day = (local.tz_localize(None).normalize().asi8 // (_DAY_SECONDS * 10**9)).astype(np.int64)
    day = np.maximum.accumulate(day)  # an hour that is repeated at midnight is the new day's
    weekend = (day + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    slot_seconds = int(max(slot, span.series.step).total_seconds())
    row = clock // slot_seconds
    rows = -(-_DAY_SECONDS // slot_seconds)
    rates = span.series.rate_rps
    for today in np.unique(day[span.first :]).tolist():
        begin, midnight, end = np.searchsorted(day, [today - days, today, today + 1]).tolist()
        alike = np.ones(midnight - begin, dtype=bool)
        if day_classes and today - day[0] >= _DAYS_FOR_CLASSES:
            alike = weekend[begin:midnight] == weekend[midnight]
        peaks = np.full(rows, np.nan)
        if alike.any():
            ahead = lead_peaks(rates[begin:midnight], lead_steps)
            np.fmax.at(peaks, row[begin:midnight][alike], ahead[alike])
        begins = max(midnight, span.first)
        yield ClockDay(
            first=begins - span.first,
            last=end - span.first,
            clock_seconds=clock[begins:end],
            slot=row[begins:end],
            slot_seconds=slot_seconds,
            peaks_rps=peaks,
        )
