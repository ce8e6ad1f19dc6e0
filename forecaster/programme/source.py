"""Where a calendar is fetched from, and what is known of it so far. No IO."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from forecaster.durations import format_duration
from forecaster.events import EMPTY_CALENDAR, Calendar
from forecaster.programme.options import CalendarFormat, ReadOptions
from forecaster.programme.problems import EntryProblem

__all__ = ["NOT_READ_YET", "CalendarSource", "SourceState", "Validators"]

_URL_EXAMPLE = "https://calendar.example.com/matches.ics"
_RETRY = timedelta(minutes=1)
_LEAST_EVERY = timedelta(seconds=1)
_VERSION = 1


@dataclass(frozen=True, repr=False)
class CalendarSource:
    """A file or a URL that holds a calendar, and how it is read.

    ``location`` is a path, or an ``http(s)://`` address as text. It is looked at ``every`` so
    often, after a failure sooner. ``past`` and ``ahead`` of now bound what comes of
    recurring entries; they take the place of the options' own bounds. ``bearer_token``, or the
    first line of ``token_file``, goes with every request to the address's own host; ``ca_file``
    holds the PEM of a CA to trust beside the known ones. ``options.most_bytes`` bounds what is
    loaded, packed and unpacked.

    Its repr, and every message made from it, shows no secret, neither of the token nor of the
    address, in which many calendars carry theirs. ValueError begins with the bad field's name.
    """

    name: str
    location: Path | str
    format: CalendarFormat | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    every: timedelta = timedelta(minutes=15)
    timeout: timedelta = timedelta(seconds=30)
    bearer_token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    past: timedelta = timedelta(days=400)
    ahead: timedelta = timedelta(days=60)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("name: a calendar needs one, for example matches")
        if isinstance(self.location, str):
            self._check_url(self.location)
        for name, least in (
            ("every", _LEAST_EVERY),
            ("timeout", timedelta(milliseconds=1)),
            ("past", timedelta(0)),
            ("ahead", timedelta(0)),
        ):
            value: timedelta = getattr(self, name)
            if not least <= value <= timedelta(days=3660):
                raise ValueError(
                    f"{name}: {format_duration(least)} to ten years, not {format_duration(value)}"
                )
        if self.bearer_token is not None and self.token_file is not None:
            raise ValueError("token_file: give either a bearer_token or a token_file, not both")
        token = self.bearer_token
        if token is not None and not (token.strip() and token.isascii() and token.isprintable()):
            raise ValueError("bearer_token: it is empty, or holds what HTTP cannot carry")

    def _check_url(self, location: str) -> None:
        try:
            url = httpx.URL(location)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in {"http", "https"} or not url.host:
            # No cause and no value are told: an address may hold a password.
            raise ValueError(
                f"url: it needs http:// or https:// and a host; write for example {_URL_EXAMPLE}"
            )

    @property
    def shown(self) -> str:
        """The place as messages show it: of an address the host and the last part of its path."""
        if isinstance(self.location, Path):
            return str(self.location)
        return shown_url(httpx.URL(self.location))

    @property
    def fingerprint(self) -> str:
        """What tells this place from another."""
        kind = "file" if isinstance(self.location, Path) else "url"
        return hashlib.sha256(f"{kind}:{self.location}".encode()).hexdigest()

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """What recurring entries are followed in, whole days: they change once a day."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return day - self.past, day + self.ahead + timedelta(days=1)

    def __repr__(self) -> str:
        return f"CalendarSource({self.name!r}, {self.shown!r})"


def shown_url(url: httpx.URL) -> str:
    """Host and last part of the path, no more.

    >>> shown_url(httpx.URL("https://me:secret@calendar.example.com/private-123/basic.ics?key=4"))
    'https://calendar.example.com/…/basic.ics'
    """
    parts = [part for part in url.path.split("/") if part]
    last = f"/{parts[-1]}" if parts else ""
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.scheme}://{url.host}{port}{'/…' if len(parts) > 1 else ''}{last}"


@dataclass(frozen=True)
class Validators:
    """What tells whether a place holds something new: HTTP's headers, or a file's stamp."""

    etag: str | None = None
    last_modified: str | None = None
    file_stamp: str | None = None


@dataclass(frozen=True)
class SourceState:
    """What is known of a source: its last good calendar, and how the last look went.

    ``content`` is what the calendar was read from, ``fetched_at`` when the source was last known to
    hold it, ``checked_at`` when it was last asked. While it fails, ``error`` says why and
    ``failing_since`` since when; the calendar stays the last good one. ``problems`` are of the
    entries that were skipped, ``dropped`` counts what a mapping left out.
    """

    calendar: Calendar = EMPTY_CALENDAR
    problems: tuple[EntryProblem, ...] = ()
    dropped: int = 0
    content: bytes | None = field(default=None, repr=False)
    validators: Validators = Validators()
    fetched_at: datetime | None = None
    checked_at: datetime | None = None
    error: str | None = None
    failing_since: datetime | None = None
    bounds: tuple[datetime, datetime] | None = None

    @property
    def etag(self) -> str | None:
        """The ETag of the content."""
        return self.validators.etag

    def due_at(self, source: CalendarSource) -> datetime | None:
        """When the source is to be looked at again; None: at once, it never was."""
        if self.checked_at is None:
            return None
        if self.failing_since is None:
            return self.checked_at + source.every
        # As long again as it has been failing: soon at first, then ever more rarely.
        failing = self.checked_at - self.failing_since
        return self.checked_at + min(source.every, max(_RETRY, failing))

    def notice(self, source: CalendarSource) -> str | None:
        """What is wrong with the source, in one sentence; None while it is well."""
        if self.error is None or self.failing_since is None:
            return None
        since = f"{self.failing_since:%Y-%m-%d %H:%M} UTC"
        if self.fetched_at is None:
            kept = "it was never read, so none of its events are known"
        else:
            kept = f"its events are those of {self.fetched_at:%Y-%m-%d %H:%M} UTC"
        return f"the calendar {source.name} fails since {since}, {kept}: {self.error}"

    def to_bytes(self, source: CalendarSource) -> bytes:
        """What outlives a restart: the content, and how it stood with the source."""
        head = {
            "version": _VERSION,
            "source": source.fingerprint,
            "etag": self.validators.etag,
            "last_modified": self.validators.last_modified,
            "file_stamp": self.validators.file_stamp,
            "fetched_at": _written(self.fetched_at),
            "checked_at": _written(self.checked_at),
            "error": self.error,
            "failing_since": _written(self.failing_since),
            "has_content": self.content is not None,
        }
        return json.dumps(head).encode() + b"\n" + zlib.compress(self.content or b"")

    @classmethod
    def from_bytes(cls, data: bytes, source: CalendarSource) -> SourceState:
        """What :meth:`to_bytes` kept, its calendar not read yet; see ``SourceReader.restored``.

        ValueError for bytes that are damaged, of another version, or of another place.
        """
        try:
            head_text, _, packed = data.partition(b"\n")
            head: dict[str, Any] = json.loads(head_text)
            if head["version"] != _VERSION or head["source"] != source.fingerprint:
                raise ValueError("it was kept for another place, or by another version")
            most = source.options.most_bytes
            content = zlib.decompressobj().decompress(packed, most + 1)
            if len(content) > most:
                raise ValueError("it is larger than is read now")
            return cls(
                content=content if head["has_content"] else None,
                validators=Validators(head["etag"], head["last_modified"], head["file_stamp"]),
                fetched_at=_read(head["fetched_at"]),
                checked_at=_read(head["checked_at"]),
                error=head["error"],
                failing_since=_read(head["failing_since"]),
            )
        except (KeyError, TypeError, AttributeError, zlib.error) as error:
            raise ValueError(f"what was kept of {source.name} is damaged: {error}") from error


NOT_READ_YET = SourceState()


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
