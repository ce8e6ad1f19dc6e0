"""One calendar elsewhere: looked at again and again, its last good version kept."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from forecaster.errors import StoreError
from forecaster.programme.fetch import SourceReader
from forecaster.programme.source import NOT_READ_YET, CalendarSource, SourceState
from forecaster.store import EventShelf
from forecaster.worker.event_desk import EventDesk
from forecaster.worker.schedule import back_off

__all__ = ["WatchedCalendar", "Window"]

Window = Callable[[datetime], tuple[datetime, datetime]]
"""Within which instants events matter at some instant."""

_FIRST_RETRY = timedelta(seconds=5)
_LEAST_WAIT_SECONDS = 0.05
# What is smaller is read in a second at the most, before anything is served; what is larger by its
# own thread, and meanwhile the calendar of before the restart counts. Kept contents are packed.
_SMALL_FILE = 2**20
_SMALL_KEPT = 2**17
# How old what is kept of a calendar that does not change may say to be.
_KEEP_ANEW = timedelta(hours=1)
_MOST_LOGGED = 3

_log = logging.getLogger(__name__)


class WatchedCalendar:
    """What is known of one calendar, and the thread that looks at it.

    ``state`` is never changed, it is replaced: any thread may read it. ``looked_at``: since the
    start, well or not; ``restored``: what the store kept of it is known again.
    """

    def __init__(
        self, source: CalendarSource, shelf: EventShelf, desk: EventDesk, window: Window
    ) -> None:
        self.source = source
        self.state: SourceState = NOT_READ_YET
        self.looked_at = False
        self.restored = False
        self._to_restore: bytes | None = None
        self._reader = SourceReader(source)
        self._shelf = shelf
        self._desk = desk
        self._window = window
        self._handed: object = None
        self._kept: SourceState = NOT_READ_YET
        self._failures = 0

    def load(self, kept: bytes | None, now: datetime) -> None:
        """Take what the store ``kept`` of it, and look where it is a file; later, where large."""
        self._to_restore = kept
        if self._small(kept):
            self._restore(now)

    def _small(self, kept: bytes | None) -> bool:
        location = self.source.location
        try:
            size = 0 if isinstance(location, str) else location.stat().st_size
        except OSError:
            size = 0
        return size <= _SMALL_FILE and len(kept or b"") <= _SMALL_KEPT

    def _restore(self, now: datetime) -> None:
        kept, self._to_restore = self._to_restore, None
        if kept is not None:
            self.state = self._kept = self._reader.restored(kept, now)
        if not isinstance(self.source.location, str):
            self.look(now)
        self._hand_over(now)
        self.restored = True

    def run(self, stopping: threading.Event, clock: Callable[[], datetime]) -> None:
        """Look at it again and again until ``stopping``."""
        wait = 0.0
        if not self.restored:
            try:
                self._restore(clock())
            except Exception:  # what was kept is lost; the calendar itself is looked at below
                _log.exception("calendar broken", extra={"calendar": self.source.name})
                self.restored = True
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
        for problem in state.problems[:_MOST_LOGGED]:
            _log.warning("bad entry", extra=extra | {"problem": str(problem)})
