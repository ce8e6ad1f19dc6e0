"""Measured capacities as a table, as lines to paste, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from forecaster.planning.measured_capacity import Measured, Refused
from forecaster.planning.measured_capacity_points import LoadSteps
from forecaster.planning.measured_capacity_result import capacity_text
from forecaster.plots.page import PageTable

__all__ = [
    "Found",
    "found_json",
    "found_page_table",
    "found_table",
    "found_words",
    "settings_lines",
]

_HEADER = ("workload", "capacity", "90 % interval", "target", "reached", "days")


@dataclass(frozen=True, eq=False)
class Found:
    """What was found of a workload; ``steps`` are what it was found from, None where not all is."""

    workload: str
    target: float
    result: Measured | Refused
    steps: LoadSteps | None


def found_table(found: Sequence[Found]) -> Table:
    """For a terminal of 80 columns; what was refused has no number."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in _HEADER:
        table.add_column(name, justify="left" if name == _HEADER[0] else "right", overflow="fold")
    for row in _rows(found):
        table.add_row(*map(Text, row))
    return table


def found_page_table(found: Sequence[Found]) -> PageTable:
    """The same for a page."""
    return PageTable("Capacity, per second and ready replica", _HEADER, list(_rows(found)))


def _rows(found: Sequence[Found]) -> Iterator[tuple[str, ...]]:
    for one in found:
        if isinstance(one.result, Refused):
            yield one.workload, "–", one.result.refusal.value, f"{one.target:g}", "", ""
            continue
        result = one.result
        yield (
            one.workload,
            capacity_text(result.planned_rps),
            f"{result.low_rps:.4g} to {result.high_rps:.4g}",
            f"{one.target:g}",
            f"{result.reached:.2f}",
            f"{result.days:.1f}",
        )


def found_words(found: Sequence[Found]) -> Iterator[str]:
    """What is worth knowing of each: its notes, or why there is no number and what would help."""
    for one in found:
        if isinstance(one.result, Refused):
            yield f"{one.workload}: {one.result}."
            continue
        for note in one.result.notes:
            yield f"{one.workload}: {note}."


def settings_lines(found: Sequence[Found]) -> list[str]:
    """What to paste into preroll.yaml; nothing where nothing was measured."""
    lines = []
    for one in found:
        if isinstance(one.result, Measured):
            namespace, _, name = one.workload.rpartition("/")
            keys = f"namespace: {namespace or 'default'}, name: {name}"
            lines.append(f"  - {{{keys}, capacity: {capacity_text(one.result.planned_rps)}}}")
    return ["workloads:", *lines] if lines else []


def found_json(found: Sequence[Found]) -> dict[str, Any]:
    """All of it as JSON values; rates are per second and replica."""
    return {"workloads": [_json(one) for one in found]}


def _json(one: Found) -> dict[str, Any]:
    common = {"workload": one.workload, "target_utilisation": one.target}
    result = one.result
    if isinstance(result, Refused):
        return common | {
            "capacity_rps": None,
            "refused": result.refusal.value,
            "reason": result.reason,
            "help": result.help,
            "at_least_rps": result.at_least_rps,
            "at_most_rps": result.at_most_rps,
            "changed_at": None if result.changed_at is None else _stamp(result.changed_at),
            "cost_ratio": result.cost_ratio,
        }
    return common | {
        "capacity_rps": result.planned_rps,
        "middle_rps": result.capacity_rps,
        "low_rps": result.low_rps,
        "high_rps": result.high_rps,
        "refused": None,
        "from": _stamp(result.since),
        "to": _stamp(result.until),
        "days": result.days,
        "reached": result.reached,
        "lag_seconds": result.lag_seconds,
        "idle": result.line.idle,
        "per_rps": result.line.per_rps,
        "notes": list(result.notes),
    }


def _stamp(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
