"""A recorded trace, moved in time by one constant offset, as a live source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.traffic.sample import sample_history

__all__ = ["ShiftedSample", "shift_to"]


@dataclass(frozen=True)
class ShiftedSample:
    """Makes a source that plays the bundled trace: its instant t happens at t + ``offset``.

    Whole steps are moved by whole steps, so ``offset`` is a multiple of the trace's step.
    """

    offset: timedelta
    series_id: str = "streaming/player-api"

    def __call__(self) -> Callable[[datetime, datetime, timedelta], FetchedTraffic]:
        """The source: the intervals of [start, end), at the trace's own step."""
        recorded = sample_history(self.series_id)[self.series_id]
        moved = TrafficSeries(
            self.series_id, recorded.start + self.offset, recorded.step, recorded.rate_rps
        )

        def fetch(start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
            if step != moved.step:
                return FetchedTraffic(None, (f"the trace has a step of {moved.step}",))
            first = -(-(start - moved.start) // step)
            steps = max(0, (end - moved.start) // step - first)
            if steps == 0 or first >= len(moved) or first + steps <= 0:
                return FetchedTraffic(None, ("the recording does not reach here",))
            rates = np.full(steps, np.nan)
            source = np.arange(first, first + steps)
            inside = (source >= 0) & (source < len(moved))
            rates[inside] = moved.rate_rps[source[inside]]
            series = TrafficSeries(self.series_id, moved.start + first * step, step, rates)
            return FetchedTraffic(TrafficHistory([series]), ())

        return fetch


def shift_to(
    recorded: datetime, now: datetime, step: timedelta = timedelta(minutes=1)
) -> timedelta:
    """The offset, in whole steps, by which ``recorded`` happens now or less than a step ago."""
    return (now - recorded) // step * step
