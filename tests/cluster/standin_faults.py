"""What a stand-in API server does wrong on demand, and what it was asked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Break(enum.Enum):
    """How an open watch breaks."""

    END = "the server ends it"
    CUT = "cut between two lines"
    HALF_A_LINE = "cut within a line"
    GARBAGE = "a line that is no JSON"
    GONE = "an ERROR line with 410"
    ERROR = "an ERROR line with 500"
    SILENCE = "open, but nothing comes any more"


@dataclass
class Fault:
    """What the next requests of a kind get instead of an answer.

    ``verb`` is list, watch, get, create, or empty for all; ``plural`` empty for all kinds.
    """

    plural: str = ""
    verb: str = ""
    status: int | None = None
    message: str = "made up"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    slow_seconds: float = 0.0
    drop: bool = False
    half_a_body: bool = False
    times: int | None = 1
    after: int = 0

    def hits(self, plural: str, verb: str) -> bool:
        if self.plural not in ("", plural) or self.verb not in ("", verb) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    verb: str
    plural: str
    namespace: str | None
    query: Mapping[str, str]
    authorization: str
    body: Any = None
    group: str = ""
    name: str | None = None
