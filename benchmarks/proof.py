"""Slack at equal unserved traffic, and coverage of the lead peak, over the last 14 days of traces.

Every policy runs over the same pods and the same HPA, each at its own best setting for each point.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.traces import Trace
from forecaster.backtest import (
    DayAhead,
    Exporter,
    Frontier,
    Preroll,
    ReplaySettings,
    ReplaySpan,
    Schedule,
    auto_capacity,
    build_frontier,
    map_unordered,
    sweep_all,
)
from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_scores import score_peaks
from forecaster.backtest.peak_tasks import peak_tasks

__all__ = ["Cell", "measure_proof", "proof_traces", "render_coverage", "render_proof"]

TEST = timedelta(days=14)
LEADS = (timedelta(minutes=5), timedelta(minutes=10))
QUANTILES = (
    0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995
)  # fmt: skip
JUDGED = (0.5, 0.9, 0.98)
RIVALS = ("schedule", "exporter", "outlook")
CLUSTERS = {"no band": 0.0, "band": 0.1}
"""The HPA's dead band, the same for all."""


@dataclass(frozen=True)
class Cell:
    """One trace at one lead time: a frontier for each of :data:`CLUSTERS`, and coverage."""

    trace: str
    lead_minutes: int
    headline: bool
    frontiers: dict[str, Frontier] = field(repr=False)
    coverage: dict[float, float]


def proof_traces(traces: Sequence[Trace]) -> list[Trace]:
    """Those of at least 21 days and steps of at most 15 minutes; above 5 minutes in no headline."""
    return [
        one
        for one in traces
        if one.series.step <= timedelta(minutes=15) and one.series.span >= timedelta(days=21)
    ]


def measure_proof(
    traces: Sequence[Trace], jobs: int = 2, leads: Sequence[timedelta] = LEADS
) -> list[Cell]:
    asked = [(trace, lead) for trace in proof_traces(traces) for lead in leads]
    asked.sort(key=lambda one: one[0].series.step)  # the dearest first
    cells = []
    for cell in map_unordered(_measure, asked, jobs):
        print(f"  {cell.trace}, {cell.lead_minutes} minutes: {_told(cell)}", flush=True)
        cells.append(cell)
    return sorted(cells, key=lambda one: (not one.headline, one.trace, one.lead_minutes))


def decisions_of(trace: Trace, lead: timedelta) -> PeakDecisions:
    series = trace.series
    lead_steps = max(1, -(-lead // series.step))
    tasks = peak_tasks(series, series.end - TEST, lead_steps, QUANTILES)
    return decide(series, [work_origin(task) for task in tasks], lead_steps, QUANTILES)


def _measure(asked: tuple[Trace, timedelta]) -> Cell:
    trace, lead = asked
    decisions = decisions_of(trace, lead)
    span = ReplaySpan(trace.series, decisions.start)
    capacity = auto_capacity(span)
    frontiers = {}
    for name, tolerance in CLUSTERS.items():
        floors = [
            Schedule(),
            Exporter(),
            DayAhead("outlook", decisions.median_rps),
            *(Preroll(q, decisions.served(q)) for q in QUANTILES),
        ]
        settings = ReplaySettings(capacity, lead, tolerance_ratio=tolerance)
        frontiers[name] = build_frontier(sweep_all(span, floors, settings))
    return Cell(
        trace.name,
        round(lead / timedelta(minutes=1)),
        trace.series.step <= timedelta(minutes=5),
        frontiers,
        {q: score_peaks([decisions]).coverage[q] for q in JUDGED},
    )


def _told(cell: Cell) -> str:
    ratios = {name: one.mean_ratio_to_hpa() for name, one in cell.frontiers.items()}
    return ", ".join(f"{name} {_ratio(ratio)}" for name, ratio in ratios.items()) + (
        f"; coverage {', '.join(f'{share:.4f} of {q:g}' for q, share in cell.coverage.items())}"
    )


def render_proof(cells: Sequence[Cell], name: str) -> str:
    """One frontier of every cell; ``name`` is one of :data:`CLUSTERS`."""
    lines = [
        "| trace | lead | slack at 1 % unserved: HPA, Preroll | 0.5 % | 0.2 % | 0.1 % "
        "| Preroll ÷ HPA | schedule ÷ HPA | exporter ÷ HPA | outlook × factor ÷ HPA |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in cells:
        frontier = cell.frontiers[name]
        points = [
            f"{_percent(row.slack('hpa'))}, {_percent(row.slack('preroll'))}"
            for row in frontier.rows
        ]
        rivals = [_ratio(frontier.mean_ratio_to_hpa(rival)) for rival in RIVALS]
        own = frontier.mean_ratio_to_hpa()
        note = "" if cell.headline else " (coarse)"
        lines.append(
            f"| {cell.trace}{note} | {cell.lead_minutes} min | {' | '.join(points)} "
            f"| **{_ratio(own)}** | {' | '.join(rivals)} |"
        )
    ratios = [r for c in cells if c.headline and (r := c.frontiers[name].mean_ratio_to_hpa())]
    better = sum(_best_everywhere(c, name) for c in cells if c.headline)
    judged = sum(c.headline for c in cells)
    lines += [
        "",
        f"- Preroll ÷ HPA: median {statistics.median(ratios):.3f}, highest {max(ratios):.3f}, over "
        f"{len(ratios)} of {judged} cells (in the others the HPA reaches no target)",
        f"- at no target more slack than schedule, exporter or outlook × factor: {better} of "
        f"{judged} cells",
    ]
    return "\n".join(lines)


def _best_everywhere(cell: Cell, name: str) -> bool:
    frontier = cell.frontiers[name]
    for row in frontier.rows[:3]:
        ours = row.slack("preroll")
        for rival in RIVALS:
            theirs = row.slack(rival)
            if theirs is not None and (ours is None or ours > theirs):
                return False
    return True


def render_coverage(cells: Sequence[Cell]) -> str:
    lines = [
        "| trace | lead | " + " | ".join(f"{q:g}" for q in JUDGED) + " |",
        "|---|---:|" + "---:|" * len(JUDGED),
    ]
    lines += [
        f"| {cell.trace} | {cell.lead_minutes} min | "
        + " | ".join(f"{cell.coverage[q]:.4f}" for q in JUDGED)
        + " |"
        for cell in cells
    ]
    for level, allowed in ((0.9, 0.015), (0.98, 0.007)):
        off = [abs(cell.coverage[level] - level) for cell in cells]
        inside = sum(one <= allowed for one in off)
        lines.append(
            f"\n- at {level:g}: farthest {max(off):.4f}, within {allowed} in {inside} of "
            f"{len(off)} cells"
        )
    return "\n".join(lines)


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
