"""The day-ahead path: for every step the traffic that was, or is, expected a day before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.traffic.history import FloatArray

__all__ = ["DayAheadPath", "cut"]


def cut(values: NDArray[Any], offset: int, steps: int, outside: float | bool) -> NDArray[Any]:
    """``steps`` of ``values`` (n,) from place ``offset`` on, ``outside`` before and behind them."""
    found = np.full(steps, outside)
    low, high = max(offset, 0), min(offset + steps, len(values))
    if high > low:
        found[low - offset : high - offset] = values[low:high]
    return found


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
        return cut(self.rate_rps, offset, steps, np.nan)

    def since(self, instant: datetime) -> DayAheadPath:
        """The part from ``instant`` on, rounded down to the grid; at least the last step."""
        first = min(max((instant - self.start) // self.step, 0), len(self) - 1)
        return DayAheadPath(
            self.start + first * self.step, self.step, np.array(self.rate_rps[first:])
        )
