"""What events did to traffic, learned from past ones: a curve around the start, with a spread.

An example is one past event: the log of traffic over the event-free day-ahead path, along its
course. What an event will do is the mean of the examples that are like it: of its kind, at a like
time of day, on a like day, of like importance, not long ago. Few examples are drawn towards what a
person declared; where nobody did, towards what other kinds did; where there are none, towards
nothing. The spread is that of the errors that each example would have had from the others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.events.course import KNOTS, course_knots
from forecaster.events.event import Event
from forecaster.events.event_curve import EventCurve, UpliftExample
from forecaster.events.jump import JumpExamples
from forecaster.events.like_examples import LikeExamples

__all__ = ["EventCurve", "UpliftExample", "UpliftModel"]


@dataclass(frozen=True, eq=False)
class UpliftModel:
    """All examples of one workload, oldest first; ``timezone`` is where its audience lives.

    ``ordinary`` are the kinds that were on most of the time: what they bring is in the ordinary
    traffic, and nothing is added for them.
    """

    examples: tuple[UpliftExample, ...] = ()
    timezone: str = "UTC"
    ordinary: frozenset[str] = frozenset()
    _settled: dict[datetime, LikeExamples] = field(default_factory=dict, repr=False)
    _jumps: dict[datetime, JumpExamples] = field(default_factory=dict, repr=False)

    def knows(self, kind: str) -> bool:
        """Whether there is an example of this kind."""
        return kind in self._kinds

    def moves(self, event: Event) -> bool:
        """Whether anything is known of what ``event`` adds: declared, or by an example."""
        known = event.declares_uplift or self.knows(event.kind)
        return known and event.kind not in self.ordinary

    def curve(self, event: Event, now: datetime) -> EventCurve:
        """What ``event`` will do, from the examples that were settled at ``now``."""
        (found,) = self.curves((event,), now)
        return found

    def curves(self, events: Sequence[Event], now: datetime) -> tuple[EventCurve, ...]:
        """:meth:`curve` of each event, together in a fraction of the time."""
        if now not in self._settled:
            self._settled.clear()
            self._settled[now] = LikeExamples.of(self.examples, now, self.timezone)
        return self._settled[now].curves(events)

    def jumps(self, now: datetime) -> JumpExamples:
        """How high traffic jumped at the examples that were settled at ``now``."""
        if now not in self._jumps:
            self._jumps.clear()
            self._jumps[now] = JumpExamples.of(self.examples, now)
        return self._jumps[now]

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(one.kind for one in self.examples)

    def held_out_error(self, kind: str, importance: float) -> tuple[UpliftExample, float] | None:
        """The last example of a kind and importance, and how far off the ones before it were.

        That is the mean size of the log error while it went on, told by all of the kind that were
        settled when it began; None where there were none.
        """
        own = [one for one in self.examples if one.kind == kind]
        last = next((one for one in reversed(own) if one.importance == importance), None)
        if last is None or not any(one.settled_at <= last.start for one in own):
            return None
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
        whole = {
            "timezone": self.timezone,
            "ordinary": sorted(self.ordinary),
            "examples": rows,
        }
        return json.dumps(whole, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> UpliftModel:
        """The model; ValueError for anything else."""
        try:
            whole = json.loads(data)
            zone = ZoneInfo(whole["timezone"]).key
            ordinary = frozenset(str(one) for one in whole["ordinary"])
            return cls(tuple(_example_of(row) for row in whole["examples"]), zone, ordinary)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"this is no uplift model: {error}") from error


def _example_of(row: Any) -> UpliftExample:
    start, importance = datetime.fromisoformat(row["start"]), float(row["importance"])
    ratio = np.array([math.nan if v is None else v for v in row["log_ratio"]], dtype=np.float64)
    if start.tzinfo is None or not math.isfinite(importance):
        raise ValueError(f"an example at {start} of importance {importance}")
    if ratio.shape != (KNOTS,) or np.isinf(ratio).any():
        raise ValueError(f"{KNOTS} finite places are needed at {start}")
    seconds = timedelta(seconds=row["seconds"])
    if seconds <= timedelta(0):
        raise ValueError(f"the example at {start} lasts {seconds}")
    return UpliftExample(start, seconds, str(row["kind"]), importance, str(row["name"]), ratio)
