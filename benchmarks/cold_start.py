"""The ratio to the best HPA with 0, 1, 3, 7 and 14 days of own history, each always that old.

Each of the last 14 days is decided by what so many days before it teach. Where that is too little
for a model of its own the starter speaks, for a trace that taught it one trained on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from benchmarks.proof import TEST, proof_traces
from benchmarks.starter import TRACES, rows_of, starter_of
from benchmarks.traces import Trace
from forecaster.backtest import (
    Preroll,
    ReplaySettings,
    ReplaySpan,
    auto_capacity,
    build_frontier,
    map_unordered,
    sweep_all,
)
from forecaster.backtest.peak_decisions import decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_scores import score_peaks
from forecaster.backtest.peak_tasks import PeakTask, peak_tasks
from forecaster.models.peak.model import LeadPeakModel
from forecaster.models.peak.training import TeachingRows

__all__ = ["ColdStart", "measure_cold_start", "render_cold_start"]

DAYS = (0, 1, 3, 7, 14)
LEAD = timedelta(minutes=5)
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
FIRST_HOURS = timedelta(hours=1)


@dataclass(frozen=True)
class ColdStart:
    trace: str
    ratio: dict[int, float | None]
    coverage: dict[int, float]
    taught: dict[int, str]


def measure_cold_start(
    traces: Sequence[Trace], folder: Path | None, jobs: int = 2
) -> list[ColdStart]:
    """``folder`` holds the traces that teach the starter; without it day 0 is left out."""
    judged = [one for one in proof_traces(traces) if one.series.step <= timedelta(minutes=5)]
    rows = {name: rows_of(name, folder) for name in TRACES} if folder is not None else {}
    asked = [
        (trace, days, starter)
        for trace in judged
        for starter in [_starter_without(rows, trace.name) if rows else None]
        for days in DAYS
        if days or rows
    ]
    found: dict[str, ColdStart] = {}
    for name, days, ratio, covered, taught in map_unordered(_measure, asked, jobs):
        print(f"  {name}, {days} days: {ratio}", flush=True)
        one = found.setdefault(name, ColdStart(name, {}, {}, {}))
        one.ratio[days], one.coverage[days], one.taught[days] = ratio, covered, taught
    return [found[trace.name] for trace in judged]


def _starter_without(rows: dict[str, TeachingRows], name: str) -> LeadPeakModel:
    return starter_of([one for other, one in rows.items() if other != name])


def _measure(
    asked: tuple[Trace, int, LeadPeakModel | None],
) -> tuple[str, int, float | None, float, str]:
    trace, days, starter = asked
    series = trace.series
    lead_steps = max(1, -(-LEAD // series.step))
    tasks = peak_tasks(series, series.end - TEST, lead_steps, QUANTILES)
    origins = [work_origin(_aged(task, days, starter)) for task in tasks]
    decisions = decide(series, origins, lead_steps, QUANTILES)
    span = ReplaySpan(series, decisions.start)
    settings = ReplaySettings(auto_capacity(span), LEAD, tolerance_ratio=0.0)
    floors = [Preroll(q, decisions.served(q)) for q in QUANTILES]
    frontier = build_frontier(sweep_all(span, floors, settings))
    covered = score_peaks([decisions]).coverage[0.98]
    taught = ", ".join(decisions.taught) or "outlook only"
    return trace.name, days, frontier.mean_ratio_to_hpa(), covered, taught


def _aged(task: PeakTask, days: int, starter: LeadPeakModel | None) -> PeakTask:
    """The task of a workload that is ``days`` old; one on its first day knows an hour."""
    part = task.series.since(task.cutoff - (timedelta(days=days) if days else FIRST_HOURS))
    if part is None:
        raise ValueError(f"{task.series.series_id}: nothing before {task.cutoff}")
    fleet = None
    if starter is not None:
        fleet = replace(starter, step=part.step, lead_steps=task.lead_steps)
    return replace(task, series=part, fleet=fleet, starter=False)


def render_cold_start(rows: Sequence[ColdStart]) -> str:
    days = sorted({day for row in rows for day in row.ratio})
    lines = [
        "| trace | " + " | ".join(f"{day} days" for day in days) + " | coverage of 0.98 |",
        "|---|" + "---:|" * len(days) + "---|",
    ]
    for row in rows:
        cells = [
            f"{'–' if (ratio := row.ratio[day]) is None else format(ratio, '.2f')}"
            f" ({row.taught[day]})"
            for day in days
        ]
        covered = ", ".join(f"{row.coverage[day]:.3f}" for day in days)
        lines.append(f"| {row.trace} | {' | '.join(cells)} | {covered} |")
    return "\n".join(lines)
