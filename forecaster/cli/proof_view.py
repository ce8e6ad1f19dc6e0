"""A proof for people: the verdict first, then the tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.backtest.measures import Measures
from forecaster.backtest.phrases import percent, setting_words
from forecaster.backtest.pooled import PooledRow, pooled_frontier, pooled_measures
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.verdict import verdict
from forecaster.cli.backtest_view import backtest_report, terminal_table
from forecaster.durations import format_duration
from forecaster.plots import PageTable

__all__ = ["proof_report"]

_MOST_SERIES = 20
_TERMS = (
    "Unserved: traffic above ready capacity. Idle: ready replica-hours beyond those of perfect "
    "foresight. Coverage: best where it is the quantile itself. –: not reached."
)


def proof_report(proof: Proof) -> Group:
    """The verdict in a sentence, then policies, frontier, coverage, and the outlook's scores."""
    parts: list[RenderableType] = [Text(verdict(proof)), Text(_asked(proof), style="dim")]
    for table in _tables(proof):
        parts += [Text(""), Text(table.caption, style="bold"), terminal_table(table)]
    if len(proof.series) == 1:
        parts += _settings(next(iter(proof.series.values())))
    parts += [Text(""), Text(_TERMS, style="dim")]
    if proof.day_ahead is not None:
        parts += [Text(""), backtest_report(proof.day_ahead)]
    return Group(*parts)


def _settings(one: SeriesProof) -> list[RenderableType]:
    """What each policy stood at, in small print."""
    told = [
        f"{name}: {setting_words(replay.setting)}"
        for name, replay in one.replays.items()
        if replay.setting
    ]
    return [Text(""), Text("Settings: " + "; ".join(told) + ".", style="dim")] if told else []


def _asked(proof: Proof) -> str:
    asked = proof.asked
    steps = sum(one.decisions.peak_rps.shape[1] for one in proof.series.values())
    series = f"{len(proof.series)} series, " if len(proof.series) > 1 else ""
    capacities = [one.settings.capacity_rps for one in proof.series.values()]
    capacity = f"{capacities[0]:,.4g} rps a replica"
    if len(set(capacities)) > 1:
        capacity = f"{min(capacities):,.3g} to {max(capacities):,.3g} rps a replica"
    if asked.capacity_rps is None:
        capacity += " (auto: the highest traffic needs 100)"
    return (
        f"{series}{steps:,} decisions of {format_duration(proof.step)}, lead time "
        f"{format_duration(asked.lead_time)}, {capacity}."
    )


def _tables(proof: Proof) -> Iterable[PageTable]:
    if any(one.replays for one in proof.series.values()):
        yield _policies(proof)
    if any(one.frontier for one in proof.series.values()):
        yield _frontier(proof)
    yield _coverage(proof)
    if len(proof.series) > 1:
        yield _series(proof)


def _policies(proof: Proof) -> PageTable:
    pooled = pooled_measures(proof)
    priced = any(one.measures.cost is not None for one in pooled.values())
    header = ["", "unserved", "short for", "longest", "idle", "replica-hours", "actions"]
    rows = []
    for name, one in pooled.items():
        label = name if one.series == len(proof.series) else f"{name} ({one.series} series)"
        cost = [f"{one.measures.cost:,.2f}" if one.measures.cost is not None else "–"]
        rows.append([label, *_measures(one.measures), *(cost if priced else [])])
    header += ["cost"] if priced else []
    return PageTable("What each autoscaler had run", header, rows)


def _measures(measures: Measures) -> list[str]:
    return [
        percent(measures.unserved_ratio),
        _time(measures.underprovisioned_seconds),
        _time(measures.longest_shortage_seconds),
        percent(measures.slack_ratio),
        f"{measures.replica_hours:,.0f}",
        f"{measures.scaling_actions:,}",
    ]


def _frontier(proof: Proof) -> PageTable:
    rows = pooled_frontier(proof)
    names = list(rows[0].slack)
    several = len(proof.series) > 1
    caption = "Idle replica-hours at equal unserved traffic, each policy at its best setting"
    header = ["unserved", *names, "preroll ÷ hpa", *(["series"] if several else [])]
    cells = [
        [
            percent(row.unserved_ratio),
            *(_slack(row, name) for name in names),
            _ratio(row.ratio_to_hpa()),
            *([str(row.series)] if several else []),
        ]
        for row in rows
    ]
    return PageTable(caption, header, cells)


def _coverage(proof: Proof) -> PageTable:
    coverage = proof.scores.coverage
    header = ["quantile", *(repr(float(level)) for level in coverage)]
    rows = [["coverage", *(_share(value) for value in coverage.values())]]
    live = f"live traffic spoke in {percent(proof.scores.live_ratio)} of decisions"
    caption = (
        f"Coverage of the lead peak: the share of {proof.scores.windows:,} windows at or below "
        f"each quantile; {live}"
    )
    return PageTable(caption, header, rows)


def _series(proof: Proof) -> PageTable:
    largest = sorted(proof.series.items(), key=lambda item: -_volume(item[1]))[:_MOST_SERIES]
    level = _shown_level(proof)
    rows = []
    for name, one in largest:
        cells = [name, _share(one.scores.coverage[level])]
        for policy in ("hpa", "preroll"):
            measures = one.replays[policy].measures if policy in one.replays else None
            cells += (
                ["–", "–"]
                if measures is None
                else [percent(measures.unserved_ratio), percent(measures.slack_ratio)]
            )
        rows.append(cells)
    caption = "Each series"
    if len(proof.series) > _MOST_SERIES:
        caption = f"The {_MOST_SERIES} largest of {len(proof.series)} series; all are in the JSON"
    header = ["series", f"coverage at {level:g}", "hpa: unserved", "idle"]
    return PageTable(caption, [*header, "preroll: unserved", "idle"], rows)


def _shown_level(proof: Proof) -> float:
    """The quantile of the replay, or the nearest that was scored."""
    levels: Sequence[float] = list(proof.scores.coverage)
    return min(levels, key=lambda level: abs(level - proof.asked.quantile))


def _volume(one: SeriesProof) -> float:
    return 0.0 if one.span is None else float(one.span.rate_rps[one.span.observed].sum())


def _slack(row: PooledRow, name: str) -> str:
    slack = row.slack[name]
    if slack is not None:
        return percent(slack)
    return f"not tried on {row.not_tried[name]}" if name in row.not_tried else "–"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _share(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _time(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:,.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
