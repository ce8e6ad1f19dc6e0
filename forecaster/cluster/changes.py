"""What the watches tell: small, frozen, picklable.

In the order of one (kind, namespace): Listed, then Changed, Gone and Broken; Listed again whenever
it was read anew. WatchState comes whenever it is another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forecaster.cluster.seen import Seen

__all__ = ["Broken", "Changed", "Gone", "Listed", "Told", "WatchState"]


@dataclass(frozen=True, slots=True)
class Broken:
    """An object that cannot be used, and why; what was known of it before still holds."""

    kind: str
    namespace: str
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects of a kind, in ``namespace`` or (None) in all: whatever else was known is gone."""

    kind: str
    namespace: str | None
    values: tuple[Seen, ...]
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """An object is new or another one."""

    kind: str
    how: Literal["added", "changed"]
    value: Seen


@dataclass(frozen=True, slots=True)
class Gone:
    """An object was deleted, or is none of our concern any more."""

    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """How the watch of a kind, in ``namespace`` or in all, is doing.

    ``connected``: what is known is what is. Else it is what was at ``as_of`` (Unix seconds; None
    where nothing could be read yet), and ``problem`` says why.
    """

    kind: str
    namespace: str | None
    connected: bool
    as_of: float | None
    problem: str | None = None

    def age_seconds(self, now: float) -> float | None:
        """How old what is known is at ``now``; None where nothing is."""
        if self.connected:
            return 0.0
        return None if self.as_of is None else max(0.0, now - self.as_of)


Told = Listed | Changed | Gone | Broken | WatchState
