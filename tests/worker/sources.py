"""Sources of real traffic, moved to the present: plain functions and picklable factories."""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from forecaster.errors import SourceUnavailable
from forecaster.planning import ScalingRule
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.traffic.sample import sample_history
from forecaster.worker import Fetch

NOW = datetime(2026, 5, 4, 18, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)  # a fifth of the work that minutes are
MINUTE = timedelta(minutes=1)


def moved_trace(workload: str, end: datetime, days: float, step: timedelta = STEP) -> TrafficSeries:
    """The last days of the bundled trace, as if they ended at ``end``."""
    minutes = sample_history().series[0].rate_rps
    factor = step // timedelta(minutes=1)
    count = int(timedelta(days=days) / step)
    parts = np.nan_to_num(minutes[-count * factor :]).reshape(count, factor)
    return TrafficSeries(workload, end - count * step, step, parts.mean(axis=1))


def history(*workloads: str, end: datetime = NOW, days: float = 3) -> TrafficHistory:
    """The moved trace for several workloads, the later ones the busier."""
    base = moved_trace("x", end, days)
    return TrafficHistory(
        [
            TrafficSeries(name, base.start, base.step, base.rate_rps * (1 + place))
            for place, name in enumerate(workloads)
        ]
    )


def fetch_from(known: TrafficHistory) -> Fetch:
    """A source that knows this history and nothing after it."""

    def fetch(start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
        assert step == known.step
        parts = [one.since(start) for one in known]
        cut = [one.before(end) for one in parts if one is not None]
        found = [one for one in cut if one is not None]
        return FetchedTraffic(TrafficHistory(found) if found else None, ())

    return fetch


def failing(start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
    """A source that is down."""
    raise SourceUnavailable("http://prometheus:9090: connection refused")


def fleet(*workloads: str, step: timedelta = STEP, **rule: object) -> Fleet:
    """A fleet of these workloads under one rule."""
    chosen = ScalingRule(**{"capacity_rps": 1.0, "max_replicas": 10_000, **rule})
    return Fleet(tuple(WorkloadSettings(*name.split("/"), chosen) for name in workloads), step=step)


@dataclass(frozen=True)
class TraceSource:
    """A factory for other processes: the moved trace, up to the moment it is asked.

    With ``down_file``, it is down while that file exists; ``delay_seconds`` is how long an answer
    takes.
    """

    workloads: tuple[str, ...]
    down_file: Path | None = None
    delay_seconds: float = 0.0

    def __call__(self) -> Fetch:
        return self.fetch

    def for_fleet(self, fleet: Fleet) -> TraceSource:
        """The traces of the fleet's workloads."""
        return replace(self, workloads=tuple(one.workload for one in fleet.workloads))

    def fetch(self, start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
        """The trace, moved so that it ends at ``end``."""
        time.sleep(self.delay_seconds)
        if self.down_file is not None and self.down_file.exists():
            raise SourceUnavailable("http://prometheus:9090: connection refused")
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        last = epoch + (end - epoch) // step * step
        days = min((last - start) / timedelta(days=1), 3)
        base = moved_trace("x", last, days, step)
        series = [TrafficSeries(name, base.start, step, base.rate_rps) for name in self.workloads]
        return FetchedTraffic(TrafficHistory(series) if series else None, ())


@dataclass(frozen=True)
class FileClock:
    """A clock that a test moves: it stands at ``NOW`` and the hours in a file, in every process."""

    path: Path

    def __call__(self) -> datetime:
        return NOW + timedelta(hours=float(self.path.read_text()))

    def move_to(self, hours: float) -> None:
        """Set the time, in one move: nobody reads half a number."""
        new = self.path.with_suffix(".new")
        new.write_text(str(hours))
        new.replace(self.path)


def write_traffic_file(path: Path, series: TrafficSeries) -> None:
    """The series as a compressed CSV of requests per step."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("timestamp,value\n")
        for index, rate in enumerate(series.rate_rps):
            at = series.start + index * series.step
            file.write(f"{at:%Y-%m-%dT%H:%M:%SZ},{rate * series.step_seconds:.0f}\n")
