"""What a list and a watch are read as: pages of objects, lines of a stream; what is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import urllib3

from forecaster.cluster.answers import lines_of, object_of, refusal_of_event
from forecaster.errors import ClusterAnswerError

__all__ = ["Page", "Timeouts", "Watched"]


@dataclass(frozen=True)
class Timeouts:
    """How long is waited, in seconds.

    ``silence`` is how long a watch may say nothing: the server sends a bookmark about every minute,
    so a longer silence is a connection that was cut without a word. ``watch`` is after how long
    the server is to end a watch by itself.
    """

    connect: float = 5.0
    answer: float = 30.0
    whole_answer: float = 60.0
    silence: float = 90.0
    watch: int = 300


@dataclass(frozen=True)
class Page:
    """Some objects of a list; ``version`` is where a watch goes on from, once it was the last."""

    items: list[dict[str, Any]]
    version: str
    more: bool


class Watched:
    """A watch that is open: its lines as they come, until its end, an error, or ``end``.

    Iterating raises ClusterExpired where the server forgot the version, ClusterAnswerError for a
    line that is no JSON and ClusterUnavailable where the connection is cut.
    """

    def __init__(self, answer: urllib3.BaseHTTPResponse, asked: str) -> None:
        self._answer = answer
        self._asked = asked

    def __iter__(self) -> Iterator[dict[str, Any]]:
        try:
            for line in lines_of(self._answer, self._asked):
                if not line.strip():
                    continue
                event = object_of(line, self._asked)
                if not isinstance(event.get("object"), dict):
                    raise ClusterAnswerError(f"{self._asked}: a line without an object")
                if event.get("type") == "ERROR":
                    raise refusal_of_event(event["object"], self._asked)
                yield event
        finally:
            self._answer.close()

    def end(self) -> None:
        """End it from another thread, at once; the iteration ends or raises."""
        try:
            self._answer.shutdown()
        except (ValueError, RuntimeError, OSError, AttributeError):
            return  # it has ended by itself
