"""The tables of a proof, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from forecaster.backtest.days import ComparedDay
from forecaster.backtest.frontier import Frontier
from forecaster.backtest.measures import Shortage
from forecaster.backtest.peak_scores import PeakScores
from forecaster.backtest.phrases import day_words, percent, setting_words
from forecaster.backtest.replay import PolicyReplay
from forecaster.backtest.report import BacktestReport
from forecaster.backtest.span import ReplaySpan
from forecaster.plots.frontier import policies_of
from forecaster.plots.page import PageTable
from forecaster.plots.policies import policy_label
from forecaster.plots.style import local_time

__all__ = [
    "coverage_table",
    "day_ahead_table",
    "day_table",
    "frontier_table",
    "lasted",
    "policy_table",
    "settings_table",
    "shortage_table",
]

_SHORTAGES = 5


def policy_table(
    replays: Mapping[str, PolicyReplay], caption: str = "Every policy as it ran"
) -> PageTable:
    """One row a policy: what it left unserved, how long it was short, what it cost."""
    priced = any(one.measures.cost is not None for one in replays.values())
    header = [
        "policy",
        "unserved",
        "time short",
        "longest",
        "slack",
        "replica-hours",
        "changes",
        *(["cost"] if priced else []),
        "setting",
    ]
    rows = []
    for name, one in replays.items():
        measures = one.measures
        cost = "–" if measures.cost is None else f"{measures.cost:,.2f}"
        rows.append(
            [
                policy_label(name),
                percent(measures.unserved_ratio),
                lasted(measures.underprovisioned_seconds),
                lasted(measures.longest_shortage_seconds),
                percent(measures.slack_ratio),
                f"{measures.replica_hours:,.0f}",
                f"{measures.scaling_actions:,}",
                *([cost] if priced else []),
                setting_words(one.setting) or "exactly what is needed, in time",
            ]
        )
    return PageTable(caption, header, rows)


def frontier_table(frontier: Frontier) -> PageTable:
    """Each policy's least slack at each target, or that it was not reached."""
    swept = policies_of(frontier)
    header = ["policy", *(f"at {percent(row.unserved_ratio)}" for row in frontier.rows)]
    rows = []
    for name in swept:
        slacks = [row.slack(name) for row in frontier.rows]
        cells = ["not reached" if one is None else percent(one) for one in slacks]
        rows.append([policy_label(name), *cells])
    if {"preroll", "hpa"} <= set(swept):
        ratios = [row.ratio_to_hpa() for row in frontier.rows]
        rows.append(["Preroll ÷ HPA", *("–" if one is None else f"{one:.2f}" for one in ratios)])
    return PageTable("Slack at equal unserved traffic", header, rows)


def settings_table(frontier: Frontier, target: float) -> PageTable:
    """Which setting of each policy won at one target; KeyError for one that has no row."""
    rows = {row.unserved_ratio: row for row in frontier.rows}
    best = rows[target].best
    return PageTable(
        f"The best settings at {percent(target)} unserved",
        ["policy", "setting"],
        [
            [policy_label(name), "not reached" if point is None else setting_words(point.setting)]
            for name in policies_of(frontier)
            for point in [best.get(name)]
        ],
    )


def shortage_table(replays: Iterable[PolicyReplay], span: ReplaySpan, timezone: str) -> PageTable:
    """The worst shortages of each policy, the most unserved traffic first."""
    total = float(np.nansum(span.rate_rps)) * span.step_seconds
    worst: list[tuple[PolicyReplay, Shortage]] = [
        (one, shortage) for one in replays for shortage in one.worst(_SHORTAGES)
    ]
    worst.sort(key=lambda pair: -pair[1].unserved_requests)
    rows = []
    for one, shortage in worst:
        start = local_time(shortage.start, timezone)
        rows.append(
            [
                f"{day_words(start.date())}, {start:%H:%M}",
                policy_label(one.name),
                lasted(shortage.seconds),
                f"{shortage.missing_replicas:,}",
                percent(shortage.unserved_requests / total),
            ]
        )
    return PageTable(
        "The worst shortages",
        [f"began ({timezone})", "policy", "lasted", "replicas missing", "share of all traffic"],
        rows,
    )


def day_table(days: Sequence[ComparedDay]) -> PageTable:
    """Unserved traffic of Preroll and of the HPA on each of the days given."""
    return PageTable(
        "Unserved traffic by day",
        ["day", "Preroll", "HPA alone"],
        [[day_words(one.day), percent(one.ours), percent(one.theirs)] for one in days],
    )


def coverage_table(scores: PeakScores) -> PageTable:
    """Asked and observed coverage of the lead peak."""
    levels = list(scores.coverage.items())
    return PageTable(
        "Coverage of the lead peak",
        ["asked", *(f"{level:g}" for level, _ in levels)],
        [["observed", *(f"{share:.3f}" for _, share in levels)]],
    )


def day_ahead_table(report: BacktestReport) -> PageTable:
    """The outlook's errors a day ahead, beside those of its rivals."""
    outlook = report.outlook
    rivals = sorted(
        (pair for pair in outlook.baselines.items() if pair[1].origins),
        key=lambda pair: pair[1].wape,
    )
    return PageTable(
        "The outlook, a day ahead",
        ["forecast", "WAPE", "MASE"],
        [
            ["outlook", percent(outlook.wape), f"{outlook.mase:.2f}"],
            *([name, percent(one.wape), f"{one.mase:.2f}"] for name, one in rivals),
        ],
    )


def lasted(seconds: float) -> str:
    """A duration as people say it.

    >>> [lasted(one) for one in (0, 45, 450, 3600, 86460)]
    ['0', '45 s', '7.5 min', '60 min', '24 h 1 min']
    """
    if seconds < 0.5:
        return "0"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 120:
        return f"{minutes:.1f}".removesuffix(".0") + " min"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours:,} h" + (f" {rest} min" if rest else "")
