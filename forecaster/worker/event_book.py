"""Every event that is known, by id and by time: what REST lists and what planning is given."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property

from forecaster.errors import UnknownEvent
from forecaster.events import Event, Selector
from forecaster.events.event import LONGEST_EVENT
from forecaster.store import encoded_event

__all__ = ["REST", "EventBook", "EventQuery", "KnownEvent", "Place"]

REST = "rest"
"""The source of events that were made by REST."""

_MOST_UNCERTAINTY = timedelta(hours=12)  # an event begins so much before its start at the most
_BEGINNING = datetime.min.replace(tzinfo=UTC)

Place = tuple[datetime, str]
"""Where an event stands in a list: by its start, then by its id."""


@dataclass(frozen=True, eq=False)
class KnownEvent:
    """An event as it counts, and where it comes from.

    ``source`` is ``rest`` or the name of a calendar; ``overridden``: something was laid over what
    the calendar says; ``problem`` says why that could not be.
    """

    event: Event
    source: str
    overridden: bool = False
    problem: str | None = None

    @property
    def place(self) -> Place:
        """Where it stands in a list."""
        return self.event.start, self.event.event_id

    @cached_property
    def encoded(self) -> str:
        """The event as JSON text, made once."""
        return encoded_event(self.event)

    @cached_property
    def edition(self) -> str:
        """Another one whenever the event is another one, for ``ETag``."""
        said = f"{self.source} {self.overridden} {self.encoded}"
        return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class EventQuery:
    """Which events are asked for; what is None does not matter.

    An event counts from its earliest start to its latest end, and lies within where a part of that
    lies in [``since``, ``until``). ``namespace`` alone asks for events that may concern something
    in it, with ``name`` for those of that workload, whose labels are ``labels``.
    """

    since: datetime | None = None
    until: datetime | None = None
    namespace: str | None = None
    name: str | None = None
    labels: Mapping[str, str] | None = None
    kind: str | None = None
    source: str | None = None

    def takes(self, known: KnownEvent) -> bool:
        """Whether it asks for this event."""
        event = known.event
        return (
            (self.kind is None or event.kind == self.kind)
            and (self.source is None or known.source == self.source)
            and (self.since is None or event.latest_end > self.since)
            and (self.until is None or event.earliest_start < self.until)
            and self._selected(event.selector)
        )

    def _selected(self, selector: Selector) -> bool:
        if self.namespace is None or selector.everything:
            return True
        if self.name is not None:
            return selector.matches(self.namespace, self.name, self.labels)
        spaces = selector.namespaces or ("*",)
        names = selector.workloads or ("*",)
        return any(fnmatchcase(self.namespace, one) for one in spaces) and any(
            "/" not in one or fnmatchcase(self.namespace, one.partition("/")[0]) for one in names
        )


class EventBook:
    """Events in the order of their starts; never changed, but replaced.

    No event lasts longer than ``LONGEST_EVENT``, so a question with a time looks at those alone
    that start near it.
    """

    def __init__(self, known: Iterable[KnownEvent] = ()) -> None:
        self._known = sorted(known, key=lambda one: one.place)
        self._places = [one.place for one in self._known]
        self._by_id = {one.event.event_id: one for one in self._known}
        self.misfits = tuple(
            f"{one.event.event_id}: {one.problem}" for one in self._known if one.problem
        )
        """Over which events something is laid that does not fit any more, and why."""

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[KnownEvent]:
        return iter(self._known)

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._by_id

    def get(self, event_id: str) -> KnownEvent:
        """The event of this id; UnknownEvent where there is none."""
        try:
            return self._by_id[event_id]
        except KeyError:
            raise UnknownEvent(
                f"there is no event {event_id!r}; GET /v1/events lists them"
            ) from None

    def near(
        self, since: datetime | None, until: datetime | None, after: Place | None = None
    ) -> Iterator[KnownEvent]:
        """The events that may lie within [since, until), in order, behind ``after``."""
        first, last = 0, len(self._known)
        if since is not None:
            reach = since - LONGEST_EVENT if since - _BEGINNING > LONGEST_EVENT else _BEGINNING
            first = bisect_left(self._places, (reach, ""))
        if after is not None:
            first = max(first, bisect_right(self._places, after))
        if until is not None and until < until.max.replace(tzinfo=UTC) - _MOST_UNCERTAINTY:
            last = bisect_left(self._places, (until + _MOST_UNCERTAINTY, ""))
        for place in range(first, last):
            yield self._known[place]

    def concerning(
        self,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        since: datetime,
        until: datetime,
    ) -> list[KnownEvent]:
        """The events that select a workload and may go on within [since, until), by start.

        Cancelled ones are not among them.
        """
        query = EventQuery(since, until, namespace, name, labels)
        return [
            one for one in self.near(since, until) if not one.event.cancelled and query.takes(one)
        ]
