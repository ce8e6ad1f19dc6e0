"""All calendars of the settings: a thread for each, so that one that hangs holds up none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forecaster.programme.problems import EntryProblem
from forecaster.programme.source import CalendarSource
from forecaster.store import EventShelf
from forecaster.worker.event_desk import EventDesk
from forecaster.worker.watched_calendar import WatchedCalendar, Window

__all__ = ["EventSources", "SourceHealth"]

# A training waits so long for the first look: past events of a calendar teach it.
_PATIENCE_SECONDS = 15.0
_MOST_TOLD = 3


@dataclass(frozen=True)
class SourceHealth:
    """How a calendar is: when it was last good, why not since, and which entries are no good."""

    name: str
    good_at: datetime | None
    error: str | None
    problems: tuple[EntryProblem, ...]


class EventSources:
    """The calendars of the settings; what each says goes to the desk, and is kept in the store.

    ``window`` says within which instants events matter at some instant.
    """

    def __init__(
        self,
        sources: Sequence[CalendarSource],
        shelf: EventShelf,
        desk: EventDesk,
        window: Window,
        clock: Callable[[], datetime],
    ) -> None:
        self._shelf = shelf
        self._stopping = threading.Event()
        self._watched = [WatchedCalendar(one, shelf, desk, window) for one in sources]
        self._clock = clock
        self._started: float | None = None

    @property
    def settled(self) -> bool:
        """Whether each was looked at since the start, well or not, or is too slow to wait for."""
        if all(one.looked_at for one in self._watched):
            return True
        waited = 0.0 if self._started is None else time.monotonic() - self._started
        return waited > _PATIENCE_SECONDS

    @property
    def restored(self) -> bool:
        """Whether all that was known before a restart is known again, or takes too long."""
        return all(one.restored for one in self._watched) or self.settled

    def load(self, now: datetime) -> None:
        """Take what the store kept of each, and look at those that are files, but for large ones.

        Raises StoreError.
        """
        self._shelf.forget_sources_but([one.source.name for one in self._watched])
        kept = self._shelf.sources()
        for one in self._watched:
            one.load(kept.get(one.source.name), now)

    def start(self) -> None:
        """Begin to look at them."""
        self._started = time.monotonic()
        for one in self._watched:
            threading.Thread(
                target=one.run,
                args=(self._stopping, self._clock),
                name=f"preroll-events-{one.source.name}",
                daemon=True,  # a stop does not wait for a server
            ).start()

    def stop(self) -> None:
        """Stop, without waiting for an answer that is under way."""
        self._stopping.set()

    def health(self) -> tuple[SourceHealth, ...]:
        """How each is."""
        return tuple(
            SourceHealth(one.source.name, state.fetched_at, state.error, state.problems)
            for one in self._watched
            for state in (one.state,)
        )

    def notices(self) -> list[str]:
        """What is wrong with some: that they fail, and what of them cannot be used."""
        told = []
        for one in self._watched:
            state = one.state
            failing = state.notice(one.source)
            if failing is not None:
                told.append(failing)
            if state.problems:
                told.append(_bad_entries(one.source, state.problems))
        return told


def _bad_entries(source: CalendarSource, problems: Sequence[EntryProblem]) -> str:
    count = len(problems)
    entries = f"{count} entr{'y' if count == 1 else 'ies'}"
    some = "; ".join(str(one) for one in problems[:_MOST_TOLD])
    more = f"; and {count - _MOST_TOLD} more" if count > _MOST_TOLD else ""
    return f"the calendar {source.name} has {entries} that cannot be used: {some}{more}"
