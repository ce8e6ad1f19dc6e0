"""Past traffic at a regular step: the contract that everything above trusts.

A stamp is the start of its interval. Rates are per second. A gap is NaN and stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DS", "UNIQUE_ID", "FloatArray", "TrafficHistory", "TrafficSeries", "Y"]

UNIQUE_ID = "unique_id"
DS = "ds"
Y = "y"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrafficSeries:
    """The traffic of one workload.

    ``rate_rps`` has one value per step, requests per second (or the signal's own unit), NaN where
    nothing was observed; interval i covers [start + i * step, start + (i + 1) * step). The array
    is made read-only.

    Raises ValueError where start is naive or the array is not one-dimensional, is empty, or
    holds a negative or infinite value.
    """

    series_id: str
    start: datetime
    step: timedelta
    rate_rps: FloatArray

    def __post_init__(self) -> None:
        values = np.array(self.rate_rps, dtype=np.float64)  # a copy: the caller keeps its own
        if self.start.tzinfo is None:
            raise ValueError(f"{self.series_id}: start {self.start} has no time zone; use UTC")
        if self.step <= timedelta(0):
            raise ValueError(f"{self.series_id}: step must be positive, not {self.step}")
        if values.ndim != 1 or len(values) == 0:
            raise ValueError(f"{self.series_id}: one value per step is needed")
        with np.errstate(invalid="ignore"):
            bad = np.flatnonzero((values < 0) | np.isinf(values))
        if len(bad):
            raise ValueError(
                f"{self.series_id}: traffic of {values[bad[0]]} at "
                f"{self.start + int(bad[0]) * self.step}"
            )
        values.setflags(write=False)
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "rate_rps", values)

    def __len__(self) -> int:
        return len(self.rate_rps)

    @property
    def end(self) -> datetime:
        """The end of the last interval, which is not part of it."""
        return self.start + len(self) * self.step

    @property
    def span(self) -> timedelta:
        """From the start of the first interval to the end of the last."""
        return len(self) * self.step

    @property
    def step_seconds(self) -> float:
        """The step in seconds."""
        return self.step.total_seconds()

    @property
    def times(self) -> pd.DatetimeIndex:
        """The start of every interval, UTC."""
        return pd.date_range(self.start, periods=len(self), freq=self.step, unit="ns")

    def index_of(self, instant: datetime) -> int:
        """The position of the interval that holds ``instant``; may lie outside the series."""
        return (instant - self.start) // self.step

    def before(self, cutoff: datetime) -> TrafficSeries | None:
        """What was known at ``cutoff``: the intervals that ended by then, or None."""
        known = min(self.index_of(cutoff), len(self))
        if known <= 0:
            return None
        return TrafficSeries(self.series_id, self.start, self.step, self.rate_rps[:known])

    def since(self, instant: datetime) -> TrafficSeries | None:
        """The intervals that start at ``instant`` or later, or None."""
        first = max(-((self.start - instant) // self.step), 0)
        if first >= len(self):
            return None
        return TrafficSeries(
            self.series_id, self.start + first * self.step, self.step, self.rate_rps[first:]
        )

    def observed_bounds(self) -> tuple[int, int] | None:
        """Positions (first, last + 1) of the observed steps, or None where all are gaps."""
        observed = np.flatnonzero(~np.isnan(self.rate_rps))
        return (int(observed[0]), int(observed[-1]) + 1) if len(observed) else None


@dataclass(frozen=True, eq=False)
class TrafficHistory:
    """The traffic of one or many workloads, all at the same step, each with a span of its own.

    Raises ValueError where there is no series, ids repeat or steps differ.
    """

    series: tuple[TrafficSeries, ...]

    def __init__(self, series: Sequence[TrafficSeries]) -> None:
        object.__setattr__(self, "series", tuple(series))
        if not self.series:
            raise ValueError("a history needs at least one series")
        ids = [one.series_id for one in self.series]
        if len(set(ids)) != len(ids):
            repeated = sorted({name for name in ids if ids.count(name) > 1})
            raise ValueError(f"series ids must be unique; repeated: {', '.join(repeated)}")
        if len({one.step for one in self.series}) != 1:
            raise ValueError("all series of a history share one step")

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[TrafficSeries]:
        return iter(self.series)

    def __getitem__(self, series_id: str) -> TrafficSeries:
        for one in self.series:
            if one.series_id == series_id:
                return one
        raise KeyError(series_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in the order given."""
        return tuple(one.series_id for one in self.series)

    @property
    def step(self) -> timedelta:
        """The step that all series share."""
        return self.series[0].step

    def to_frame(self) -> pd.DataFrame:
        """statsforecast's frame, ``unique_id, ds, y``: ds is naive UTC, y may be NaN."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        UNIQUE_ID: one.series_id,
                        DS: one.times.tz_localize(None),
                        Y: one.rate_rps,
                    }
                )
                for one in self.series
            ],
            ignore_index=True,
        )
