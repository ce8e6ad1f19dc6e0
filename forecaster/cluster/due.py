"""Which of the targets that were asked for is due now."""

from __future__ import annotations

__all__ = ["DueTargets"]

_OPEN = float("inf")


class DueTargets:
    """The targets of one workload, as they were in force one after the other.

    A target that is asked for at t is due at t + lead time. So due at u is the lowest target that
    was in force from u - lead on until u, u itself left out: that many replicas were asked for
    without a break for a whole lead time. A later lower target excuses nothing that was due before
    it; one that fell before it was due is not due any more.
    """

    __slots__ = ("_lows", "_since", "_until")

    def __init__(self) -> None:
        self._since: float | None = None
        self._until = 0.0
        # (until, target), lowest first: those that a later lower one overtook are not needed.
        self._lows: list[tuple[float, int]] = []

    def note(self, now: float, target: int, lead_seconds: float) -> int | None:
        """From ``now`` on ``target`` is in force; what is due now.

        None until there have been targets for a whole lead time. ``now`` only grows. After a lead
        time that grew, what was let go before is missed for the difference.

        35 from 20:00 on at a lead time of 5 minutes are due at 20:05, although 10 follow then:

        >>> targets = DueTargets()
        >>> [targets.note(60.0 * m, 35 if 0 <= m < 5 else 10, 300.0) for m in range(-6, 8)]
        [None, None, None, None, None, 10, 10, 10, 10, 10, 10, 35, 10, 10]
        """
        if self._since is None:
            self._since = now
        lows = self._lows
        begin = now - lead_seconds
        if lows:
            lows[-1] = (now, lows[-1][1])
        while len(lows) > 1 and lows[0][0] <= begin:
            del lows[0]
        due = lows[0][1] if lows and begin >= self._since else None
        while lows and lows[-1][1] >= target:
            lows.pop()
        lows.append((_OPEN, target))
        return due
