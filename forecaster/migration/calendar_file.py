"""The exporter's windows and events as a calendar, and that calendar as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from forecaster.durations import format_duration
from forecaster.events import Calendar, DailyWindow, Event
from forecaster.migration.manifests import Manifest
from forecaster.migration.old_setup import OldAutoscaler
from forecaster.migration.scalar import plain_scalar
from forecaster.programme.document import EventDocument
from forecaster.programme.options import ReadCalendar, ReadOptions
from forecaster.programme.prescaling import read_prescaling

__all__ = ["MigratedEvents", "events_text", "migrate_events"]

_LINE = re.compile(r"line (\d+)")

_HEAD = """\
# What prescaling-exporter was told, as a calendar of Preroll.
#
#   preroll events check events.yaml
#
# A floor holds whatever is forecast; an uplift is so many times the traffic that was forecast.
# Events of the past stay here: they teach what the next ones bring.
"""


@dataclass(frozen=True)
class MigratedEvents:
    """The calendar, and what of the objects could not be used."""

    calendar: Calendar
    notes: tuple[str, ...]


def migrate_events(
    objects: Iterable[Manifest], autoscalers: Iterable[OldAutoscaler], timezone: str
) -> MigratedEvents:
    """The daily windows of ``autoscalers``, and the PrescalingEvents of ``objects`` for them.

    ``timezone`` is the exporter's, one for the whole process.
    """
    kept = [one.manifest for one in autoscalers]
    kept += [one for one in objects if one.kind == "PrescalingEvent"]
    if not kept:
        return MigratedEvents(Calendar(), ())
    # One object a line, so that a problem's line leads back to the object.
    listed = "\n".join(f"- {json.dumps(dict(one.data))}" for one in kept)
    read = read_prescaling(f"items:\n{listed}\n", "the manifests", ReadOptions(timezone=timezone))
    return MigratedEvents(read.calendar, tuple(_problems(read, kept)))


def _problems(read: ReadCalendar, kept: list[Manifest]) -> Iterable[str]:
    for one in read.problems:
        text = str(one)
        line = _LINE.search(text)
        if line is not None and 2 <= int(line[1]) < len(kept) + 2:
            text = text.replace(line[0], kept[int(line[1]) - 2].place, 1)
        yield text


def events_text(calendar: Calendar, timezone: str) -> str:
    """The calendar as YAML that Preroll reads; the same calendar gives the same text."""
    zone = ZoneInfo(timezone)
    windows = [one for one in calendar.recurring if isinstance(one, DailyWindow)]
    events = sorted(calendar.events, key=lambda one: (one.start, one.event_id))
    lines = [_HEAD, f"timezone: {plain_scalar(timezone)}\n"]
    lines += _section("daily", [_window_items(one) for one in windows])
    lines += _section("events", [_event_items(one, zone) for one in events])
    return "".join(lines)


def _section(name: str, entries: list[dict[str, Any]]) -> list[str]:
    if not entries:
        return []
    lines = [f"\n{name}:\n"]
    for number, entry in enumerate(entries):
        if number:
            lines.append("\n")
        for place, (key, value) in enumerate(entry.items()):
            lines.append(f"  {'-' if not place else ' '} {key}: {_flow(value)}\n")
    return lines


def _window_items(window: DailyWindow) -> dict[str, Any]:
    items = _common(window.pattern)
    items["start"], items["end"] = f"{window.start:%H:%M:%S}", f"{window.end:%H:%M:%S}"
    items["timezone"] = window.timezone
    return items


def _event_items(event: Event, zone: ZoneInfo) -> dict[str, Any]:
    items = _common(event)
    items["start"] = event.start.astimezone(zone).isoformat()
    if event.end is not None:
        items["end"] = event.end.astimezone(zone).isoformat()
    return items


def _common(event: Event) -> dict[str, Any]:
    """As it is written, but for the times; the name first."""
    written = EventDocument.from_event(event).as_written()
    order = ("name", "id", "kind", "importance", "start", "end", "selector", "floor", "uplift")
    kept = {key: written[key] for key in order if key in written}
    kept |= {key: value for key, value in written.items() if key not in kept}
    if isinstance(event.start_uncertainty, timedelta) and event.start_uncertainty:
        kept["start_uncertainty"] = format_duration(event.start_uncertainty)
    if kept.get("audience") == event.kind:
        kept.pop("audience")
    return kept


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else plain_scalar(str(value))
