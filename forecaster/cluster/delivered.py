"""Delivered, not only asked: how many replicas were ready when they were due, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from forecaster.cluster.due import DueTargets
from forecaster.cluster.minutes import MinuteRing
from forecaster.cluster.standing import Reason, Shortfall, Standing, shortfall

__all__ = ["DeliveredMinutes", "Delivery", "DeliveryBook", "DeliveryRow"]

DeliveryRow = tuple[str, int, bytes]
"""workload, its last minute since 1970, a byte for each minute of its last day."""

_ON_TIME = 1
_REASONS = tuple(Reason)
_KINDS = 2 + len(_REASONS)
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class DeliveredMinutes:
    """Minutes in which a target was due: ``counts`` of those met on time, then by reason."""

    counts: tuple[int, ...]

    @property
    def on_time(self) -> int:
        """Minutes in which all that were due were ready."""
        return self.counts[0]

    @property
    def missed(self) -> Mapping[Reason, int]:
        """Minutes in which some were not, by reason; all reasons, for metrics."""
        return dict(zip(_REASONS, self.counts[1:], strict=True))

    @property
    def judged(self) -> int:
        """All minutes in which something was due."""
        return sum(self.counts)

    @property
    def share(self) -> float | None:
        """The share of targets met on time, None where nothing was due."""
        return self.on_time / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One workload at ``at`` (Unix seconds): what is asked for, due and there.

    ``target`` is in force, 0 where no floor is; ``due`` should be ready by now, None until targets
    have been noted for a lead time. ``short`` is why not all that are due are ready, or None.
    ``last_day`` and ``total`` count the minutes that are over; the total since the service began.
    """

    workload: str
    at: float
    target: int
    due: int | None
    ready: int
    short: Shortfall | None
    last_day: DeliveredMinutes
    total: DeliveredMinutes


class _Course:
    """What is kept of one workload."""

    __slots__ = ("due", "latest", "minutes")

    def __init__(self, minutes: MinuteRing) -> None:
        self.due = DueTargets()
        self.minutes = minutes
        self.latest: Delivery | None = None


class DeliveryBook:
    """Targets and replicas of all workloads, minute by minute: less than 4 KB a workload.

    A minute is missed where fewer replicas were ready than were due at any instant noted in it;
    see :class:`~forecaster.cluster.due.DueTargets` for what is due. The minutes between two notes
    are as the later one says, up to ``longest_gap_seconds``. After a longer gap nothing is due
    until targets have been noted for a lead time again: nobody knows what was in force meanwhile.
    Where nothing is due, or no floor is, nothing is judged.
    """

    def __init__(self, longest_gap_seconds: float = 600.0) -> None:
        self._longest_gap = longest_gap_seconds
        self._courses: dict[str, _Course] = {}

    def note(
        self,
        workload: str,
        now: float,
        target: int | None,
        lead_time: timedelta,
        standing: Standing,
    ) -> Delivery:
        """What stands at ``now`` (Unix seconds): once a step, and whenever the target changes.

        ``target`` is what KEDA is given; None where no target can be given, which counts as 0. What
        comes from before the last note changes nothing.
        """
        course = self._courses.get(workload)
        if course is None:
            course = self._courses[workload] = _Course(MinuteRing(_KINDS))
        latest = course.latest
        if latest is not None and now < latest.at:
            return latest
        together = latest is not None and now - latest.at <= self._longest_gap
        if not together:
            course.due = DueTargets()
        asked = target or 0
        due = course.due.note(now, asked, lead_time.total_seconds())
        short = None if not due else shortfall(due, standing)
        since = int(latest.at // _SECONDS) if latest is not None and together else None
        course.minutes.say(int(now // _SECONDS), _kind(due, short), since)
        course.latest = Delivery(
            workload,
            now,
            asked,
            due,
            standing.ready,
            short,
            DeliveredMinutes(course.minutes.last_day()),
            DeliveredMinutes(course.minutes.total()),
        )
        return course.latest

    def get(self, workload: str) -> Delivery | None:
        """What was noted last of a workload."""
        course = self._courses.get(workload)
        return None if course is None else course.latest

    def __iter__(self) -> Iterator[Delivery]:
        return (one.latest for one in self._courses.values() if one.latest is not None)

    def retain(self, workloads: Iterable[str]) -> None:
        """Forget all others."""
        kept = set(workloads)
        self._courses = {name: one for name, one in self._courses.items() if name in kept}

    def to_rows(self) -> list[DeliveryRow]:
        """The last day of each workload, for a store; totals begin anew with the service."""
        rows = ((name, one.minutes.to_row()) for name, one in self._courses.items())
        return [(name, *row) for name, row in rows if row is not None]

    @classmethod
    def from_rows(
        cls, rows: Iterable[DeliveryRow], longest_gap_seconds: float = 600.0
    ) -> DeliveryBook:
        """A book that knows the last day, as :meth:`to_rows` gave it."""
        made = cls(longest_gap_seconds)
        for workload, minute, ring in rows:
            made._courses[workload] = _Course(MinuteRing.from_row(_KINDS, minute, ring))
        return made


def _kind(due: int | None, short: Shortfall | None) -> int:
    if not due:
        return 0
    return _ON_TIME if short is None else _ON_TIME + 1 + _REASONS.index(short.reason)
