"""The onset of an event: a cliff that live traffic cannot show before it is there.

From one lead window before traffic may jump until it has jumped, the lead peak is told from how
high it jumped at past events of the kind, above the level that it has now. Before and after, and
for events that come on gently, live traffic knows better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.events.course import course_knots
from forecaster.events.event import Event
from forecaster.events.event_curve import EventCurve
from forecaster.events.jump import Jump, likely_jump
from forecaster.events.uplift import UpliftModel
from forecaster.models.day_path import DayAheadPath
from forecaster.models.foreseen import Foreseen
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["Onset", "OnsetPeaks", "find_onsets", "onset_peaks"]

_STEEP = float(np.log(1.5))
_SOON = timedelta(minutes=5)
_EARLY = timedelta(minutes=30)
_BEGUN, _THERE = 0.1, 0.9  # parts of the rise
_LEVEL = timedelta(minutes=30)


@dataclass(frozen=True, eq=False)
class Onset:
    """Traffic jumps by ``jump`` between ``first`` and ``last``, if ``curve`` is right."""

    curve: EventCurve
    jump: Jump
    first: datetime
    last: datetime

    @property
    def event(self) -> Event:
        """The event that brings it."""
        return self.curve.event

    def words(self, quantile: float) -> str:
        """``football "Brazil v Scotland", importance 4: ×1.62 at 0.98, from 11 past events``."""
        factor = np.exp(self.jump.log_quantile(quantile))
        told = replace(self.curve, examples=self.jump.examples).source
        importance = f"importance {self.event.importance:g}"
        return f"{self.event.label()}, {importance}: ×{factor:.2f} at {quantile:g}, {told}"


@dataclass(frozen=True, eq=False)
class OnsetPeaks:
    """Lead peaks by the onsets: (levels, rows) in traffic per second, NaN where none speaks.

    ``speaker`` (rows,) is the place of the onset in ``onsets`` that speaks, −1: none.
    """

    onsets: tuple[Onset, ...]
    speaker: NDArray[np.int64]
    peak_rps: FloatArray


def find_onsets(
    curves: Sequence[EventCurve], uplift: UpliftModel, known_at: datetime, step: timedelta
) -> tuple[Onset, ...]:
    """The onsets of those events that come as a cliff: half as much again within five minutes."""
    found = []
    for curve in curves:
        span = _steep(curve, step)
        jump = likely_jump(curve.event, uplift.examples, known_at) if span is not None else None
        if span is None or jump is None:
            continue
        unsure = curve.event.start_uncertainty
        first, last = (curve.event.start + timedelta(seconds=at) for at in span)
        found.append(Onset(curve, jump, first - unsure, last + unsure))
    return tuple(found)


def onset_peaks(
    series: TrafficSeries,
    rows: NDArray[np.int64],
    lead_steps: int,
    levels: Sequence[float],
    path: DayAheadPath,
    foreseen: Foreseen,
    onsets: tuple[Onset, ...],
) -> OnsetPeaks:
    """Quantiles of the lead peak at the start of the intervals ``rows``, as onsets tell them.

    ``path`` knows of no event. The level is the median of the last half hour's traffic over the
    path and the other events; what traffic has now is the least that is told.
    """
    window = (lead_steps + 1) * series.step
    speaker = np.full(len(rows), -1, dtype=np.int64)
    peaks = np.full((len(levels), len(rows)), np.nan)
    at = series.start.timestamp() + rows.astype(np.float64) * series.step_seconds
    for number, onset in enumerate(onsets):
        begin, end = (onset.first - window).timestamp(), onset.last.timestamp()
        spoken = np.flatnonzero((at >= begin) & (at < end))
        if not len(spoken):
            continue
        ahead, now = _without_jump(
            series, rows[spoken], lead_steps, path, foreseen.without(onset.curve)
        )
        epsilon = 1.0 / series.step_seconds
        for row, quantile in enumerate(levels):
            told = np.exp(ahead + onset.jump.log_quantile(quantile)) - epsilon
            told = np.where(np.isnan(ahead), np.nan, np.fmax(np.maximum(told, 0.0), now))
            peaks[row, spoken] = np.fmax(peaks[row, spoken], told)
        speaker[spoken] = np.where(np.isnan(ahead), speaker[spoken], number)
    return OnsetPeaks(onsets, speaker, np.maximum.accumulate(peaks, axis=0))


def _steep(curve: EventCurve, step: timedelta) -> tuple[float, float] | None:
    """From when to when traffic rises, in seconds from the start; None where it does so gently."""
    knots = course_knots(curve.event.duration)
    early = knots <= min(_EARLY, curve.event.duration / 2).total_seconds()
    times, rise = knots[early], curve.log_uplift[early]
    grid = np.arange(times[0], times[-1] + 1.0, 30.0)
    course = np.interp(grid, times, rise)
    before = np.interp(grid - max(_SOON, 2 * step).total_seconds(), times, rise)
    steepest = int((course - before).argmax())
    if course[steepest] - before[steepest] < _STEEP:
        return None
    low, high = float(before[steepest]), float(course[steepest:].max())
    begun = np.flatnonzero(course[: steepest + 1] <= low + _BEGUN * (high - low))
    there = np.flatnonzero(course >= low + _THERE * (high - low))
    return float(grid[begun[-1]]) if len(begun) else float(grid[0]), float(grid[there[0]])


def _without_jump(
    series: TrafficSeries,
    rows: NDArray[np.int64],
    lead_steps: int,
    path: DayAheadPath,
    others: Foreseen,
) -> tuple[FloatArray, FloatArray]:
    """The log of the lead peak that the path and ``others`` tell, at the level of now; traffic now.

    Both (rows,). Nothing after a row is used.
    """
    back = max(2, round(_LEVEL / series.step))
    first, last = int(rows.min()) - back, int(rows.max()) + lead_steps + 1
    begin, epsilon = series.start + first * series.step, 1.0 / series.step_seconds
    known = np.full(last - first, np.nan)
    low, high = max(first, 0), min(last, len(series))
    known[low - first : high - first] = series.rate_rps[low:high]
    base = np.log(path.between(begin, last - first) + epsilon)
    base += others.between(begin, last - first)
    place = rows - first
    past = place[:, None] + np.arange(-back, 0)
    distance = (np.log(known + epsilon) - base)[past]
    level = np.zeros(len(rows))
    seen = ~np.isnan(distance).all(axis=1)
    level[seen] = np.nanmedian(distance[seen], axis=1)
    ahead = base[place[:, None] + np.arange(lead_steps + 1)].max(axis=1) + level
    return ahead, known[place - 1]
