"""Coverage where it is hard: hundreds of sparse series, a level that doubles in a minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.traces import Trace
from forecaster.backtest import map_unordered
from forecaster.backtest.losses import coverage
from forecaster.backtest.peak_decisions import decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_scores import score_peaks
from forecaster.backtest.peak_tasks import peak_tasks, with_fleet_models
from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficSeries

__all__ = ["measure_shift", "measure_sparse"]

LEVELS = (0.5, 0.9, 0.98)
_SPARSE = "many-azure-functions-2019-1min.csv.gz"
_HOURS = ((0, 6), (6, 24), (24, 48))


def measure_sparse(folder: Path, lead_steps: Sequence[int] = (1, 5, 10)) -> str:
    """Pooled coverage over the second half of 500 series of eight hours, taught by the first."""
    history = read_traffic(folder / _SPARSE, ReadOptions(unit=Unit.REQUESTS)).history
    lines = ["| lead | 0.5 | 0.9 | 0.98 |", "|---:|---:|---:|---:|"]
    for lead in lead_steps:
        tasks = [
            task
            for series in history
            for task in peak_tasks(series, series.start + series.span / 2, lead, LEVELS)
        ]
        parts = [
            decide(series, [work_origin(task)], lead, LEVELS)
            for series, task in zip(history, with_fleet_models(tasks), strict=True)
        ]
        pooled = score_peaks(parts).coverage
        lines.append(f"| {lead} min | " + " | ".join(f"{pooled[q]:.4f}" for q in LEVELS) + " |")
    return "\n".join(lines)


def measure_shift(traces: Sequence[Trace], jobs: int = 2) -> str:
    """Coverage after the traffic doubled, beside that of the trace as it was at the same hours."""
    lines = [
        "| trace | hours after | 0.9, doubled | as it was | 0.98, doubled | as it was |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in map_unordered(_shifted, traces, jobs):
        lines += row
    return "\n".join(lines)


def _shifted(trace: Trace) -> list[str]:
    series, lead_steps = trace.series, max(1, -(-timedelta(minutes=5) // trace.series.step))
    at = len(series) - round(timedelta(days=4, hours=-5) / series.step)
    doubled = series.rate_rps.copy()
    doubled[at:] *= 2
    told = []
    start = series.end - timedelta(days=6)
    for rates in (doubled, series.rate_rps):
        one = TrafficSeries(series.series_id, series.start, series.step, rates)
        origins = [work_origin(task) for task in peak_tasks(one, start, lead_steps, LEVELS)]
        told.append(decide(one, origins, lead_steps, LEVELS))
    lines = []
    for first, last in _HOURS:
        part = slice(*(
            at - series.index_of(start) + round(timedelta(hours=hours) / series.step)
            for hours in (first, last)
        ))  # fmt: skip
        shares = [
            coverage(one.observed_rps[part], one.at(level)[part])
            for level in (0.9, 0.98)
            for one in told
        ]
        cells = " | ".join("–" if np.isnan(share) else f"{share:.3f}" for share in shares)
        lines.append(f"| {trace.name} | {first}–{last} | {cells} |")
    return lines
