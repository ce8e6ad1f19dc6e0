"""Parts of the plan: what moves, what becomes of it, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time
from zoneinfo import ZoneInfo

from forecaster.backtest.phrases import joined
from forecaster.migration.moves import Moves, quiet_clock
from forecaster.migration.quantity import plain_number
from forecaster.migration.workload import Change, MigratedWorkload

__all__ = ["by_hand", "events", "notes", "row", "stay", "when"]

_MOST_EVENTS = 12
_DAY_HOURS = 24


def row(one: MigratedWorkload) -> str:
    """A workload's row of the table."""
    serves = "**to be measured**"
    if one.load.capacity is not None:
        unit = "cores" if one.load.unit == "cores" else "requests/s"
        serves = f"{plain_number(one.load.capacity)} {unit}"
    cells = (
        one.workload,
        one.old.name,
        f"{one.old.min_replicas} to {one.old.max_replicas}",
        ", ".join(metric.name for metric in one.old.metrics) or "–",
        ", ".join(["preroll", *(str(trigger["name"]) for trigger in one.triggers)]),
        serves,
    )
    return f"| {' | '.join(cells)} |"


def stay(moves: Moves) -> str:
    """The HPAs that stay; empty where there are none."""
    if not moves.stay:
        return ""
    names = "".join(f"- {one.namespace}/{one.name}\n" for one in moves.stay)
    return f"\nThese HPAs stay as they are; nothing of them is the exporter's:\n\n{names}"


def notes(moves: Moves, traps: Sequence[str]) -> str:
    """What is kept, changed and dropped of each workload, and what could not be used."""
    text = ""
    for one in moves.workloads:
        told = [
            f"- {change}: {note.text}"
            for change in Change
            for note in one.notes
            if note.change is change
        ]
        text += f"\n**{one.workload}**\n\n" + "\n".join(told) + "\n"
    for head, lines in (("Could not be used", moves.notes), ("Traps in what was written", traps)):
        if lines:
            text += f"\n**{head}**\n\n" + "".join(f"- {line}\n" for line in lines)
    return text


def when(moves: Moves) -> str:
    """When the change may begin: an hour before daily windows at the latest."""
    quiet = quiet_clock(moves.windows, 2 * moves.options.lead_time)
    if quiet is None:
        return "take the hour with the least traffic, as a daily window is on at nearly all times"
    if quiet[0] == quiet[1]:
        return "take an hour with little traffic"
    zone = moves.options.timezone
    hour_before = time((quiet[1].hour - 1) % _DAY_HOURS, quiet[1].minute)
    return (
        f"begin it from {quiet[0]:%H:%M} to {hour_before:%H:%M} ({zone}), for daily windows are "
        f"on, or prepared, from {quiet[1]:%H:%M} to {quiet[0]:%H:%M}"
    )


def events(moves: Moves) -> str:
    """The days of the last events, as a sentence; empty where there are none."""
    zone = ZoneInfo(moves.options.timezone)
    days = dict.fromkeys(
        f"{one.start.astimezone(zone):%Y-%m-%d} ({one.name})" for one in moves.events
    )
    shown = list(days)[-_MOST_EVENTS:]
    return f" And on no day of an event: {joined(shown)}." if shown else ""


def by_hand(moves: Moves) -> Iterable[str]:
    """The most that the exporter was ever told, as a minimum; a comment where it was no number."""
    for one in moves.workloads:
        old = one.old
        mine = moves.calendar.selecting(old.namespace, old.target_name, old.manifest.labels)
        declared = [event.floor_replicas or 0 for event in mine.events]
        declared += [
            window.pattern.floor_replicas or 0
            for window in moves.windows
            if window.pattern.selector.matches(old.namespace, old.target_name)
        ]
        most = min(max(declared, default=0), old.max_replicas)
        if most > old.min_replicas:
            patch = f'{{"spec":{{"minReplicas":{most}}}}}'
            yield (f"kubectl patch hpa {old.name} --namespace {old.namespace} --patch '{patch}'")
        else:
            yield f"# {one.workload}: nobody ever wrote a number for it; you know best"
