"""What training costs: 28 days at 1 minute, one core, against MSTL on the same at 5 minutes.

And a refresh: the decisions of 1,000 workloads at one instant, fetch excluded.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

import numpy as np

from forecaster.models import train_outlook
from forecaster.models.peak import LivePeak, train_lead_peak
from forecaster.models.zoo import fill_gaps, zoo_models
from forecaster.traffic.history import TrafficSeries

__all__ = ["TrainingCost", "measure_training", "render_training"]

_LEAD_STEPS = 5
_WORKLOADS = 1000
_MIB = 1024  # ru_maxrss counts KiB


@dataclass(frozen=True)
class TrainingCost:
    name: str
    seconds: float
    peak_seconds: float
    mstl_seconds: float
    peak_mib: float
    refresh_seconds: float


def measure_training(name: str, series: TrafficSeries) -> TrainingCost:
    """In a fresh process, so that the peak memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (name, series))


def _measure(name: str, series: TrafficSeries) -> TrainingCost:
    from forecaster.models.day_grid import make_day_grid

    past = series.since(series.end - timedelta(days=28))
    assert past is not None
    zoo_models()  # imports are not counted
    trained = train_outlook(past, past.end)
    model = train_lead_peak(past, past.end, trained.path, _LEAD_STEPS)
    seconds = min(_timed(lambda: train_outlook(past, past.end)) for _ in range(3))
    peak_seconds = min(
        _timed(lambda: train_lead_peak(past, past.end, trained.path, _LEAD_STEPS)) for _ in range(3)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
    recent = past.since(past.end - timedelta(hours=5))
    assert recent is not None
    live = [LivePeak(model, (0.5, 0.98)) for _ in range(_WORKLOADS)]
    refresh_seconds = _timed(lambda: [one.decide(recent) for one in live])
    rows = fill_gaps(make_day_grid(past).rates, 288)
    assert rows is not None
    y, day = np.ascontiguousarray(rows.ravel()), 288
    mstl = zoo_models()["MSTL"].build
    mstl_seconds = _timed(lambda: mstl((day, 7 * day)).forecast(y=y, h=2 * day))
    return TrainingCost(name, seconds, peak_seconds, mstl_seconds, peak, refresh_seconds)


def _timed(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def render_training(rows: list[TrainingCost]) -> str:
    lines = [
        "| trace, 28 days at 1 minute | outlook, CPU s | lead peak, CPU s | together "
        "| MSTL once at 5 minutes, CPU s | peak MiB | refresh of 1,000 workloads, CPU s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.name} | {row.seconds:.2f} | {row.peak_seconds:.2f} "
        f"| {row.seconds + row.peak_seconds:.2f} | {row.mstl_seconds:.1f} | {row.peak_mib:.0f} "
        f"| {row.refresh_seconds:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)
