"""What events were, and are, expected to do to traffic, interval by interval, as known by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.events.calendar import Calendar
from forecaster.events.event import Event
from forecaster.events.uplift import UpliftModel
from forecaster.models.day_path import DayAheadPath, cut
from forecaster.models.event_onset import Onset, find_onsets
from forecaster.models.foreseen import Foreseen, foresee
from forecaster.traffic.history import FloatArray

__all__ = ["HIGH", "Ahead", "EventTrack", "look_ahead", "track_by_day"]

HIGH = 0.9
"""The quantile of :attr:`EventTrack.high`."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class EventTrack:
    """Log factors of each interval from ``start`` on, float32, shape (steps,).

    ``middle`` is what is expected, ``high`` its 0.9 quantile; both 0 where no event is near.
    ``onset`` is where traffic is expected to jump (``event_onset.py``); ``events`` are those of the
    time, by start; ``uplift`` has the examples that told it.
    """

    start: datetime
    step: timedelta
    middle: NDArray[np.float32]
    high: NDArray[np.float32]
    onset: NDArray[np.bool_]
    events: tuple[Event, ...]
    uplift: UpliftModel

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.start.astimezone(UTC))

    def __len__(self) -> int:
        return len(self.middle)

    def between(self, first: datetime, steps: int) -> FloatArray:
        """``middle`` and ``high`` of the intervals from ``first`` on, (2, steps); 0 outside.

        ValueError where ``first`` does not lie on the grid.
        """
        offset, rest = divmod(first - self.start, self.step)
        if rest:
            raise ValueError(f"{first} is not on the grid of {self.step} from {self.start}")
        return np.stack([cut(one, offset, steps, 0.0) for one in (self.middle, self.high)])

    def moved_before(self, instant: datetime) -> bool:
        """Whether any event was expected to move traffic before an instant."""
        past = max(0, (instant - self.start) // self.step)
        return bool(self.middle[:past].any())

    def near_onset(self, start: datetime, steps: int, lead_steps: int) -> NDArray[np.bool_]:
        """Whether an onset lies within the lead window of each interval from ``start`` on."""
        offset = (start - self.start) // self.step
        found = cut(self.onset, offset, steps + lead_steps, False)
        windows = np.lib.stride_tricks.sliding_window_view(found, lead_steps + 1)
        return np.asarray(windows.any(axis=1))

    def lift(self, path: DayAheadPath) -> DayAheadPath:
        """A path that knows of no event, with what is expected of these."""
        middle = self.between(path.start, len(path))[0]
        rates = (path.rate_rps * np.exp(middle)).astype(np.float32)
        return DayAheadPath(path.start, path.step, rates)


@dataclass(frozen=True, eq=False)
class Ahead:
    """What is known of the events of a span at one instant: their effects, onsets, and track."""

    foreseen: Foreseen
    onsets: tuple[Onset, ...]
    track: EventTrack


def look_ahead(
    uplift: UpliftModel,
    calendar: Calendar,
    known_at: datetime,
    start: datetime,
    step: timedelta,
    steps: int,
) -> Ahead:
    """The calendar's events from ``start`` on, by the examples that were settled at an instant."""
    foreseen = foresee(uplift, calendar, known_at, start, step, steps)
    onsets = find_onsets(foreseen.effects.curves, uplift, known_at, step)
    middle, high = foreseen.effects.log_factor_rows((None, HIGH)).astype(np.float32)
    jumps = np.zeros(steps, dtype=bool)
    for one in onsets:
        first = max(0, (one.first - start) // step)
        jumps[first : max(first, -((start - one.last) // step))] = True
    events = tuple(one.event for one in foreseen.effects.curves)
    track = EventTrack(start, step, middle, high, jumps, events, uplift)
    return Ahead(foreseen, onsets, track)


def track_by_day(
    uplift: UpliftModel,
    calendar: Calendar,
    cutoff: datetime,
    start: datetime,
    step: timedelta,
    steps: int,
) -> EventTrack:
    """The track of a past, each day as it was known when it began, counted from ``cutoff``.

    What comes after the cutoff is as it was known then.
    """
    end = start + steps * step
    origins = [cutoff]
    while origins[-1] > start:
        origins.append(origins[-1] - _DAY)
    middle, high = np.zeros(steps, np.float32), np.zeros(steps, np.float32)
    onset = np.zeros(steps, dtype=bool)
    events: dict[tuple[datetime, str, str], Event] = {}
    for origin in reversed(origins):
        until = end if origin == cutoff else origin + _DAY
        first = max(0, (origin - start) // step)
        last = min(steps, (until - start) // step)
        if last <= first:
            continue
        begin = start + first * step
        part = look_ahead(uplift, calendar, origin, begin, step, last - first).track
        middle[first:last], high[first:last] = part.middle, part.high
        onset[first:last] = part.onset
        events.update({(one.start, one.kind, one.event_id): one for one in part.events})
    ordered = tuple(sorted(events.values(), key=lambda one: (one.start, one.kind, one.event_id)))
    return EventTrack(start, step, middle, high, onset, ordered, uplift)
