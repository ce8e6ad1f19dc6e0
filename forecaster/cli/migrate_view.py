"""What ``preroll migrate`` says when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.migration.comparison import Compared
from forecaster.migration.comparison_text import verdict
from forecaster.migration.moves import Moves
from forecaster.migration.paths import EVENTS, PLAN, SETTINGS
from forecaster.migration.quantity import plain_number
from forecaster.migration.settings_file import PLACEHOLDER_URL
from forecaster.migration.workload import Change, MigratedWorkload

__all__ = ["migration_report"]


def migration_report(moves: Moves, compared: Sequence[Compared], folder: Path) -> Group:
    """The workloads, what they are compared to, what is to be checked, and where to read on."""
    parts: list[RenderableType] = [_table(moves), Text("")]
    parts += [Text(verdict(one)) for one in compared]
    for one in moves.workloads:
        parts += [
            Text(f"to check, {one.workload}: {note.text}", style="yellow")
            for note in one.notes
            if note.change is Change.CHECK
        ]
    if moves.stay:
        names = ", ".join(f"{one.namespace}/{one.name}" for one in moves.stay)
        parts.append(Text(f"HPAs that stay as they are: {names}"))
    if moves.options.prometheus == PLACEHOLDER_URL:
        parts.append(Text(f"Prometheus: {PLACEHOLDER_URL}, unless --prometheus says else"))
    parts.append(Text(f"Read {folder / PLAN} next.", style="bold"))
    return Group(*parts)


def _table(moves: Moves) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("workload", "replicas", "one replica", "triggers"):
        table.add_column(name)
    for one in moves.workloads:
        table.add_row(
            one.workload,
            f"{one.old.min_replicas}–{one.old.max_replicas}",
            _serves(one),
            ", ".join(["preroll", *(str(trigger["type"]) for trigger in one.triggers)]),
        )
    count = len(moves.events)
    windows = len(moves.windows)
    table.caption = (
        f"{windows} daily window{'' if windows == 1 else 's'} and {count} "
        f"event{'' if count == 1 else 's'}, in {EVENTS}; settings in {SETTINGS}"
    )
    table.caption_justify = "left"
    return table


def _serves(one: MigratedWorkload) -> str:
    if one.load.capacity is None:
        return "auto"
    return f"{plain_number(one.load.capacity)} {'cores' if one.load.unit == 'cores' else 'rps'}"
