"""An outlook that past events do not haunt, and what they taught.

First the time of past events is left out, and the uplift is what traffic then was above the path.
Then traffic is divided by that uplift, so that what is left, also while events were on, teaches the
event-free outlook; and the uplift is learned again, above its path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from forecaster.errors import HistoryTooShort
from forecaster.events.calendar import EMPTY_CALENDAR, Calendar
from forecaster.events.course import AFTER
from forecaster.events.effects import Effects, centres_of, effects_between, events_around
from forecaster.events.event import Event
from forecaster.events.uplift import UpliftModel
from forecaster.events.uplift_learning import learn_uplift
from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_track import EventTrack, track_by_day
from forecaster.models.outlook import Outlook
from forecaster.models.selection import (
    CandidateScore,
    OutlookConfig,
    TrainedOutlook,
    train_outlook,
)
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["TrainedWithEvents", "train_with_events"]

_BEFORE_MASKED = timedelta(minutes=30)
_AFTER_MASKED = timedelta(minutes=90)
_MOST_MASKED = 0.6  # of the last four weeks: what is always on is ordinary traffic
_LEARNED_DAYS = 84


@dataclass(frozen=True, eq=False)
class TrainedWithEvents:
    """``outlook`` and ``path`` know of no event; ``uplift`` is what events bring on top.

    ``track`` is what they were expected to bring, each past day as it was known when it began, and
    the days ahead as it is known now: what the lead peak learns from. ``calendar`` has the events
    that counted.
    """

    outlook: Outlook
    scorecard: tuple[CandidateScore, ...]
    path: DayAheadPath
    uplift: UpliftModel
    track: EventTrack
    calendar: Calendar

    @property
    def path_then(self) -> DayAheadPath:
        """The day-ahead path with what the events were expected to bring."""
        return self.track.lift(self.path)


def train_with_events(
    series: TrafficSeries,
    cutoff: datetime,
    config: OutlookConfig = OutlookConfig(),
    calendar: Calendar = EMPTY_CALENDAR,
    progress: Callable[[int, int], None] | None = None,
) -> TrainedWithEvents:
    """:func:`train_outlook` with the events of one workload; raises as it does.

    Without past events it is the same outlook, and an uplift model without examples.
    """
    events, ordinary = _counting(calendar, series, cutoff)
    around = events_around(calendar, cutoff - timedelta(days=2), cutoff + config.horizon)
    around = tuple(one for one in around if one.kind not in ordinary)
    ahead = Calendar(around, (), calendar.overlap)
    past = tuple(one for one in events if one.start < cutoff)
    known = series.before(cutoff)
    nothing = UpliftModel((), config.timezone, ordinary)
    if not past or known is None:
        return _with(train_outlook(series, cutoff, config, progress), nothing, ahead)
    owned = _owned_mask(known, past)
    try:
        first = train_outlook(
            replace(known, rate_rps=np.where(owned, np.nan, known.rate_rps)),
            cutoff,
            replace(config, quantiles=(0.5,), zoo=False),
        )
        taught = _learned(known, first.path, past, cutoff, config.timezone)
        free = _without_uplift(known, past, taught, calendar, cutoff, owned)
        trained = train_outlook(replace(known, rate_rps=free), cutoff, config, progress)
    except HistoryTooShort:
        # What remains between the events is too little: take the traffic as it is.
        return _with(train_outlook(series, cutoff, config, progress), nothing, ahead)
    learned = _learned(known, trained.path, past, cutoff, config.timezone)
    uplift = replace(learned, ordinary=ordinary)
    coming = (one for one in around if one.start >= cutoff)
    counting = Calendar((*past, *coming), (), calendar.overlap)
    return _with(trained, uplift, counting)


def _with(trained: TrainedOutlook, uplift: UpliftModel, calendar: Calendar) -> TrainedWithEvents:
    path, cutoff = trained.path, trained.outlook.cutoff
    track = track_by_day(uplift, calendar, cutoff, path.start, path.step, len(path))
    return TrainedWithEvents(trained.outlook, trained.scorecard, path, uplift, track, calendar)


def _counting(
    calendar: Calendar, series: TrafficSeries, cutoff: datetime
) -> tuple[tuple[Event, ...], frozenset[str]]:
    """Past events without those of kinds that are on most of the time, and these kinds."""
    since = max(series.start, cutoff - timedelta(days=_LEARNED_DAYS))
    around = events_around(calendar, since, cutoff)
    recent = max(since, cutoff - timedelta(days=28))
    of_kind: dict[str, list[Event]] = {}
    for one in around:
        of_kind.setdefault(one.kind, []).append(one)
    ordinary = frozenset(
        kind for kind, own in of_kind.items() if _share(own, recent, cutoff) > _MOST_MASKED
    )
    return tuple(one for one in around if one.kind not in ordinary), ordinary


def _share(events: Sequence[Event], since: datetime, until: datetime) -> float:
    """The part of a span that is covered by events, or by what comes before and after them."""
    grid = timedelta(minutes=5)
    covered = np.zeros(max(1, round((until - since) / grid)), dtype=bool)
    for one in events:
        first = max(0, (one.start - _BEFORE_MASKED - since) // grid)
        last = max(0, (one.planned_end + _AFTER_MASKED - since) // grid)
        covered[first:last] = True
    return float(covered.mean())


def _owned_mask(known: TrafficSeries, past: Sequence[Event]) -> np.ndarray:
    owned = np.zeros(len(known), dtype=bool)
    for one in past:
        first = max(0, known.index_of(one.start - _BEFORE_MASKED))
        last = max(0, known.index_of(one.planned_end + _AFTER_MASKED))
        owned[first:last] = True
    return owned


def _log(rates: FloatArray, epsilon: float) -> FloatArray:
    logs: FloatArray = np.log(rates + epsilon)
    return logs


def _learned(
    known: TrafficSeries,
    path: DayAheadPath,
    past: Sequence[Event],
    cutoff: datetime,
    timezone: str,
) -> UpliftModel:
    epsilon = 1.0 / known.step_seconds
    expected = path.between(path.start, (known.end - path.start) // known.step)
    steps = len(expected)
    ratio = _log(known.rate_rps[len(known) - steps :], epsilon) - _log(expected, epsilon)
    centres = centres_of(known.end - steps * known.step, known.step, steps)
    return learn_uplift(centres, ratio, known.step, past, cutoff, timezone)


def _without_uplift(
    known: TrafficSeries,
    past: Sequence[Event],
    taught: UpliftModel,
    calendar: Calendar,
    cutoff: datetime,
    owned: np.ndarray,
) -> FloatArray:
    """Traffic without what events brought; a gap where that is not known."""
    own = Calendar(tuple(past), (), calendar.overlap)
    epsilon = 1.0 / known.step_seconds
    effects = effects_between(taught, own, cutoff, known.start, known.step, len(known))
    free = np.maximum(np.exp(_log(known.rate_rps, epsilon) - effects.log_factors()) - epsilon, 0.0)
    told = _covered(effects)
    first_taught = min((one.start for one in taught.examples), default=cutoff)
    before = (
        centres_of(known.start, known.step, len(known))
        < (first_taught - timedelta(hours=1)).timestamp()
    )
    return np.where(owned & (~told | before), np.nan, free)


def _covered(effects: Effects) -> np.ndarray:
    covered = np.zeros(len(effects.centres), dtype=bool)
    for one in effects.curves:
        first = (one.event.start - _BEFORE_MASKED).timestamp()
        last = (one.event.planned_end + AFTER).timestamp()
        covered |= (effects.centres >= first) & (effects.centres < last)
    return covered
