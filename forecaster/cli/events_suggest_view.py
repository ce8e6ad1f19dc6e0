"""Suggested events as a calendar to edit, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from forecaster.cli.chart import compact_number
from forecaster.durations import format_duration
from forecaster.events import DailyWindow
from forecaster.events.suggest import Suggestion
from forecaster.models.event_suggestions import SuggestedEvents
from forecaster.plots.page import PageTable
from forecaster.programme.times import WEEKDAYS

__all__ = [
    "Found",
    "found_calendar",
    "found_json",
    "found_page_table",
    "found_sentence",
    "found_table",
]

_HEADER = ("kind", "when", "lasts", "seen", "uplift", "excess")


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in one series; the ``most`` largest are shown, with the clocks of ``zone``."""

    series_id: str
    suggested: SuggestedEvents
    zone: ZoneInfo
    most: int

    @property
    def shown(self) -> tuple[Suggestion, ...]:
        """The largest, by excess."""
        return self.suggested.suggestions[: self.most]


def found_sentence(found: Found) -> str:
    """How many there are, and in what time."""
    count = len(found.suggested.suggestions)
    what = f"{count} suggestion{'' if count == 1 else 's'}" if count else "nothing to suggest"
    text = f"{found.series_id}, {_span(found)}: {what}"
    if count > len(found.shown):
        text += f"; the {len(found.shown)} largest are shown, --most {count} shows all"
    return text


def found_calendar(found: Found) -> str:
    """A YAML calendar; `preroll events check` and ``--events`` read it as it is."""
    rules: list[str] = []
    single: list[str] = []
    for one in found.shown:
        if isinstance(one.entry, DailyWindow):
            rules += _rule_lines(one, one.entry)
        else:
            single += _event_lines(one, found.zone)
    lines = [
        f"# Suggested by preroll events suggest: {_span(found)} of",
        f"# {_one_line(found.series_id)}.",
        "# Peaks that no known event explains, the largest first. Keep what was an event and give",
        "# it its kind and name, for what it brings is learned by kind; delete the others. The",
        "# uplift is what was measured, and counts beside what is learned.",
        "#",
        "# They concern every workload, unless a selector says which:",
        "#   defaults: {selector: {workloads: [streaming/player-*]}}",
        f"timezone: {found.zone.key}",
    ]
    if rules:
        lines += ["", "daily:", *rules]
    lines += ["", "events:" if single else "events: []", *single]
    return "\n".join(lines) + "\n"


def _rule_lines(one: Suggestion, rule: DailyWindow) -> Iterator[str]:
    each = one.excess / len(one.sightings)
    sizes = [peak.uplift for peak in one.sightings]
    yield (
        f"  # Seen on {len(one.sightings)} of {one.occasions} days, ×{min(sizes):.2f} to "
        f"×{max(sizes):.2f}: {each:,.0f} requests more each time."
    )
    yield f"  - kind: {rule.pattern.kind}"
    if rule.days:
        yield f"    days: [{', '.join(WEEKDAYS[day] for day in rule.days)}]"
    yield f'    start: "{rule.start:%H:%M}"'
    yield f'    end: "{rule.end:%H:%M}"'
    if rule.first is not None:
        yield f"    first: {rule.first.isoformat()}"
    yield f"    uplift: {rule.pattern.uplift:g}"


def _event_lines(one: Suggestion, zone: ZoneInfo) -> Iterator[str]:
    event, (peak,) = one.event, one.sightings
    yield (
        f"  # Seen once, {peak.start.astimezone(zone):%a %H:%M}, "
        f"×{peak.uplift:.2f}: {peak.excess:,.0f} requests more."
    )
    yield f"  - kind: {event.kind}"
    yield f"    start: {event.start.astimezone(zone).isoformat()}"
    yield f"    end: {event.planned_end.astimezone(zone).isoformat()}"
    yield f"    uplift: {event.uplift:g}"


def found_table(found: Found) -> Table:
    """For a terminal of 80 columns."""
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        caption=f"By the clock of {found.zone.key}; excess in requests.",
        caption_justify="left",
    )
    for name in _HEADER:
        words = name in _HEADER[:2]
        table.add_column(name, justify="left" if words else "right", overflow="fold")
    for row in _rows(found):
        table.add_row(*map(Text, row))
    return table


def found_page_table(found: Found) -> PageTable:
    """The same for a page."""
    caption = f"What was found, by the clock of {found.zone.key}; excess in requests"
    return PageTable(caption, _HEADER, _rows(found))


def _rows(found: Found) -> list[tuple[str, ...]]:
    return [
        (
            one.kind,
            _when(one, found.zone),
            format_duration(_length(one)),
            f"{len(one.sightings)} of {one.occasions}" if one.occasions > 1 else "once",
            f"×{one.uplift:.2f}",
            compact_number(one.excess),
        )
        for one in found.shown
    ]


def _when(one: Suggestion, zone: ZoneInfo) -> str:
    if not isinstance(one.entry, DailyWindow):
        return f"{one.entry.start.astimezone(zone):%a %d %b %H:%M}"
    days = ", ".join(WEEKDAYS[day] for day in one.entry.days) or "daily"
    return f"{days} {one.entry.start:%H:%M}"


def _length(one: Suggestion) -> timedelta:
    if not isinstance(one.entry, DailyWindow):
        return one.entry.duration
    start, end = (
        timedelta(hours=at.hour, minutes=at.minute) for at in (one.entry.start, one.entry.end)
    )
    return end - start if end > start else end - start + timedelta(days=1)


def found_json(found: Found) -> dict[str, Any]:
    """All of it as JSON values, those that are not shown too."""
    traffic = found.suggested.traffic
    return {
        "series": found.series_id,
        "timezone": found.zone.key,
        "from": _stamp(traffic.start),
        "to": _stamp(traffic.at(len(traffic.rate_rps))),
        "suggestions": [_json(one) for one in found.suggested.suggestions],
    }


def _json(one: Suggestion) -> dict[str, Any]:
    rule = one.entry if isinstance(one.entry, DailyWindow) else None
    return {
        "kind": one.kind,
        "rule": None
        if rule is None
        else {
            "days": [WEEKDAYS[day] for day in rule.days] or list(WEEKDAYS),
            "start": rule.start.isoformat("minutes"),
            "end": rule.end.isoformat("minutes"),
            "first": rule.first.isoformat() if rule.first else None,
        },
        "uplift": one.uplift,
        "excess_requests": one.excess,
        "occasions": one.occasions,
        "sightings": [
            {
                "start": _stamp(peak.start),
                "end": _stamp(peak.end),
                "uplift": peak.uplift,
                "excess_requests": peak.excess,
            }
            for peak in one.sightings
        ],
    }


def _span(found: Found) -> str:
    traffic = found.suggested.traffic
    first, last = traffic.start, traffic.at(len(traffic.rate_rps))
    return f"{first.astimezone(found.zone):%Y-%m-%d} to {last.astimezone(found.zone):%Y-%m-%d}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _stamp(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
