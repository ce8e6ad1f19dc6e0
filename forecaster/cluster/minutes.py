"""What each of the last 1,440 minutes was, in a byte each, and how many were what."""

from __future__ import annotations

__all__ = ["MINUTES", "MinuteRing"]

MINUTES = 1440


class MinuteRing:
    """A small number for each minute of the last day; 0 for those that nothing is said of.

    ``kinds`` is how many numbers there are, 0 among them. A minute counts when it is over; with
    several things said of one minute, the largest number holds.
    """

    __slots__ = ("_counts", "_minute", "_now", "_ring", "_total")

    def __init__(self, kinds: int) -> None:
        self._ring = bytearray(MINUTES)
        self._counts = [MINUTES] + [0] * (kinds - 1)
        self._total = [0] * kinds
        self._minute: int | None = None
        self._now = 0

    def say(self, minute: int, kind: int, since: int | None = None) -> None:
        """``kind`` of ``minute`` (minutes since 1970), and of those after ``since`` up to it.

        What is said of a minute that is over is left out.
        """
        last = self._minute
        if last is not None and minute <= last:
            if minute == last:
                self._now = max(self._now, kind)
            return
        first = minute if since is None else max(min(since + 1, minute), minute - MINUTES)
        if last is not None:
            first = max(first, last + 1)
        for one in range(first, minute + 1):
            self._begin(one)
            self._now = kind

    def _begin(self, minute: int) -> None:
        """The current minute is over, and nothing is said of those between."""
        if self._minute is not None:
            self._put(self._minute, self._now)
            self._total[self._now] += 1
            for silent in range(max(self._minute + 1, minute - MINUTES), minute):
                self._put(silent, 0)
        self._put(minute, 0)
        self._minute, self._now = minute, 0

    def _put(self, minute: int, kind: int) -> None:
        place = minute % MINUTES
        self._counts[self._ring[place]] -= 1
        self._counts[kind] += 1
        self._ring[place] = kind

    def last_day(self) -> tuple[int, ...]:
        """How many of the last day's minutes that are over were of each kind but 0."""
        return tuple(self._counts[1:])

    def total(self) -> tuple[int, ...]:
        """The same of all minutes that were told of."""
        return tuple(self._total[1:])

    def to_row(self) -> tuple[int, bytes] | None:
        """The current minute and the ring, for a store; None while nothing was said."""
        return None if self._minute is None else (self._minute, bytes(self._ring))

    @classmethod
    def from_row(cls, kinds: int, minute: int, ring: bytes) -> MinuteRing:
        """What :meth:`to_row` gave: the last day, but for the minute that was not over.

        ValueError where it is no ring of so many kinds.
        """
        if len(ring) != MINUTES or max(ring) >= kinds:
            raise ValueError(
                f"a ring has {MINUTES} bytes below {kinds}, not {len(ring)} up to "
                f"{max(ring, default=0)}"
            )
        made = cls(kinds)
        made._ring = bytearray(ring)
        made._counts = [ring.count(kind) for kind in range(kinds)]
        made._minute = minute
        return made
