"""Traffic that is late: what was observed last at each step, and what onsets tell meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_onset import onset_peaks
from forecaster.models.event_track import Ahead
from forecaster.models.peak.live import STALE_STEPS
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["last_spoken", "late_onsets"]


def last_spoken(
    rates: FloatArray, first: int, steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each step: the step at which the last observed interval ended, and how long ago.

    Both in steps, the former from interval ``first`` on; nothing after a step is used.
    """
    seen = np.where(~np.isnan(rates), np.arange(len(rates)), -1)
    last = np.maximum.accumulate(seen)[first - 1 : first + steps - 1]
    row = last + 1 - first
    return row, np.arange(steps) - row


def late_onsets(
    series: TrafficSeries,
    rows: NDArray[np.int64],
    lead_steps: int,
    levels: Sequence[float],
    path: DayAheadPath,
    ahead: Ahead,
) -> FloatArray:
    """What onsets tell at the start of the intervals ``rows`` whose traffic is late.

    The windows are those from the end of the last observed interval up to the row, the level that
    of traffic then; shape (levels, rows). NaN where traffic is on time or stale, and where none
    speaks. ``rows`` follow each other.
    """
    told = np.full((len(levels), len(rows)), np.nan)
    first = int(rows[0])
    row, age = last_spoken(series.rate_rps, first, len(rows))
    for late in range(1, STALE_STEPS + 1):
        those = np.flatnonzero((age == late) & (first + row > 0))
        if len(those):
            at = first + row[those]
            reach = lead_steps + late
            found = onset_peaks(series, at, reach, levels, path, ahead.foreseen, ahead.onsets)
            told[:, those] = found.peak_rps
    return told
