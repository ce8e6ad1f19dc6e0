"""What the controller remembers: recommendations and scale events of the last minutes.

Kubernetes' two paths differ in whether something **exactly** a window old still counts. Real syncs
are always a little more than their period apart, so there it never does; on the simulator's exact
clock "exactly" is the common case, and so nothing as old as its window counts here.
"""

from __future__ import annotations

import math
from collections import deque

__all__ = ["RecentHighest", "ScaleEvents"]


class RecentHighest:
    """The highest recommendation of a sliding window. For the lowest, push negated values.

    Entries fall from front to back: what is older and not higher than the newest is forgotten.
    """

    __slots__ = ("_entries", "_window_seconds")

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._entries: deque[tuple[float, int]] = deque()

    def push(self, t_seconds: float, value: int) -> int:
        """Remember ``value`` and give the highest of the window, itself included."""
        entries = self._entries
        cutoff = t_seconds - self._window_seconds
        while entries and entries[0][0] <= cutoff:
            entries.popleft()
        while entries and entries[-1][1] <= value:
            entries.pop()
        entries.append((t_seconds, value))
        return entries[0][1]

    def repeat(self, t_seconds: float) -> None:
        """The newest value was pushed again and again, the last time at ``t_seconds``."""
        self._entries[-1] = (t_seconds, self._entries[-1][1])

    def lasts_until(self) -> float:
        """The first instant at which pushing the newest value again can give another answer."""
        if len(self._entries) < 2:
            return math.inf
        return self._entries[0][0] + self._window_seconds


class ScaleEvents:
    """The changes of one direction, kept as long as the longest policy looks back."""

    __slots__ = ("_events", "_keep_seconds")

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        self._events: deque[tuple[float, int]] = deque()

    def add(self, t_seconds: float, change: int) -> None:
        """``change`` replicas more (or fewer) at ``t_seconds``."""
        while self._events and self._events[0][0] <= t_seconds - self._keep_seconds:
            self._events.popleft()
        self._events.append((t_seconds, change))

    def within(self, t_seconds: float, period_seconds: float) -> int:
        """The sum of the changes less than ``period_seconds`` before ``t_seconds``."""
        cutoff = t_seconds - period_seconds
        return sum(change for at, change in self._events if at > cutoff)

    def next_expiry(self, t_seconds: float, period_seconds: float) -> float:
        """When the first of those that count now will not count any more; infinity if none do."""
        cutoff = t_seconds - period_seconds
        return next((at + period_seconds for at, _ in self._events if at > cutoff), math.inf)
