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

from forecaster.events.calendar import Overlap
from forecaster.events.course import course_knots
from forecaster.events.effects import join_logs
from forecaster.events.event import Event
from forecaster.events.event_curve import EventCurve
from forecaster.events.jump import Jump
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
_UNPUNCTUAL = timedelta(minutes=4)
_EARLIER = timedelta(minutes=5)


@dataclass(frozen=True, eq=False)
class Onset:
    """Traffic jumps by ``jump`` between ``first`` and ``last``, if ``curve`` is right.

    ``early`` is how much sooner than ``first`` the earliest examples began to jump.
    """

    curve: EventCurve
    jump: Jump
    first: datetime
    last: datetime
    early: timedelta = timedelta(0)

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

    ``speaker`` (rows,) is the place of the onset that speaks, among those asked, of several the one
    that tells the highest level; −1: none.
    """

    speaker: NDArray[np.int64]
    peak_rps: FloatArray


def find_onsets(
    curves: Sequence[EventCurve], uplift: UpliftModel, known_at: datetime, step: timedelta
) -> tuple[Onset, ...]:
    """The onsets of those events that come as a cliff: half as much again within five minutes.

    A mean course begins to rise later than the earliest example did; that is told apart.
    """
    found, jumps = [], uplift.jumps(known_at)
    for curve in curves:
        span = _steep(curve, step)
        jump = jumps.likely(curve.event) if span is not None else None
        if span is None or jump is None:
            continue
        unsure = curve.event.start_uncertainty
        first, last = (curve.event.start + timedelta(seconds=at) for at in span)
        if not jump.examples:  # what is declared is on the minute; what comes is not
            last += _UNPUNCTUAL
        early = _earlier(span[0], jumps.earliest(curve.event.kind))
        found.append(Onset(curve, jump, first - unsure, last + unsure, early))
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
        begin = (onset.first - onset.early - window).timestamp()
        end = onset.last.timestamp()
        spoken = np.flatnonzero((at >= begin) & (at < end))
        if not len(spoken):
            continue
        before = _before_jump(series, rows[spoken], lead_steps, path, foreseen.without(onset.curve))
        overlap = _overlap(onset, foreseen)
        epsilon = 1.0 / series.step_seconds
        raised = _joined(before.others, onset.jump.middle, overlap) - before.others
        # Beside a larger event of the same audience there is nothing to jump.
        silent = ~(raised.max(axis=1) >= _STEEP / 2)
        for row, quantile in enumerate(levels):
            jump = onset.jump.log_quantile(quantile)
            course = before.path + _joined(before.others, jump, overlap)
            told = np.maximum(np.exp(course.max(axis=1) + before.level) - epsilon, 0.0)
            told = np.where(
                silent, np.nan, np.where(np.isnan(told), told, np.fmax(told, before.now))
            )
            higher = ~(told <= peaks[row, spoken]) & ~np.isnan(told)
            peaks[row, spoken] = np.fmax(peaks[row, spoken], told)
        speaker[spoken[higher]] = number  # at the highest level
    return OnsetPeaks(speaker, np.maximum.accumulate(peaks, axis=0))


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


def _earlier(first: float, seen: float | None) -> timedelta:
    """How much earlier than ``first`` a jump was seen to begin, as far as that is near."""
    if seen is None:
        return timedelta(0)
    return min(max(timedelta(seconds=first - seen), timedelta(0)), _EARLIER)


@dataclass(frozen=True, eq=False)
class _Before:
    """What is known of lead windows without a jump.

    ``path`` and ``others`` (rows, lead_steps + 1) are the log of the path and what the other events
    add to it; ``level`` (rows,) is how far traffic is above both, ``now`` (rows,) traffic.
    """

    path: FloatArray
    others: FloatArray
    level: FloatArray
    now: FloatArray


def _before_jump(
    series: TrafficSeries,
    rows: NDArray[np.int64],
    lead_steps: int,
    path: DayAheadPath,
    others: Foreseen,
) -> _Before:
    """Nothing after a row is used."""
    back = max(2, round(_LEVEL / series.step))
    first, last = int(rows.min()) - back, int(rows.max()) + lead_steps + 1
    begin, epsilon = series.start + first * series.step, 1.0 / series.step_seconds
    known = np.full(last - first, np.nan)
    low, high = max(first, 0), min(last, len(series))
    known[low - first : high - first] = series.rate_rps[low:high]
    base = np.log(path.between(begin, last - first) + epsilon)
    added = others.between(begin, last - first)
    place = rows - first
    past = place[:, None] + np.arange(-back, 0)
    distance = (np.log(known + epsilon) - base - added)[past]
    level = np.zeros(len(rows))
    seen = ~np.isnan(distance).all(axis=1)
    level[seen] = np.nanmedian(distance[seen], axis=1)
    ahead = place[:, None] + np.arange(lead_steps + 1)
    return _Before(base[ahead], added[ahead], level, known[place - 1])


def _joined(others: FloatArray, jump: float, overlap: Overlap) -> FloatArray:
    return join_logs(others, np.full_like(others, jump), overlap)


def _overlap(onset: Onset, foreseen: Foreseen) -> Overlap:
    """How the jump joins what else goes on: of one audience the larger counts."""
    event = onset.event
    for one in foreseen.effects.curves:
        other = one.event
        if one is onset.curve or other.group != event.group:
            continue
        if other.start <= onset.last and other.planned_end > onset.first:
            return Overlap.LARGEST
    return foreseen.effects.overlap
