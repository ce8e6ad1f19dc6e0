"""The day-ahead path: for every step the traffic that was, or is, expected a day before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = ["DayAheadPath"]


@dataclass(frozen=True, eq=False)
class DayAheadPath:
    """Expected traffic per second for each step from ``start`` on, float32, NaN where unknown.

    The part before the cutoff is what rolling origins foretold a day ahead, so a model that learns
    from it sees what it would have seen; the part after it is the outlook's.
    """

    start: datetime
    step: timedelta
    rate_rps: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        self.rate_rps.setflags(write=False)

    def __len__(self) -> int:
        return len(self.rate_rps)

    def between(self, first: datetime, steps: int) -> FloatArray:
        """``steps`` values from the interval that starts at ``first`` on; NaN outside of the path.

        ValueError where ``first`` does not lie on the path's grid.
        """
        offset, rest = divmod(first - self.start, self.step)
        if rest:
            raise ValueError(f"{first} is not on the grid of {self.step} from {self.start}")
        found = np.full(steps, np.nan)
        low, high = max(offset, 0), min(offset + steps, len(self))
        if high > low:
            found[low - offset : high - offset] = self.rate_rps[low:high]
        return found

    def since(self, instant: datetime) -> DayAheadPath:
        """The part from ``instant`` on, rounded down to the grid; at least the last step."""
        first = min(max((instant - self.start) // self.step, 0), len(self) - 1)
        return DayAheadPath(
            self.start + first * self.step, self.step, np.array(self.rate_rps[first:])
        )
