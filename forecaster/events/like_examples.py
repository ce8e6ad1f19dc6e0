"""What events will do, told by the examples that are like them: a mean, drawn to a prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.events.course import KNOTS, course_knots
from forecaster.events.event import Event
from forecaster.events.event_curve import INSIDE, EventCurve, UpliftExample
from forecaster.traffic.history import FloatArray

__all__ = ["DECLARED_EXAMPLES", "DECLARED_SPREAD", "LikeExamples"]

_HALF_LIFE_DAYS = 15.0
_CLOCK_HOURS = 1.5
_OTHER_CLOCK = 0.05
_OTHER_DAY_CLASS = 0.1
_IMPORTANCE = 2.0
_OTHER_IMPORTANCE = 0.05
_OTHER_KIND = 0.1
_PRIOR_EXAMPLES = 0.3  # so much does the prior weigh where nobody declared anything
DECLARED_EXAMPLES = 2.0
"""So many examples does a declared uplift weigh."""
DECLARED_SPREAD = 0.2
"""How far what a person declares is off: a fifth, as a log."""
_ASSUMED_SPREAD = 0.35
_SPREAD_EXAMPLES = 1.0
_MOST_EXAMPLES = 400


@dataclass(frozen=True, eq=False)
class LikeExamples:
    """The examples that were settled at ``now``, as arrays (n,) and (n, KNOTS).

    ``filled`` has 0 where ``known`` has 0; ``highest`` is the highest place of each example.
    """

    now: datetime
    timezone: str
    filled: FloatArray
    known: FloatArray
    highest: FloatArray
    kind: np.ndarray
    importance: FloatArray
    clock: FloatArray
    weekend: np.ndarray
    seconds: FloatArray

    @classmethod
    def of(cls, examples: Sequence[UpliftExample], now: datetime, timezone: str) -> LikeExamples:
        """Those of ``examples``, oldest first, that were over at ``now``: what was seen by then."""
        settled = [one for one in examples if one.settled_at <= now][-_MOST_EXAMPLES:]
        local = [_clock(one.start, timezone) for one in settled]
        ratio = np.array([_seen_by(now, one) for one in settled]).reshape(len(settled), KNOTS)
        known = ~np.isnan(ratio)
        return cls(
            now,
            timezone,
            np.where(known, ratio, 0.0),
            known.astype(np.float64),
            np.where(known, ratio, -np.inf).max(axis=1),
            np.array([one.kind for one in settled], dtype=str),
            np.array([one.importance for one in settled]),
            np.array([hours for hours, _ in local]),
            np.array([weekend for _, weekend in local], dtype=bool),
            np.array([one.start.timestamp() for one in settled]),
        )

    def curves(self, events: Sequence[Event]) -> tuple[EventCurve, ...]:
        """What each event will do, in their order."""
        of_kind: dict[str, list[int]] = {}
        for place, one in enumerate(events):
            of_kind.setdefault(one.kind, []).append(place)
        found: dict[int, EventCurve] = {}
        for kind, places in of_kind.items():
            curves = self._of_kind(kind, [events[place] for place in places])
            found.update(zip(places, curves, strict=True))
        return tuple(found[place] for place in range(len(events)))

    def _of_kind(self, kind: str, events: Sequence[Event]) -> list[EventCurve]:
        own = self.kind == kind
        if not own.any():
            return [_as_declared(one) for one in events]
        like = self._likeness(events)
        weight = like[:, own]
        known, filled = self.known[own], self.filled[own]
        total = weight @ known
        prior, strength = self._prior(events, own, like)
        middle = (weight @ filled + strength * prior) / (total + strength)
        spread = _spread(weight, known, filled, total, middle)
        mean, deviation = _peaks(weight, self.highest[own])
        count, effective = (weight > 0).sum(axis=1), weight.sum(axis=1)
        return [
            EventCurve(
                event,
                middle[i],
                spread[i] * _fade(event.duration),
                (float(mean[i]), float(deviation[i])),
                int(count[i]),
                float(effective[i] + (strength[i, 0] if event.declares_uplift else 0.0)),
            )
            if count[i]
            else _as_declared(event)
            for i, event in enumerate(events)
        ]

    def _likeness(self, events: Sequence[Event]) -> FloatArray:
        """How much each example counts for each event, (events, n), but for its kind."""
        local = [_clock(one.start, self.timezone) for one in events]
        hours = np.array([one for one, _ in local])[:, None]
        weekend = np.array([one for _, one in local], dtype=bool)[:, None]
        importance = np.array([one.importance for one in events])[:, None]
        apart = np.abs(self.clock - hours)
        apart = np.minimum(apart, 24 - apart)
        like = np.exp(-((apart / _CLOCK_HOURS) ** 2)) + _OTHER_CLOCK
        like *= np.where(self.weekend == weekend, 1.0, _OTHER_DAY_CLASS)
        distance = (self.importance - importance) / _IMPORTANCE
        like *= np.exp(-(distance**2)) + _OTHER_IMPORTANCE
        age_days = (self.now.timestamp() - self.seconds) / 86_400
        weight: FloatArray = like * 0.5 ** (age_days / _HALF_LIFE_DAYS)
        return weight

    def _prior(
        self, events: Sequence[Event], own: np.ndarray, like: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """What is believed without an example of the kind, and how many examples that weighs.

        Shapes (events, KNOTS) and (events, 1): what was declared, or what other kinds did.
        """
        others = like[:, ~own] * _OTHER_KIND
        prior: FloatArray = (others @ self.filled[~own]) / (others @ self.known[~own] + 1.0)
        strength = np.full((len(events), 1), _PRIOR_EXAMPLES)
        for place, event in enumerate(events):
            if event.declares_uplift:
                prior[place], strength[place] = _declared(event), DECLARED_EXAMPLES
        return prior, strength


def _spread(
    weight: FloatArray, known: FloatArray, filled: FloatArray, total: FloatArray, middle: FloatArray
) -> FloatArray:
    """The size of errors at each place, each example against the mean of the others."""
    weighed = weight[:, :, None] * known
    error = filled - middle[:, None, :]
    # What leaves an example out of a weighted mean makes its error so much larger.
    whole = total[:, None, :]
    rest = np.maximum(whole - weighed, 1e-12)
    error *= np.where(rest > 0.1 * whole, np.minimum(whole / rest, 3.0), 1.0)
    square = np.einsum("enk,enk,enk->ek", weighed, error, error)
    square += _ASSUMED_SPREAD**2 * _SPREAD_EXAMPLES
    spread: FloatArray = np.sqrt(square / (total + _SPREAD_EXAMPLES))
    return spread


def _peaks(weight: FloatArray, highest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of the highest places of the examples, (events,) each."""
    known = np.isfinite(highest)
    shares, top = weight[:, known], highest[known]
    total = shares.sum(axis=1)
    mean = (shares @ top) / np.maximum(total, 1e-12)
    square = (shares * (top - mean[:, None]) ** 2).sum(axis=1)
    square += _ASSUMED_SPREAD**2 * _SPREAD_EXAMPLES
    return mean, np.sqrt(square / (total + _SPREAD_EXAMPLES))


def _as_declared(event: Event) -> EventCurve:
    """What an event of a kind never seen will do."""
    declared = _declared(event)
    if not event.declares_uplift:
        return EventCurve(event, declared, np.zeros(KNOTS), (0.0, 0.0), 0, 0.0)
    spread = np.where(declared == 0, 0.0, DECLARED_SPREAD)
    peak = (float(declared.max()), DECLARED_SPREAD)
    return EventCurve(event, declared, spread, peak, 0, DECLARED_EXAMPLES)


def _declared(event: Event) -> FloatArray:
    declared: FloatArray = np.log(event.declared_factors(course_knots(event.duration)))
    return declared


def _seen_by(now: datetime, example: UpliftExample) -> FloatArray:
    """Its log ratio up to an instant, (KNOTS,); it is settled before its last places are seen."""
    at = course_knots(example.duration) + example.start.timestamp()
    seen: FloatArray = np.where(at <= now.timestamp(), example.log_ratio, np.nan)
    return seen


def _clock(instant: datetime, timezone: str) -> tuple[float, bool]:
    """Hours since local midnight, and whether it is Saturday or Sunday."""
    local = instant.astimezone(UTC if timezone == "UTC" else ZoneInfo(timezone))
    return local.hour + local.minute / 60, local.weekday() >= 5


@lru_cache(maxsize=1024)
def _fade(duration: timedelta) -> FloatArray:
    """1 from half an hour before to half an hour after, falling to 0 at the ends of the course."""
    knots = course_knots(duration)
    end, edge = duration.total_seconds(), INSIDE.total_seconds()
    fade: FloatArray = np.interp(
        knots, [knots[0], -edge, end + edge, knots[-1]], [0.0, 1.0, 1.0, 0.0]
    )
    fade.setflags(write=False)
    return fade
