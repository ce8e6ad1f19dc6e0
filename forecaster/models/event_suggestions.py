"""Events that nobody declared, found in history against what was expected a day ahead.

What is expected has learned from the very peaks that are looked for, as habits. So they are looked
for again once those of the first look are known as events, which leaves them out of what is
expected; of peaks that come back each look shows more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.events.calendar import EMPTY_CALENDAR, Calendar
from forecaster.events.effects import effects_between, events_around
from forecaster.events.event import Event
from forecaster.events.suggest import Suggestion, suggest_events
from forecaster.events.suggest_peaks import ExpectedTraffic, PeakRules, find_peaks
from forecaster.models.event_training import train_with_events
from forecaster.models.selection import OutlookConfig
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["SuggestedEvents", "find_events"]

_LOOKS = 6
_EXPLAINED_BEFORE = timedelta(minutes=60)
_EXPLAINED_AFTER = timedelta(minutes=90)
# A longer one is a season or a day of its own: it lifts what is expected, and hides no peak.
_EXPLAINS_ALL = timedelta(hours=6)


@dataclass(frozen=True, eq=False)
class SuggestedEvents:
    """What was found, the largest excess first, and what it was found in.

    ``traffic`` covers what the day-ahead path covers; its expected traffic knows the events that
    were given, and none of those that are suggested.
    """

    suggestions: tuple[Suggestion, ...]
    traffic: ExpectedTraffic


def find_events(
    series: TrafficSeries,
    known: Calendar = EMPTY_CALENDAR,
    timezone: str = "UTC",
    rules: PeakRules = PeakRules(),
    progress: Callable[[int, int], None] | None = None,
) -> SuggestedEvents:
    """Peaks of the past, six weeks at the most, that no event of ``known`` explains.

    ``progress`` is told how many parts of the work are done, and of how many. Raises
    HistoryTooShort as training does.
    """
    config = OutlookConfig(horizon=timedelta(days=1), timezone=timezone, zoo=False)
    suggestions: tuple[Suggestion, ...] = ()
    for look in range(_LOOKS):
        told = None if progress is None else _part(progress, look)
        traffic = _expected(series, known, suggestions, config, told)
        peaks = find_peaks(traffic, timezone, rules)
        until = traffic.at(len(traffic.rate_rps))
        found = suggest_events(peaks, until, timezone, series.step)
        again = [one.entry for one in found] == [one.entry for one in suggestions]
        suggestions = found
        if again or not found:
            break
    if progress is not None:
        progress(_LOOKS, _LOOKS)
    return SuggestedEvents(suggestions, traffic)


def _part(progress: Callable[[int, int], None], look: int) -> Callable[[int, int], None]:
    return lambda done, total: progress(look * total + done, _LOOKS * total)


def _expected(
    series: TrafficSeries,
    known: Calendar,
    suggested: Sequence[Suggestion],
    config: OutlookConfig,
    progress: Callable[[int, int], None] | None,
) -> ExpectedTraffic:
    """The past path without the suggested events, and with what the known ones bring."""
    cutoff = series.end
    added = [event for one in suggested for event in _events(one, series.start, cutoff)]
    both = Calendar(
        (*known.between(series.start, cutoff + config.horizon), *added), (), known.overlap
    )
    trained = train_with_events(series, cutoff, config, both, progress)
    start = max(trained.path.start, series.start)
    steps = (cutoff - start) // series.step
    past = known.within(start, cutoff)
    effects = effects_between(trained.uplift, past, cutoff, start, series.step, steps)
    expected = trained.path.between(start, steps) * np.exp(effects.log_factors())
    rates: FloatArray = np.asarray(series.rate_rps[len(series) - steps :], dtype=np.float64)
    return ExpectedTraffic(
        start, series.step, rates, expected, _explained(past, start, series.step, steps)
    )


def _events(one: Suggestion, since: datetime, until: datetime) -> tuple[Event, ...]:
    """A suggestion as past events."""
    return (one.entry,) if isinstance(one.entry, Event) else one.entry.between(since, until)


def _explained(known: Calendar, start: datetime, step: timedelta, steps: int) -> np.ndarray:
    explained = np.zeros(steps, dtype=bool)
    for one in events_around(known, start, start + steps * step):
        if one.duration > _EXPLAINS_ALL:
            continue
        first = max(0, (one.earliest_start - _EXPLAINED_BEFORE - start) // step)
        last = max(0, -((start - one.latest_end - _EXPLAINED_AFTER) // step))
        explained[first:last] = True
    return explained
