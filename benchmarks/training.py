"""What training costs: 28 days at 1 minute, one core, against MSTL on the same at 5 minutes."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

import numpy as np

from forecaster.models import train_outlook
from forecaster.models.zoo import fill_gaps, zoo_models
from forecaster.traffic.history import TrafficSeries

__all__ = ["TrainingCost", "measure_training", "render_training"]

_MIB = 1024  # ru_maxrss counts KiB


@dataclass(frozen=True)
class TrainingCost:
    name: str
    seconds: float
    mstl_seconds: float
    peak_mib: float


def measure_training(name: str, series: TrafficSeries) -> TrainingCost:
    """In a fresh process, so that the peak memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (name, series))


def _measure(name: str, series: TrafficSeries) -> TrainingCost:
    from forecaster.models.day_grid import make_day_grid

    past = series.since(series.end - timedelta(days=28))
    assert past is not None
    zoo_models()  # imports are not counted
    train_outlook(past, past.end)
    seconds = min(_timed(lambda: train_outlook(past, past.end)) for _ in range(3))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
    rows = fill_gaps(make_day_grid(past).rates, 288)
    assert rows is not None
    y, day = np.ascontiguousarray(rows.ravel()), 288
    mstl = zoo_models()["MSTL"].build
    mstl_seconds = _timed(lambda: mstl((day, 7 * day)).forecast(y=y, h=2 * day))
    return TrainingCost(name, seconds, mstl_seconds, peak)


def _timed(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def render_training(rows: list[TrainingCost]) -> str:
    lines = [
        "| trace, 28 days at 1 minute | training, CPU s | MSTL once at 5 minutes, CPU s "
        "| MSTL ÷ ours | peak MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.name} | {row.seconds:.2f} | {row.mstl_seconds:.1f} "
        f"| {row.mstl_seconds / row.seconds:.0f} | {row.peak_mib:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)
