"""Calendars, looked at again and again: a thread for each, so that one that hangs holds up none."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.errors import StoreError
from forecaster.programme.fetch import SourceReader
from forecaster.programme.problems import EntryProblem
from forecaster.programme.source import NOT_READ_YET, CalendarSource, SourceState
from forecaster.store import EventShelf
from forecaster.worker.event_desk import EventDesk
from forecaster.worker.schedule import back_off

__all__ = ["EventSources", "SourceHealth"]

Window = Callable[[datetime], tuple[datetime, datetime]]

_FIRST_RETRY = timedelta(seconds=5)
_LEAST_WAIT_SECONDS = 0.05
# A training waits so long for the first look: past events of a calendar teach it.
_PATIENCE_SECONDS = 15.0
# How old what is kept of a calendar that does not change may say to be.
_KEEP_ANEW = timedelta(hours=1)
_MOST_TOLD = 3

_log = logging.getLogger(__name__)


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
        self._watched = [_Watched(one, shelf, desk, window) for one in sources]
        self._clock = clock
        self._started: float | None = None

    @property
    def settled(self) -> bool:
        """Whether each was looked at since the start, well or not, or is too slow to wait for."""
        if all(one.looked_at for one in self._watched):
            return True
        waited = 0.0 if self._started is None else time.monotonic() - self._started
        return waited > _PATIENCE_SECONDS

    def load(self, now: datetime) -> None:
        """Take what the store kept of each, and look at those that are files. StoreError."""
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


class _Watched:
    """One calendar. ``state`` is never changed, it is replaced: any thread may read it."""

    def __init__(
        self, source: CalendarSource, shelf: EventShelf, desk: EventDesk, window: Window
    ) -> None:
        self.source = source
        self.state: SourceState = NOT_READ_YET
        self.looked_at = False
        self._reader = SourceReader(source)
        self._shelf = shelf
        self._desk = desk
        self._window = window
        self._handed: object = None
        self._kept: SourceState = NOT_READ_YET
        self._failures = 0

    def load(self, kept: bytes | None, now: datetime) -> None:
        if kept is not None:
            self.state = self._kept = self._reader.restored(kept, now)
        if not isinstance(self.source.location, str):
            self.look(now)
        self._hand_over(now)

    def run(self, stopping: threading.Event, clock: Callable[[], datetime]) -> None:
        wait = 0.0
        while not stopping.wait(wait):
            try:
                self.look(clock())
                wait = max(self._wait().total_seconds(), _LEAST_WAIT_SECONDS)
            except Exception:  # one calendar; the others, and what it said before, stay
                _log.exception("calendar broken", extra={"calendar": self.source.name})
                wait = self.source.every.total_seconds()

    def look(self, now: datetime) -> None:
        """Look once; what fails leaves the last good calendar in place."""
        before = self.state
        try:
            state = self._reader.read(before, now)
        except Exception as error:  # whatever a reader does with what strangers wrote
            _log.error("calendar broken", extra={"calendar": self.source.name}, exc_info=error)
            state = dataclasses.replace(
                before,
                checked_at=now,
                error=f"reading it broke ({type(error).__name__}); the log says how",
                failing_since=before.failing_since or now,
            )
        self.state = state
        self._failures = 0 if state.error is None else self._failures + 1
        self._tell(before, state)
        self._hand_over(now)
        self.looked_at = True
        if state.error is None:
            self._keep(state)

    def _wait(self) -> timedelta:
        if not self._failures:
            return self.source.every
        return back_off(self._failures, min(_FIRST_RETRY, self.source.every), self.source.every)

    def _hand_over(self, now: datetime) -> None:
        window = self._window(now)
        handed = (self.state.calendar, window)
        if handed == self._handed:  # a calendar is equal to itself alone
            return
        self._desk.take_calendar(self.source.name, self.state.calendar, *window)
        self._handed = handed

    def _keep(self, state: SourceState) -> None:
        kept = self._kept
        if (
            state.content == kept.content
            and state.fetched_at is not None
            and kept.fetched_at is not None
            and state.fetched_at - kept.fetched_at < _KEEP_ANEW
        ):
            return
        try:
            self._shelf.keep_source(self.source.name, state.to_bytes(self.source))
            self._kept = state
        except StoreError as error:
            extra = {"calendar": self.source.name, "error": str(error)}
            _log.error("calendar not stored", extra=extra)

    def _tell(self, before: SourceState, state: SourceState) -> None:
        extra: dict[str, object] = {"calendar": self.source.name}
        if state.error is not None:
            if before.error != state.error:
                _log.warning("calendar fails", extra=extra | {"error": state.error})
            return
        if before.error is not None:
            _log.info("calendar is back", extra=extra)
        if state.calendar is before.calendar:
            return
        counts = {
            "events": len(state.calendar.events),
            "rules": len(state.calendar.recurring),
            "bad": len(state.problems),
            "dropped": state.dropped,
        }
        _log.info("calendar read", extra=extra | counts)
        for problem in state.problems[:_MOST_TOLD]:
            _log.warning("bad entry", extra=extra | {"problem": str(problem)})


def _bad_entries(source: CalendarSource, problems: Sequence[EntryProblem]) -> str:
    count = len(problems)
    entries = f"{count} entr{'y' if count == 1 else 'ies'}"
    some = "; ".join(str(one) for one in problems[:_MOST_TOLD])
    more = f"; and {count - _MOST_TOLD} more" if count > _MOST_TOLD else ""
    return f"the calendar {source.name} has {entries} that cannot be used: {some}{more}"
