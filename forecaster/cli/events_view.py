"""A calendar for people: what comes next, what makes more of it, and how many of each kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from forecaster.durations import format_duration
from forecaster.events import DailyWindow, Event, PublicHolidays
from forecaster.events.recurring import Recurring
from forecaster.programme.options import ReadCalendar
from forecaster.programme.times import WEEKDAYS

__all__ = ["calendar_report"]

_YEAR = timedelta(days=366)


def calendar_report(
    name: str, found: ReadCalendar, now: datetime, zone: ZoneInfo, most: int
) -> Group:
    """What was read: a sentence, the next events, the rules, the kinds. Times are ``zone``'s."""
    events = sorted(found.calendar.events, key=lambda one: (one.start, one.kind, one.event_id))
    parts: list[Text | Table] = [Text(_sentence(name, found))]
    coming = [one for one in events if one.latest_end > now]
    shown = coming[:most] if coming else events[-most:]
    if shown:
        parts += [Text(), Text(_title(len(coming), len(shown), events, now, zone))]
        parts.append(_events(shown, zone))
    if found.calendar.recurring:
        parts += [Text(), _rules(found.calendar.recurring, now, zone)]
    if events:
        parts += [Text(), _kinds(events, now, zone)]
    return Group(*parts)


def _sentence(name: str, found: ReadCalendar) -> str:
    calendar = found.calendar
    parts = [_counted(len(calendar.events), "event")]
    if calendar.recurring:
        parts.append(_counted(len(calendar.recurring), "rule"))
    if found.problems:
        parts.append(_counted(len(found.problems), "problem"))
    if found.dropped:
        parts.append(f"{found.dropped} dropped by the mapping")
    return f"{name}: {', '.join(parts)}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _title(coming: int, shown: int, events: list[Event], now: datetime, zone: ZoneInfo) -> str:
    if not coming:
        last = max(one.planned_end for one in events)
        return f"All are over, the last since {_at(last, zone)} {zone.key}:"
    what = "All" if shown == coming == len(events) else f"The next {shown} of {coming:,}"
    return f"{what} from {_at(now, zone)} {zone.key} on:"


def _table(*columns: str, right: Iterable[str] = ()) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return table


def _events(shown: list[Event], zone: ZoneInfo) -> Table:
    table = _table("start", "lasts", "kind", "imp.", "name", "says", right=("lasts", "imp."))
    for one in shown:
        lasts = format_duration(one.duration) if one.end else f"≤ {format_duration(one.ceiling)}"
        row = (_at(one.start, zone), lasts, one.kind, f"{one.importance:g}", one.name, _says(one))
        table.add_row(*map(Text, row), style="dim strike" if one.cancelled else "")
    return table


def _says(one: Event) -> str:
    parts = []
    if one.cancelled:
        parts.append("cancelled")
    if one.uplift is not None:
        parts.append(f"×{one.uplift:g}")
    if one.shape is not None:
        parts.append(f"a shape up to ×{one.shape.highest:g}")
    if one.floor_replicas is not None:
        parts.append(_counted(one.floor_replicas, "replica") + " at least")
    if one.floor_rps is not None:
        parts.append(f"{one.floor_rps:,g} a second at least")
    if one.start_uncertainty:
        parts.append(f"start ± {format_duration(one.start_uncertainty)}")
    if one.hold:
        parts.append("held")
    if one.audience:
        parts.append(f"audience {one.audience}")
    selector = one.selector
    chosen = [*selector.namespaces, *selector.workloads]
    chosen += [f"{key}={value}" for key, value in selector.labels]
    if chosen:
        more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
        parts.append(f"for {', '.join(chosen[:3])}{more}")
    return "; ".join(parts)


def _rules(rules: tuple[Recurring, ...], now: datetime, zone: ZoneInfo) -> Table:
    table = _table("rule", "kind", "name", "next", "says")
    for rule in rules:
        coming = next(iter(rule.between(now, now + _YEAR)), None)
        if isinstance(rule, DailyWindow):
            days = "daily" if not rule.days else ", ".join(WEEKDAYS[day] for day in rule.days)
            told = f"{days} {rule.start:%H:%M} to {rule.end:%H:%M} {rule.timezone}"
        elif isinstance(rule, PublicHolidays):
            part = f"-{rule.subdivision}" if rule.subdivision else ""
            told = f"holidays of {rule.country}{part} {rule.timezone}"
        else:
            told = "a rule"
        kind = coming.kind if coming else ""
        name = coming.name if coming else ""
        says = _says(coming) if coming else ""
        at = _at(coming.start, zone) if coming else "never"
        table.add_row(*map(Text, (told, kind, name, at, says)))
    return table


def _kinds(events: list[Event], now: datetime, zone: ZoneInfo) -> Table:
    kinds: dict[str, list[Event]] = defaultdict(list)
    for one in events:
        kinds[one.kind].append(one)
    numbers = ("events", "to come", "cancelled")
    table = _table("kind", *numbers, "first", "last", right=numbers)
    for kind, those in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        coming = sum(one.latest_end > now and not one.cancelled for one in those)
        row = (
            kind,
            f"{len(those):,}",
            f"{coming:,}",
            f"{sum(one.cancelled for one in those):,}",
            _at(those[0].start, zone),
            _at(those[-1].start, zone),
        )
        table.add_row(*map(Text, row))
    return table


def _at(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%a %Y-%m-%d %H:%M}"
