"""The last hours of live traffic, in memory: what a lead peak is told from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from forecaster.models.peak.features import recent_steps
from forecaster.settings import Fleet
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.schedule import settling_time

__all__ = ["LATE_INTERVALS", "LiveTraffic", "joined"]

LATE_INTERVALS = 5
"""How many intervals are asked for again: the last may be late, and so may those before."""


class LiveTraffic:
    """The recent traffic of each workload; what comes late takes the place of a gap, or of less.

    It reaches back as far as a decision looks, and one lead window more, so that a decision can
    be judged when its window has passed.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._step = fleet.step
        self._steps = _steps_back(fleet)
        self._names = {one.workload for one in fleet.workloads}
        self._series: dict[str, TrafficSeries] = {}
        self._answered: datetime | None = None

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads or rules; where more is needed than is known, all is asked for again."""
        names, steps = {one.workload for one in fleet.workloads}, _steps_back(fleet)
        if names - self._names or steps > self._steps:
            self._answered = None
        self._names, self._steps = names, steps
        self._series = {name: one for name, one in self._series.items() if name in names}

    def question(self, now: datetime) -> tuple[datetime, datetime]:
        """From when to when to ask at ``now``: everything at first, then what may have changed.

        After an outage what was missed is asked for as well. An interval is asked for once its
        scrapes have had the time to arrive. After the clock was set back it goes on from there.
        """
        whole = now - self._steps * self._step
        if self._answered is None:
            start = whole
        else:
            start = max(whole, min(self._answered, now) - (LATE_INTERVALS + 1) * self._step)
        return start, now - settling_time(self._step)

    def take(self, now: datetime, found: Iterable[TrafficSeries]) -> None:
        """The answer to the question at ``now``; an interval that ends after it is dropped.

        There is none but after the clock was set back, or with a source whose clock is ahead.
        """
        self._answered = now
        kept = {name: _until(one, now) for name, one in self._series.items()}
        for series in found:
            known = _until(series, now)
            if known is not None:
                kept[series.series_id] = joined(kept.get(series.series_id), known, self._steps)
        self._series = {name: one for name, one in kept.items() if one is not None}

    def recent(self, workload: str) -> TrafficSeries | None:
        """What is known of a workload's last hours; None where nothing ever was."""
        return self._series.get(workload)


def _steps_back(fleet: Fleet) -> int:
    lead = max((one.rule.lead_steps(fleet.step) for one in fleet.workloads), default=1)
    return recent_steps(fleet.step) + lead + 1 + LATE_INTERVALS


def joined(old: TrafficSeries | None, new: TrafficSeries, steps: int) -> TrafficSeries:
    """The last ``steps`` intervals of both; where both know an interval, the new one counts.

    A series on another grid, or far away in time, takes the place of the old one.
    """
    if old is None or old.step != new.step or (new.start - old.start) % new.step:
        return _last(new, steps)
    end = max(old.end, new.end)
    start = max(min(old.start, new.start), end - steps * new.step)
    rates = np.full((end - start) // new.step, np.nan)
    for one in (old, new):
        part = one.since(start)
        if part is not None:
            first = (part.start - start) // part.step
            place = rates[first : first + len(part)]
            np.copyto(place, part.rate_rps, where=~np.isnan(part.rate_rps))
    return TrafficSeries(new.series_id, start, new.step, rates)


def _until(series: TrafficSeries, now: datetime) -> TrafficSeries | None:
    return series if series.end <= now else series.before(now)


def _last(series: TrafficSeries, steps: int) -> TrafficSeries:
    return series.since(series.end - steps * series.step) or series
