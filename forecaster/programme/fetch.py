"""A source looked at again and again: what is new is read, what fails keeps its last good state."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx

from forecaster.errors import EventError, EventFileError
from forecaster.programme.content import plain_bytes
from forecaster.programme.download import Download, download
from forecaster.programme.options import CalendarFormat, ReadCalendar
from forecaster.programme.reading import file_bytes, guessed_format, read_calendar
from forecaster.programme.source import (
    NOT_READ_YET,
    CalendarSource,
    SourceState,
    Validators,
)

__all__ = ["SourceReader"]


class SourceReader:
    """Reads one source. It keeps nothing: what is known is in the state that goes in and comes out.

    ``transport`` is a stand-in for the network.
    """

    def __init__(
        self, source: CalendarSource, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.source = source
        self._transport = transport

    def read(self, before: SourceState, now: datetime) -> SourceState:
        """Look at the source; the state as it is then.

        Nothing is raised for a source that fails: the state says why and since when, and keeps
        its last good calendar. ``now`` is aware. A content that has not changed is read anew only
        where it is iCalendar and the day has changed, for its recurring entries.
        """
        try:
            found = self._look(before)
            if found.content is None or found.content == before.content:
                state = self._refreshed(before, found.validators, now)
            else:
                state = self._taken(found.content, found.validators, now)
        except EventError as error:
            return replace(
                before,
                checked_at=now,
                error=str(error),
                failing_since=before.failing_since or now,
            )
        return replace(state, checked_at=now, error=None, failing_since=None)

    def restored(self, data: bytes, now: datetime) -> SourceState:
        """The state that ``SourceState.to_bytes`` kept, its calendar read; else one not read yet.

        It is due at once: the source may have changed meanwhile.
        """
        try:
            kept = SourceState.from_bytes(data, self.source)
            if kept.content is None:
                return replace(kept, checked_at=None)
            read = self._taken(kept.content, kept.validators, now)
        except (ValueError, EventError):
            return NOT_READ_YET
        return replace(
            read,
            fetched_at=kept.fetched_at,
            error=kept.error,
            failing_since=kept.failing_since,
        )

    def _look(self, before: SourceState) -> Download:
        """What is there now; no content where it is what was there before."""
        location = self.source.location
        known = before.validators if before.content is not None else Validators()
        if not isinstance(location, Path):
            return download(self.source, known, transport=self._transport)
        try:
            status = location.stat()
        except FileNotFoundError as error:
            raise EventFileError(location, "there is no such file") from error
        except OSError as error:
            told = error.strerror or error
            raise EventFileError(location, f"it cannot be read: {told}") from error
        stamp = f"{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"
        if known.file_stamp == stamp:
            return Download(None, known)
        return Download(
            file_bytes(location, self.source.options.most_bytes), Validators(file_stamp=stamp)
        )

    def _taken(self, content: bytes, validators: Validators, now: datetime) -> SourceState:
        read, bounds = self._read(content, now)
        return SourceState(
            calendar=read.calendar,
            problems=read.problems,
            dropped=read.dropped,
            content=content,
            validators=validators,
            fetched_at=now,
            bounds=bounds,
        )

    def _refreshed(self, before: SourceState, validators: Validators, now: datetime) -> SourceState:
        """The same content, still right at ``now``."""
        if before.content is None:
            raise EventFileError(self.source.shown, "nothing came of it")
        state = replace(before, validators=validators, fetched_at=now)
        if before.bounds == self.source.bounds(now) or not self._recurs(before.content):
            return state
        read, bounds = self._read(before.content, now)
        return replace(
            state,
            calendar=read.calendar,
            problems=read.problems,
            dropped=read.dropped,
            bounds=bounds,
        )

    def _recurs(self, content: bytes) -> bool:
        if self.source.format is not None:
            return self.source.format is CalendarFormat.ICALENDAR
        plain = plain_bytes(content, self.source.shown, self.source.options.most_bytes)
        return guessed_format(self._named, plain) is CalendarFormat.ICALENDAR

    def _read(
        self, content: bytes, now: datetime
    ) -> tuple[ReadCalendar, tuple[datetime, datetime]]:
        since, until = bounds = self.source.bounds(now)
        options = replace(self.source.options, since=since, until=until)
        return read_calendar(content, self.source.format, options, source=self._named), bounds

    @property
    def _named(self) -> str:
        return self.source.shown
