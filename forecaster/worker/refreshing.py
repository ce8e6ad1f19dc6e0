"""refresh(now): the latest complete interval of the whole fleet, by one question."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from forecaster.errors import TrafficError
from forecaster.planning.snapshot import ObservedTraffic
from forecaster.settings import Fleet
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.messages import Refreshed, RefreshFailed
from forecaster.worker.source import Fetch
from forecaster.worker.words import without_name

__all__ = ["INTERVALS", "refresh"]

INTERVALS = 5
"""How many intervals are asked for: the last may be late, and so may the one before."""


def refresh(now: datetime, fleet: Fleet, fetch: Fetch) -> Refreshed | RefreshFailed:
    """The newest observed interval, among the last five, of each workload that has one."""
    try:
        fetched = fetch(now - (INTERVALS + 1) * fleet.step, now, fleet.step)
    except TrafficError as error:
        return RefreshFailed(now, str(error))
    observed = {}
    wanted = {one.workload for one in fleet.workloads}
    if fetched.history is not None:
        for series in fetched.history:
            latest = _latest(series) if series.series_id in wanted else None
            if latest is not None:
                observed[series.series_id] = latest
    refused = {
        name: without_name(reason, name)
        for name, reason in fetched.refused.items()
        if name in wanted
    }
    return Refreshed(now, observed, fetched.warnings, refused)


def _latest(series: TrafficSeries) -> ObservedTraffic | None:
    known = np.flatnonzero(~np.isnan(series.rate_rps))
    if not len(known):
        return None
    last = int(known[-1])
    return ObservedTraffic(series.start + last * series.step, float(series.rate_rps[last]))
