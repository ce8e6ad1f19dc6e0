"""A plan for people: the target now, a table of what changes, a chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from forecaster.cli.chart import column_chart, compact_number, per_column, time_axis
from forecaster.durations import format_duration
from forecaster.planning import Plan, Target, replicas_for
from forecaster.planning.event_floor import Declared, event_floor, planned_floors

__all__ = ["plan_json", "plan_notes", "plan_report", "plan_rows"]

_MOST_ROWS = 26
# Of the outlook's reasons, those that a longer file would put right.
_TOO_SHORT = ("a weekly one cannot be told", "less than two days")


@dataclass(frozen=True)
class _Run:
    """Steps ``first`` to ``last`` (left out) of a plan, shown as one row."""

    first: int
    last: int
    lowest: int
    highest: int


def plan_report(plan: Plan, target: Target, zone: ZoneInfo, width: int) -> Group:
    """What a person reads: the target now and its reasons, a chart, a table of changes."""
    return Group(
        _sentence(plan, target),
        Text(""),
        _chart(plan, width, zone),
        Text(""),
        _table(plan, zone),
    )


def _runs(plan: Plan) -> list[_Run]:
    """Stretches of equal targets, in order; they cover the plan."""
    starts = [0, *(np.flatnonzero(np.diff(plan.replicas)) + 1).tolist(), len(plan)]
    return [
        _Run(first, last, int(plan.replicas[first]), int(plan.replicas[first]))
        for first, last in pairwise(starts)
    ]


def _rows(plan: Plan) -> list[_Run]:
    """A row per change; where those are too many to read, a row for every two hours."""
    runs = _runs(plan)
    if len(runs) <= _MOST_ROWS:
        return runs
    per_row = max(1, -(-len(plan) // 24))
    blocks = []
    for first in range(0, len(plan), per_row):
        part = plan.replicas[first : first + per_row]
        blocks.append(_Run(first, first + len(part), int(part.min()), int(part.max())))
    return blocks


def plan_notes(plan: Plan, target: Target) -> list[str]:
    """The target now with its reasons, what comes, what more history would tell, and a warning
    where the maximum is too low.
    """
    rule, peak = plan.rule, int(plan.replicas.argmax())
    lowest, highest = int(plan.replicas.min()), int(plan.replicas[peak])
    course = f"{_replicas(highest)} throughout"
    if lowest < highest:
        course = (
            f"{lowest} to {_replicas(highest)}, the most from {_at(plan, peak):%a %H:%M} UTC on"
        )
    notes = [
        f"{target.workload}: {_replicas(target.planned_replicas)} "
        f"at {target.at:%Y-%m-%d %H:%M} UTC",
        *target.reasons,
        f"Next {(plan.end - plan.start) / timedelta(hours=1):.0f} h: {course}. "
        f"Model: {plan.outlook.model}.",
        *_short_history(plan),
    ]
    short = int((plan.peak_rps > rule.capacity_rps * rule.max_replicas).sum())
    if short:
        notes.append(
            f"The maximum of {_replicas(rule.max_replicas)} is too low for "
            f"{format_duration(short * plan.outlook.step)} of the next "
            f"{(plan.end - plan.start) / timedelta(hours=1):.0f} h; raise --max-replicas, or check "
            "--capacity and --unit."
        )
    return notes


def _short_history(plan: Plan) -> list[str]:
    return [one for one in plan.outlook.reasons if any(part in one for part in _TOO_SHORT)]


def _sentence(plan: Plan, target: Target) -> Text:
    headline, *rest = plan_notes(plan, target)
    text = Text(headline, style="bold")
    reasons = {*target.reasons, *_short_history(plan)}
    for note in rest:
        reason = note in reasons
        text.append(f"\n  {note}" if reason else f"\n{note}", style="dim" if reason else "not bold")
    return text


def _table(plan: Plan, zone: ZoneInfo) -> Table:
    """From when to when how many replicas, and the traffic behind it."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(f"from ({zone.key})", no_wrap=True)
    table.add_column("to", no_wrap=True)
    table.add_column("replicas", justify="right", no_wrap=True)
    table.add_column("why")
    for run in _rows(plan):
        same = run.lowest == run.highest
        table.add_row(
            f"{_at(plan, run.first).astimezone(zone):%a %d %b %H:%M}",
            f"{_at(plan, run.last).astimezone(zone):%a %H:%M}",
            f"{run.highest}" if same else f"{run.lowest}–{run.highest}",
            _why(plan, run, zone),
        )
    return table


def _why(plan: Plan, run: _Run, zone: ZoneInfo) -> str:
    top = run.first + int(plan.peak_rps[run.first : run.last].argmax())
    rate, rule = float(plan.peak_rps[top]), plan.rule
    peak_at = (plan.start + int(plan.peak_index[top]) * plan.outlook.step).astimezone(zone)
    why = f"up to {compact_number(rate)} rps at {peak_at:%H:%M}"
    if rate > rule.capacity_rps * rule.max_replicas:
        return f"{why}; limited to the maximum"
    if floor := _floor(plan, run):
        return f"{why}; {floor}"
    if run.highest == rule.min_replicas:
        return f"{why}; the minimum"
    if run.highest > int(plan.needed[run.first : run.last].max()):
        return f"{why}; {_held(plan, run, zone)}"
    return why


def _floor(plan: Plan, run: _Run) -> str:
    """Which event's floor explains a row, where traffic alone would need fewer."""
    steps, step = slice(run.first, run.last), plan.outlook.step
    floors = planned_floors(plan.events, plan.rule, plan.start, step, len(plan))[steps]
    by_traffic = replicas_for(plan.peak_rps[steps], plan.rule).max()
    if not run.highest == floors.max() > by_traffic:
        return ""
    since = _at(plan, run.first + int(floors.argmax()))
    floor = event_floor(Declared(plan.events, step), plan.rule, since, since + step)
    return "" if floor is None else f"the floor of {floor.label}"


def _held(plan: Plan, run: _Run, zone: ZoneInfo) -> str:
    """Until when so many were needed: that, and not the traffic of the row, explains them."""
    told = f"held for {format_duration(plan.rule.hold_down)}"
    earlier = np.flatnonzero(plan.needed[: run.first] >= run.highest)
    if not len(earlier):
        return told
    until = _at(plan, int(earlier[-1]) + 1).astimezone(zone)
    return f"{run.highest} were needed until {until:%H:%M}, {told}"


def _chart(plan: Plan, width: int, zone: ZoneInfo) -> Group:
    """Traffic and replicas over the plan's time, in at most ``width`` characters."""
    columns = max(24, min(96, (width - 16) // 24 * 24))
    steps = len(plan)
    quantile, median = plan.outlook.at(plan.rule.quantile)[:steps], plan.outlook.at(0.5)[:steps]
    columns = min(columns, steps)
    axis = time_axis(plan.start, plan.end - plan.start, columns, zone)
    return Group(
        Text.assemble(
            ("Traffic, rps: ", "bold"),
            ("█", "blue"),
            " median  ",
            ("░", "blue dim"),
            f" {plan.rule.quantile!r} quantile",
        ),
        *column_chart(
            per_column(median, columns, peak=False),
            7,
            colour="blue",
            above=per_column(quantile, columns, peak=True),
        ),
        Text(""),
        Text("Target, replicas", style="bold"),
        *column_chart(
            per_column(plan.replicas.astype(np.float64), columns, peak=True), 5, colour="green"
        ),
        *axis,
    )


def plan_json(plan: Plan, target: Target) -> dict[str, Any]:
    """The plan as JSON values: the target now, and every change."""
    rule, outlook = plan.rule, plan.outlook
    return {
        "series": outlook.series_id,
        "cutoff": _stamp(outlook.cutoff),
        "now": _stamp(target.at),
        "step_seconds": outlook.step.total_seconds(),
        "model": outlook.model,
        "model_reasons": list(outlook.reasons),
        "capacity_rps": rule.capacity_rps,
        "lead_time_seconds": rule.lead_time.total_seconds(),
        "quantile": rule.quantile,
        "min_replicas": rule.min_replicas,
        "max_replicas": rule.max_replicas,
        "hold_down_seconds": rule.hold_down.total_seconds(),
        "target": {"replicas": target.planned_replicas, "reasons": list(target.reasons)},
        "targets": [
            {
                "from": _stamp(_at(plan, run.first)),
                "to": _stamp(_at(plan, run.last)),
                "replicas": run.highest,
                "peak_rps": float(plan.peak_rps[run.first : run.last].max()),
            }
            for run in _runs(plan)
        ],
    }


def plan_rows(plan: Plan) -> Iterator[tuple[object, ...]]:
    """A row per step, the header first; ``needed`` is what the traffic and the floors of events ask
    for, ``replicas`` the same held down.
    """
    yield ("timestamp", "replicas", "needed", "peak_rps", "median_rps", "quantile_rps")
    median, quantile = plan.outlook.at(0.5), plan.outlook.at(plan.rule.quantile)
    for index in range(len(plan)):
        yield (
            _stamp(_at(plan, index)),
            int(plan.replicas[index]),
            int(plan.needed[index]),
            f"{plan.peak_rps[index]:.10g}",
            f"{median[index]:.10g}",
            f"{quantile[index]:.10g}",
        )


def _replicas(count: int) -> str:
    return f"{count} replica{'' if count == 1 else 's'}"


def _at(plan: Plan, index: int) -> datetime:
    return plan.start + index * plan.outlook.step


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
