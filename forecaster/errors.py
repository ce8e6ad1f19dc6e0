"""Every error Preroll raises on purpose.

    PrerollError
    ├── SettingsError            fix the settings (all problems at once)
    ├── TrafficError
    │   ├── TrafficFileError     fix the file: carries path, line and a valid example
    │   ├── HistoryTooShort      bring more history: says how much is needed
    │   └── SourceError          the traffic source
    │       ├── SourceUnavailable   wait: down, timed out, overloaded (429, 5xx)
    │       ├── SourceRefused       fix the request: credentials, query, tenant (4xx)
    │       └── SourceAnswerError   the answer cannot be trusted: HTML, partial, malformed
    ├── EventError
    │   ├── EventFileError       fix the calendar: carries place and a valid example
    │   ├── EventSourceError     a calendar cannot be fetched: wait, or fix its address
    │   ├── EventRefused         fix the event: 422, every field that cannot be used is named
    │   └── EventConflict        409: it is another event already, or has changed meanwhile (412)
    ├── ClusterError             Kubernetes: its API server did not answer as it should
    │   ├── ClusterUnavailable   wait: down, cut, timed out, overloaded (429, 5xx)
    │   ├── ClusterRefused       fix it: kubeconfig, token, rights, a missing kind (4xx)
    │   ├── ClusterExpired       what was read is too old to go on from (410): read anew
    │   └── ClusterAnswerError   the answer cannot be trusted: HTML, cut, malformed
    ├── ForecastError            a model could not make a forecast from sound input
    ├── ManifestError            fix the manifests that a migration reads: file and line
    ├── OutputError              a result cannot be written where it was asked for
    ├── StoreError               the embedded store cannot be read or written
    └── ServingError
        ├── UnknownWorkload      404
        ├── UnknownEvent         404
        └── NoUsablePlan         503: not trained yet, or the plan has ended

A message carries the bad value, where it stands, and a valid example. The
cause, where there is one, is kept as ``__cause__``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "ClusterAnswerError",
    "ClusterError",
    "ClusterExpired",
    "ClusterRefused",
    "ClusterUnavailable",
    "EventConflict",
    "EventError",
    "EventFileError",
    "EventRefused",
    "EventSourceError",
    "FieldProblem",
    "ForecastError",
    "HistoryTooShort",
    "ManifestError",
    "NoUsablePlan",
    "OutputError",
    "PrerollError",
    "ServingError",
    "SettingsError",
    "SettingsProblem",
    "SourceAnswerError",
    "SourceError",
    "SourceRefused",
    "SourceUnavailable",
    "StoreError",
    "TrafficError",
    "TrafficFileError",
    "UnknownEvent",
    "UnknownWorkload",
]


class PrerollError(Exception):
    """Root of the tree: everything a caller may want to catch."""


@dataclass(frozen=True)
class SettingsProblem:
    """One thing wrong with the settings.

    ``place`` is a dotted path ("workloads[2].lead_time"), with the file's line where it is known;
    ``example`` is a value that would be accepted.
    """

    place: str
    message: str
    example: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.place if self.line is None else f"{self.place} (line {self.line})"
        hint = "" if self.example is None else f"; for example: {self.example}"
        return f"{where}: {self.message}{hint}"


class SettingsError(PrerollError):
    """Settings that cannot be used; lists every problem found, not only the first."""

    def __init__(self, problems: Sequence[SettingsProblem], source: str = "settings") -> None:
        self.problems = tuple(problems)
        self.source = source
        count = len(self.problems)
        head = f"{source}: {count} problem{'' if count == 1 else 's'}"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))


class TrafficError(PrerollError):
    """Something about past traffic."""


class TrafficFileError(TrafficError):
    """A traffic file that cannot be read as one.

    The text reads ``path:line: message`` and ends with a valid example.
    """

    def __init__(
        self,
        path: Path | str,
        message: str,
        *,
        line: int | None = None,
        example: str | None = None,
    ) -> None:
        self.path = str(path)
        self.line = line
        self.example = example
        where = self.path if line is None else f"{self.path}:{line}"
        hint = "" if example is None else f"\nA valid example:\n{example}"
        super().__init__(f"{where}: {message}{hint}")


class HistoryTooShort(TrafficError):
    """Not enough past traffic for what was asked; the message says how much is needed."""


class SourceError(TrafficError):
    """The traffic source did not give an answer that can be used."""


class SourceUnavailable(SourceError):
    """The source is down, too slow or overloaded: the same request may work later."""


class SourceRefused(SourceError):
    """The source understood and refused: credentials, query or tenant need a change."""


class SourceAnswerError(SourceError):
    """The source answered something that cannot be trusted."""


class EventError(PrerollError):
    """Something about the events that are known ahead."""


class EventFileError(EventError):
    """A calendar that cannot be read as one; the text reads ``path:place: message``.

    ``place`` is a line, an entry ("event 3") or empty; the text ends with a valid example.
    """

    def __init__(
        self, path: Path | str, message: str, *, place: str = "", example: str | None = None
    ) -> None:
        self.path = str(path)
        self.place = place
        self.example = example
        where = f"{self.path}:{place}" if place else self.path
        hint = "" if example is None else f"\nA valid example:\n{example}"
        super().__init__(f"{where}: {message}{hint}")


class EventSourceError(EventError):
    """A calendar could not be fetched: down, refused, too large, or no calendar at all."""


@dataclass(frozen=True)
class FieldProblem:
    """One field of an event that cannot be used; ``field`` is dotted ("floor.replicas")."""

    field: str
    message: str
    example: str | None = None

    def __str__(self) -> str:
        named = f"{self.field}: {self.message}" if self.field else self.message
        return named if self.example is None else f"{named}; for example: {self.example}"


class EventRefused(EventError):
    """An event that somebody wants to make, or to change, and that cannot be; lists all fields."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(one) for one in self.problems))


class EventConflict(EventError):
    """Another event stands in the way.

    ``changed`` where the event is not any more what the caller believes it to be.
    """

    def __init__(self, message: str, *, changed: bool = False) -> None:
        self.changed = changed
        super().__init__(message)


class ClusterError(PrerollError):
    """The Kubernetes API server did not give what was asked for.

    ``status`` is that of HTTP, None where there was no answer at all.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class ClusterUnavailable(ClusterError):
    """It is down, cut off, too slow or overloaded: the same request may work later.

    ``retry_after_seconds`` is how long it asked to wait, where it did.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message, status=status)


class ClusterRefused(ClusterError):
    """It understood and refused, or cannot be found: kubeconfig, token, rights, kind."""


class ClusterExpired(ClusterError):
    """A page or a watch cannot go on from where it was: all is to be read anew."""


class ClusterAnswerError(ClusterError):
    """It answered something that cannot be trusted."""


class ForecastError(PrerollError):
    """A model could not make a forecast from sound input."""


class ManifestError(PrerollError):
    """Manifests that cannot be read; the message has file, line and a valid example."""


class OutputError(PrerollError):
    """A result cannot be written where it was asked for; the message names the path."""


class StoreError(PrerollError):
    """The embedded store cannot be read or written."""


class ServingError(PrerollError):
    """A target cannot be given."""


class UnknownWorkload(ServingError):
    """No such workload is configured."""


class UnknownEvent(ServingError):
    """No event of this id is kept."""


class NoUsablePlan(ServingError):
    """There is no plan that covers this instant; the message is the reason."""
