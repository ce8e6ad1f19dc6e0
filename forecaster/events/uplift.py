"""What events did to traffic, learned from past ones: a curve around the start, with a spread.

An example is one past event: the log of traffic over the event-free day-ahead path, along its
course. What an event will do is the mean of the examples that are like it: of its kind, at a like
time of day, on a like day, of like importance, not long ago. Few examples are drawn towards what a
person declared; where nobody did, towards what other kinds did; where there are none, towards
nothing. The spread is that of the errors that each example would have had from the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.events.course import KNOTS, course_knots
from forecaster.events.event import Event
from forecaster.events.event_curve import INSIDE, EventCurve, UpliftExample
from forecaster.traffic.history import FloatArray

__all__ = ["EventCurve", "UpliftExample", "UpliftModel"]

_HALF_LIFE_DAYS = 15.0
_CLOCK_HOURS = 1.5
_OTHER_CLOCK = 0.05
_OTHER_DAY_CLASS = 0.1
_IMPORTANCE = 2.0
_OTHER_IMPORTANCE = 0.05
_OTHER_KIND = 0.1
_PRIOR_EXAMPLES = 0.3  # so much does the prior weigh where nobody declared anything
_DECLARED_EXAMPLES = 2.0
_ASSUMED_SPREAD = 0.35
_SPREAD_EXAMPLES = 1.0
_MOST_EXAMPLES = 400


@dataclass(frozen=True, eq=False)
class UpliftModel:
    """All examples of one workload, oldest first; ``timezone`` is where its audience lives."""

    examples: tuple[UpliftExample, ...] = ()
    timezone: str = "UTC"
    _cache: dict[datetime, _Examples] = field(default_factory=dict, repr=False)

    def knows(self, kind: str) -> bool:
        """Whether there is an example of this kind."""
        return any(one.kind == kind for one in self.examples)

    def curve(self, event: Event, now: datetime) -> EventCurve:
        """What ``event`` will do, from the examples that were settled at ``now``."""
        if now not in self._cache:
            self._cache.clear()
            self._cache[now] = _Examples.of(self.examples, now, self.timezone)
        return self._cache[now].curve(event, now, self.timezone)

    def held_out_error(self, kind: str) -> tuple[UpliftExample, float] | None:
        """The last example of a kind, and the mean size of the log error that the ones before it
        would have had on it while it went on; None with fewer than two."""
        own = [one for one in self.examples if one.kind == kind]
        if len(own) < 2:
            return None
        last = own[-1]
        event = Event(last.start, last.start + last.duration, kind, last.importance, last.name)
        told = self.curve(event, last.start)
        inside = (course_knots(last.duration) >= 0) & (
            course_knots(last.duration) <= last.duration.total_seconds()
        )
        error = np.abs(last.log_ratio - told.log_uplift)[inside]
        seen = error[~np.isnan(error)]
        return (last, float(seen.mean())) if len(seen) else None

    def to_bytes(self) -> bytes:
        """As :meth:`from_bytes` reads it."""
        rows = [
            {
                "start": one.start.isoformat(),
                "seconds": one.duration.total_seconds(),
                "kind": one.kind,
                "importance": one.importance,
                "name": one.name,
                "log_ratio": [None if np.isnan(v) else round(float(v), 4) for v in one.log_ratio],
            }
            for one in self.examples
        ]
        return json.dumps({"timezone": self.timezone, "examples": rows}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> UpliftModel:
        """The model; ValueError for anything else."""
        try:
            whole = json.loads(data)
            examples = tuple(
                UpliftExample(
                    datetime.fromisoformat(row["start"]),
                    timedelta(seconds=row["seconds"]),
                    str(row["kind"]),
                    float(row["importance"]),
                    str(row["name"]),
                    np.array([np.nan if v is None else v for v in row["log_ratio"]], dtype=float),
                )
                for row in whole["examples"]
            )
            return cls(examples, str(whole["timezone"]))
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"this is no uplift model: {error}") from error


@dataclass(frozen=True, eq=False)
class _Examples:
    """The examples as arrays, (n,) and (n, KNOTS)."""

    ratio: FloatArray
    kind: np.ndarray
    importance: FloatArray
    clock: FloatArray
    weekend: np.ndarray
    seconds: FloatArray

    @classmethod
    def of(cls, examples: Sequence[UpliftExample], now: datetime, timezone: str) -> _Examples:
        settled = [one for one in examples if one.settled_at <= now][-_MOST_EXAMPLES:]
        local = [_clock(one.start, timezone) for one in settled]
        return cls(
            np.array([one.log_ratio for one in settled]).reshape(len(settled), KNOTS),
            np.array([one.kind for one in settled]),
            np.array([one.importance for one in settled]),
            np.array([hours for hours, _ in local]),
            np.array([weekend for _, weekend in local], dtype=bool),
            np.array([one.start.timestamp() for one in settled]),
        )

    def curve(self, event: Event, now: datetime, timezone: str) -> EventCurve:
        declared = np.log(event.declared_factors(course_knots(event.duration)))
        weight = self._likeness(event, now, timezone)
        own = self.kind == event.kind
        count = int((own & (weight > 0)).sum())
        if not count:
            spread = np.full(KNOTS, _ASSUMED_SPREAD if event.declares_uplift else 0.0)
            spread[declared == 0] = 0.0
            return EventCurve(
                event, declared, spread, (float(declared.max()), _ASSUMED_SPREAD), 0, 0.0
            )
        known = ~np.isnan(self.ratio)
        filled = np.where(known, self.ratio, 0.0)
        if event.declares_uplift:
            prior, strength = declared, _DECLARED_EXAMPLES
        else:
            others = np.where(own, 0.0, weight)[:, None] * known
            prior = (others * filled).sum(axis=0) / (others.sum(axis=0) + 1.0)
            strength = _PRIOR_EXAMPLES
        weighed = np.where(own, weight, 0.0)[:, None] * known
        total = weighed.sum(axis=0)
        middle = ((weighed * filled).sum(axis=0) + strength * prior) / (total + strength)
        effective = float(weight[own].sum())
        spread = self._spread(weighed, filled, total, middle)
        spread *= _fade(event)
        highest = np.where(known, self.ratio, -np.inf).max(axis=1)
        use = own & (weight > 0) & np.isfinite(highest)
        shares = weight[use]
        mean = float((shares * highest[use]).sum() / max(shares.sum(), 1e-12))
        deviation = np.sqrt(
            ((shares * (highest[use] - mean) ** 2).sum() + _ASSUMED_SPREAD**2 * _SPREAD_EXAMPLES)
            / (shares.sum() + _SPREAD_EXAMPLES)
        )
        return EventCurve(event, middle, spread, (mean, float(deviation)), count, effective)

    def _likeness(self, event: Event, now: datetime, timezone: str) -> FloatArray:
        hours, weekend = _clock(event.start, timezone)
        apart = np.abs(self.clock - hours)
        apart = np.minimum(apart, 24 - apart)
        like = np.exp(-((apart / _CLOCK_HOURS) ** 2)) + _OTHER_CLOCK
        like = like * np.where(self.weekend == weekend, 1.0, _OTHER_DAY_CLASS)
        distance = (self.importance - event.importance) / _IMPORTANCE
        like = like * (np.exp(-(distance**2)) + _OTHER_IMPORTANCE)
        like = like * np.where(self.kind == event.kind, 1.0, _OTHER_KIND)
        age_days = (now.timestamp() - self.seconds) / 86_400
        weight: FloatArray = like * 0.5 ** (age_days / _HALF_LIFE_DAYS)
        return weight

    @staticmethod
    def _spread(
        weighed: FloatArray, filled: FloatArray, total: FloatArray, middle: FloatArray
    ) -> FloatArray:
        """The size of errors at each place, each example against the mean of the others."""
        error = filled - middle
        # What leaves an example out of a weighted mean makes its error so much larger.
        rest = np.maximum(total - weighed, 1e-12)
        error = error * np.where(rest > 0.1 * total, np.minimum(total / rest, 3.0), 1.0)
        square = (weighed * error**2).sum(axis=0) + _ASSUMED_SPREAD**2 * _SPREAD_EXAMPLES
        spread: FloatArray = np.sqrt(square / (total + _SPREAD_EXAMPLES))
        return spread


def _clock(instant: datetime, timezone: str) -> tuple[float, bool]:
    """Hours since local midnight, and whether it is Saturday or Sunday."""
    local = instant.astimezone(UTC if timezone == "UTC" else ZoneInfo(timezone))
    return local.hour + local.minute / 60, local.weekday() >= 5


def _fade(event: Event) -> FloatArray:
    """1 from half an hour before to half an hour after, falling to 0 at the ends of the course."""
    knots = course_knots(event.duration)
    end = event.duration.total_seconds()
    edge = INSIDE.total_seconds()
    fade: FloatArray = np.interp(
        knots, [knots[0], -edge, end + edge, knots[-1]], [0.0, 1.0, 1.0, 0.0]
    )
    return fade
