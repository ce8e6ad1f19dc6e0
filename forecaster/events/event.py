"""One event: something known ahead that moves traffic."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.durations import format_duration
from forecaster.events.importance import MOST_IMPORTANCE, NORMAL_IMPORTANCE
from forecaster.events.selector import EVERY_WORKLOAD, Selector
from forecaster.traffic.history import FloatArray

__all__ = ["DEFAULT_CEILING", "LONGEST_EVENT", "MOST_UPLIFT", "Event", "Shape"]

DEFAULT_CEILING = timedelta(hours=6)
LONGEST_EVENT = timedelta(days=31)
MOST_UPLIFT = 1000.0
_MOST_UNCERTAINTY = timedelta(hours=12)


@dataclass(frozen=True)
class Shape:
    """A declared course: factors at times from the start, straight lines between, 1 outside.

    ``points`` are (time from the start, factor); times rise, factors lie above 0.
    """

    points: tuple[tuple[timedelta, float], ...]

    def __post_init__(self) -> None:
        times = [at for at, _ in self.points]
        if len(times) < 2 or any(b <= a for a, b in itertools.pairwise(times)):
            raise ValueError(
                "shape: two points or more whose times rise are needed, "
                'for example {"0m": 1, "2m": 5, "90m": 5, "95m": 1}'
            )
        for _, factor in self.points:
            if not 0 < factor <= MOST_UPLIFT:
                raise ValueError(
                    f"shape: a factor lies above 0 and is at most {MOST_UPLIFT:g}, not {factor:g}"
                )

    def factors(self, seconds: FloatArray) -> FloatArray:
        """The factor so many seconds after the start; any shape in, the same out."""
        at = np.array([point.total_seconds() for point, _ in self.points])
        factor = np.array([value for _, value in self.points])
        found: FloatArray = np.interp(seconds, at, factor, left=1.0, right=1.0)
        return found

    @property
    def highest(self) -> float:
        """The highest factor."""
        return max(factor for _, factor in self.points)


@dataclass(frozen=True)
class Event:
    """Something known ahead.

    ``end`` None: open-ended, it lasts ``ceiling`` at the longest. ``kind`` is what is learned by
    ("football"). ``uplift`` (a factor on traffic, 1.7) or ``shape`` is what a person declares,
    ``floor_replicas`` and ``floor_rps`` (traffic) hold from the lead time before the start to the
    end, whatever is forecast.
    Uplifts of events with the same ``audience`` do not add up (default: the kind). The start may
    be off by ``start_uncertainty`` either way, and the end with it. ``hold`` keeps the event going
    beyond its end until traffic has really fallen, ``ceiling`` after the start at the latest. Times
    are kept in UTC.

    ValueError begins with the name of a bad field.
    """

    start: datetime
    end: datetime | None
    kind: str
    importance: float = NORMAL_IMPORTANCE
    name: str = ""
    event_id: str = ""
    selector: Selector = EVERY_WORKLOAD
    uplift: float | None = None
    floor_replicas: int | None = None
    floor_rps: float | None = None
    shape: Shape | None = None
    audience: str = ""
    start_uncertainty: timedelta = timedelta(0)
    ceiling: timedelta = DEFAULT_CEILING
    hold: bool = False
    cancelled: bool = False

    def __post_init__(self) -> None:
        for field, value in (("start", self.start), ("end", self.end)):
            if value is not None and value.tzinfo is None:
                raise ValueError(
                    f"{field}: {value} has no time zone; write 2026-06-11T19:00:00Z or give a zone"
                )
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        if self.end is not None:
            object.__setattr__(self, "end", self.end.astimezone(UTC))
            if self.end <= self.start:
                raise ValueError(
                    f"end: {self.end:%Y-%m-%d %H:%M} UTC is not after the start, "
                    f"{self.start:%Y-%m-%d %H:%M} UTC"
                )
        if not self.kind.strip():
            raise ValueError("kind: a word is needed, for example football")
        if not 0 <= self.importance <= MOST_IMPORTANCE:
            raise ValueError(
                f"importance: a number from 0 to {MOST_IMPORTANCE:g}, not {self.importance}"
            )
        self._check_declared()
        if not timedelta(0) <= self.start_uncertainty <= _MOST_UNCERTAINTY:
            raise ValueError(
                f"start_uncertainty: 0s to {format_duration(_MOST_UNCERTAINTY)}, "
                f"not {self.start_uncertainty}"
            )
        if not timedelta(0) < self.ceiling <= LONGEST_EVENT:
            raise ValueError(
                f"ceiling: above 0s and at most {format_duration(LONGEST_EVENT)}, "
                f"not {self.ceiling}"
            )
        if self.planned_end - self.start > LONGEST_EVENT:
            raise ValueError(
                f"end: an event lasts {format_duration(LONGEST_EVENT)} at the longest, "
                f"not {format_duration(self.planned_end - self.start)}"
            )

    def _check_declared(self) -> None:
        if self.uplift is not None and self.shape is not None:
            raise ValueError("shape: give either a shape or an uplift, not both")
        if self.uplift is not None and not 0 < self.uplift <= MOST_UPLIFT:
            raise ValueError(
                f"uplift: a factor above 0 and at most {MOST_UPLIFT:g}, for example 1.7, "
                f"not {self.uplift:g}"
            )
        if self.floor_replicas is not None and not 0 <= self.floor_replicas <= 1_000_000:
            raise ValueError(f"floor_replicas: 0 to 1,000,000, not {self.floor_replicas}")
        if self.floor_rps is not None and not (
            math.isfinite(self.floor_rps) and self.floor_rps >= 0
        ):
            raise ValueError(f"floor_rps: traffic per second, 0 or more, not {self.floor_rps}")

    @property
    def planned_end(self) -> datetime:
        """The end, or the ceiling of an open-ended event."""
        return self.end if self.end is not None else self.start + self.ceiling

    @property
    def late_end(self) -> datetime:
        """The planned end where it starts as late as it may: what begins late ends late."""
        return self.planned_end + self.start_uncertainty

    @property
    def latest_end(self) -> datetime:
        """When it is over at the latest, held or not; it may have started late."""
        if not self.hold:
            return self.late_end
        return max(self.planned_end, self.start + self.ceiling) + self.start_uncertainty

    @property
    def earliest_start(self) -> datetime:
        """The start, less its uncertainty."""
        return self.start - self.start_uncertainty

    @property
    def duration(self) -> timedelta:
        """From the start to the planned end."""
        return self.planned_end - self.start

    @property
    def group(self) -> str:
        """Events of one group share an audience: of their uplifts the larger wins."""
        return self.audience or self.kind

    @property
    def declares_uplift(self) -> bool:
        """Whether a person said how much traffic it brings."""
        return self.uplift is not None or self.shape is not None

    def declared_factors(self, seconds: FloatArray) -> FloatArray:
        """What was declared, so many seconds after the start; 1 where nothing was, or outside."""
        if self.shape is not None:
            return self.shape.factors(seconds)
        if self.uplift is None:
            return np.ones_like(seconds)
        inside = (seconds >= 0) & (seconds < self.duration.total_seconds())
        return np.where(inside, self.uplift, 1.0)

    def label(self) -> str:
        """As it is said in a reason: ``football "Brazil v Scotland"``."""
        return f'{self.kind} "{self.name}"' if self.name else self.kind
