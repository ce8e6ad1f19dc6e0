"""Events in the serving process: the desk, the calendars, and what planning is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from forecaster.events import Calendar
from forecaster.settings import EventSettings, Fleet
from forecaster.store import CalendarShelf, EventShelf
from forecaster.worker.event_book import EventBook, KnownEvent
from forecaster.worker.event_desk import EventDesk
from forecaster.worker.event_sources import EventSources, SourceHealth
from forecaster.worker.event_window import EventWindow, window_at

__all__ = ["EventCounts", "Programme"]

_MOST_TOLD = 3  # the log and GET /v1/events know the others
_NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True)
class EventCounts:
    """How many events are known, by source; how many are on; how the calendars are."""

    known: Mapping[str, int]
    on: int
    sources: tuple[SourceHealth, ...]


class Programme:
    """The events of a fleet, kept in the store at ``path``.

    ``desk`` is what REST asks. The conductor calls ``look`` once a round; calendars are fetched by
    a thread of their own between ``start`` and ``stop``.
    """

    def __init__(
        self, settings: EventSettings, fleet: Fleet, path: Path, clock: Callable[[], datetime]
    ) -> None:
        self._history = fleet.history
        self._labels = _labels_of(fleet)
        self.desk = EventDesk(path, settings.calendar)
        self._window = EventWindow(self.desk, CalendarShelf(path), settings.overlap, fleet.history)
        self._sources = EventSources(
            settings.sources, EventShelf(path), self.desk, self.window, clock
        )
        self._counted: tuple[EventBook, Counter[str]] | None = None
        self._over: tuple[Calendar, dict[str, datetime]] | None = None

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads, or other labels of them: what events select them by."""
        self._labels = _labels_of(fleet)

    @property
    def calendar(self) -> Calendar:
        """What planning is given: every event of the window, resolved."""
        return self._window.calendar

    @property
    def settled(self) -> bool:
        """Whether each calendar was looked for once, well or not, or took too long."""
        return self._sources.settled

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """Within which instants events are resolved at ``now``."""
        return window_at(now, self._history)

    def load(self, now: datetime) -> None:
        """Take what the store knows, and what stands in files. Raises StoreError."""
        self.desk.load(*self.window(now))
        self._window.resume()
        self._sources.load(now)
        self.look(now)

    def start(self) -> None:
        """Begin to fetch calendars."""
        self._sources.start()

    def stop(self) -> None:
        """Stop that, without waiting for an answer that is under way."""
        self._sources.stop()

    def look(self, now: datetime) -> bool:
        """Take what has changed; whether ``calendar`` is another one now."""
        return self._sources.restored and self._window.look(now)

    def labels(self, workload: str) -> Mapping[str, str]:
        """The labels of ``namespace/name``; none where it is not configured."""
        return self._labels.get(workload, _NO_LABELS)

    def seen(self, kind: str, now: datetime) -> bool:
        """Whether an event of this kind was over by ``now``, as of the last look."""
        calendar, known = self.calendar, self._over
        if known is None or known[0] is not calendar:
            first: dict[str, datetime] = {}
            for one in calendar.events:
                first[one.kind] = min(first.get(one.kind, one.planned_end), one.planned_end)
            known = self._over = calendar, first
        return kind in known[1] and known[1][kind] <= now

    def concerning(self, workload: str, since: datetime, until: datetime) -> list[KnownEvent]:
        """The events that select ``namespace/name`` and may go on within [since, until)."""
        namespace, _, name = workload.partition("/")
        return self.desk.book().concerning(namespace, name, self.labels(workload), since, until)

    def notices(self) -> tuple[str, ...]:
        """What a person should know: of calendars, of what cannot be stored or used."""
        told = list(self._sources.notices())
        if self._window.trouble is not None:
            told.append(
                "the calendar cannot be stored, trainings go by an older one: "
                f"{self._window.trouble}"
            )
        told += _first(self.desk.unreadable, "stored events cannot be used")
        misfits = self.desk.book().misfits
        told += _first(misfits, "what was laid over events does not fit their calendar any more")
        return tuple(told)

    def counts(self, now: datetime) -> EventCounts:
        """For /metrics."""
        book = self.desk.book()
        if self._counted is None or self._counted[0] is not book:
            self._counted = book, Counter(one.source for one in book)
        instant = timedelta(microseconds=1)
        on = sum(
            not one.event.cancelled and one.event.start <= now < one.event.latest_end
            for one in book.near(now, now + instant)
        )
        return EventCounts(self._counted[1], on, self._sources.health())


def _labels_of(fleet: Fleet) -> dict[str, Mapping[str, str]]:
    return {one.workload: one.labels for one in fleet.workloads}


def _first(problems: Sequence[str], what: str) -> list[str]:
    if not problems:
        return []
    more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
    return [f"{what}: {'; '.join(problems[:_MOST_TOLD])}{more}"]
