"""Everything that is known ahead, asked by time and by workload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from forecaster.events.event import Event
from forecaster.events.recurring import Recurring
from forecaster.events.selector import Selector
from forecaster.traffic.history import FloatArray

_IntArray = npt.NDArray[np.intp]

__all__ = ["EMPTY_CALENDAR", "Calendar", "Overlap"]


class Overlap(StrEnum):
    """What two events of different audiences bring together.

    ``add``: their excesses add up, 1.5 and 1.2 make 1.7; ``multiply``: 1.8; ``largest``: 1.5.
    """

    ADD = "add"
    MULTIPLY = "multiply"
    LARGEST = "largest"


@dataclass(frozen=True, eq=False)
class Calendar:
    """Events and the rules that make more of them; ``overlap`` is for different audiences.

    It is never changed, it is replaced.
    """

    events: tuple[Event, ...] = ()
    recurring: tuple[Recurring, ...] = field(default=())
    overlap: Overlap = Overlap.ADD

    def __bool__(self) -> bool:
        return bool(self.events or self.recurring)

    def between(self, since: datetime, until: datetime) -> tuple[Event, ...]:
        """The events that may go on within [since, until), by start; cancelled ones are not there.

        An event counts from its earliest start to its latest end.
        """
        starts, ends = self._bounds
        hits = np.flatnonzero((starts < until.timestamp()) & (ends > since.timestamp()))
        found = [self.events[i] for i in hits]
        for rule in self.recurring:
            found += rule.between(since, until)
        going_on = [one for one in found if not one.cancelled]
        return tuple(sorted(going_on, key=lambda one: (one.start, one.kind, one.event_id)))

    def selecting(
        self, namespace: str, name: str, labels: Mapping[str, str] | None = None
    ) -> Calendar:
        """The events that concern one workload; rules are asked for theirs when it is asked."""
        rules = tuple(_Selected(rule, namespace, name, labels or {}) for rule in self.recurring)
        hits = [
            places
            for selector, places in self._by_selector.items()
            if selector.matches(namespace, name, labels)
        ]
        at = np.sort(np.concatenate([np.empty(0, dtype=np.intp), *hits]))
        everything = len(at) == len(self.events)
        events = self.events if everything else tuple(self.events[i] for i in at)
        found = replace(self, events=events, recurring=rules)
        starts, ends = self._bounds
        found.__dict__["_bounds"] = (starts[at], ends[at])  # known here: a thousand ask for it
        return found

    def joined(self, others: Iterable[Calendar]) -> Calendar:
        """This calendar with the events and rules of others; its own overlap counts."""
        events, recurring = list(self.events), list(self.recurring)
        for one in others:
            events += one.events
            recurring += one.recurring
        return replace(self, events=tuple(events), recurring=tuple(recurring))

    def within(self, since: datetime, until: datetime) -> Calendar:
        """Only what may go on within [since, until), rules made into events."""
        return Calendar(self.between(since, until), (), self.overlap)

    @cached_property
    def _by_selector(self) -> dict[Selector, _IntArray]:
        """Where the events of each selector stand."""
        places: dict[Selector, list[int]] = {}
        for i, one in enumerate(self.events):
            places.setdefault(one.selector, []).append(i)
        return {selector: np.array(found, dtype=np.intp) for selector, found in places.items()}

    @cached_property
    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        starts = [one.earliest_start.timestamp() for one in self.events]
        ends = [one.latest_end.timestamp() for one in self.events]
        return np.array(starts, dtype=np.float64), np.array(ends, dtype=np.float64)


@dataclass(frozen=True)
class _Selected:
    """A rule, for one workload."""

    rule: Recurring
    namespace: str
    name: str
    labels: Mapping[str, str]

    def between(self, since: datetime, until: datetime) -> tuple[Event, ...]:
        found = self.rule.between(since, until)
        return tuple(
            one for one in found if one.selector.matches(self.namespace, self.name, self.labels)
        )


EMPTY_CALENDAR = Calendar()
