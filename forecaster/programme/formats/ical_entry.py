"""One VEVENT, or one occurrence of it, as an event's document has it.

PRIORITY becomes importance: 1 and 2 are 5 (highest), 3 and 4 are 4, 5 is 3, 6 and 7 are 2, 8 and
9 are 1; 0, which says "undefined", is left out. An entry without an end, or whose end is its start,
is open-ended. An all-day entry lasts from midnight to midnight. Of properties of our own,
``X-PREROLL-UPLIFT:1.7`` and those of :data:`OWN_PROPERTIES` are known; they count before what a
mapping gives.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import icalendar

from forecaster.programme.times import FIRST_YEAR, LAST_YEAR, zone_named

__all__ = [
    "NEEDED",
    "OWN_PROPERTIES",
    "first_of",
    "importance_data",
    "inherit",
    "instant_of",
    "listing_of",
    "own_data",
    "texts_of",
    "times_of",
]

OWN_PROPERTIES = {
    "X-PREROLL-KIND": "kind",
    "X-PREROLL-IMPORTANCE": "importance",
    "X-PREROLL-UPLIFT": "uplift",
    "X-PREROLL-FLOOR-REPLICAS": "floor.replicas",
    "X-PREROLL-FLOOR-TRAFFIC": "floor.traffic",
    "X-PREROLL-NAMESPACES": "selector.namespaces",
    "X-PREROLL-WORKLOADS": "selector.workloads",
    "X-PREROLL-AUDIENCE": "audience",
    "X-PREROLL-START-UNCERTAINTY": "start_uncertainty",
    "X-PREROLL-CEILING": "ceiling",
    "X-PREROLL-HOLD": "hold",
}
NEEDED = frozenset(
    {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "PRIORITY"}
)
_IMPORTANCE_OF_PRIORITY = {1: 5, 2: 5, 3: 4, 4: 4, 5: 3, 6: 2, 7: 2, 8: 1, 9: 1}
_LONGEST_TEXT = 300


def first_of(component: icalendar.Event, name: str) -> Any:
    """The property, the first where it wrongly stands several times."""
    value: Any = component.get(name)
    return value[0] if isinstance(value, list) and value else value


def inherit(component: icalendar.Event, core: icalendar.Event) -> None:
    """Give a changed occurrence what it leaves unsaid and its series says."""
    for name in ("SUMMARY", "CATEGORIES", "PRIORITY", *OWN_PROPERTIES):
        if name not in component and name in core:
            component[name] = core[name]


def texts_of(component: icalendar.Event, name: str) -> list[str]:
    """All texts of a property, on one line each, as long as an event's may be."""
    value: Any = component.get(name)
    values = value if isinstance(value, list) else [value]
    texts: list[str] = []
    for one in values:
        parts = getattr(one, "cats", None)
        texts += [str(part) for part in parts] if parts is not None else [str(one or "")]
    clean = (" ".join(text.split())[:_LONGEST_TEXT].strip() for text in texts)
    return [text for text in clean if text]


def instant_of(value: date, zone: str | None, field: str) -> datetime:
    """A DATE or DATE-TIME in UTC; ValueError, beginning with ``field``, where no zone is known."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"{field}: {value} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(0))  # its zone comes next
    if value.tzinfo is None:
        if zone is None:
            raise ValueError(
                f"{field}: {value.isoformat()} has no time zone; write {value:%Y%m%dT%H%M%SZ}, or "
                "give TZID, X-WR-TIMEZONE or --timezone, for example Europe/Paris"
            )
        value = value.replace(tzinfo=zone_named(zone))
    return value.astimezone(UTC)


def times_of(component: icalendar.Event, zone: str | None) -> tuple[datetime, datetime | None]:
    """Start and end in UTC, the end None where it is open; ValueError with the field's name."""
    start = _value(component, "DTSTART", "start")
    if start is None:
        raise ValueError("start: DTSTART is required, for example DTSTART:20260611T190000Z")
    end, duration = _value(component, "DTEND", "end"), first_of(component, "DURATION")
    begins = instant_of(start, zone, "start")
    if end is None and duration is not None:
        length = getattr(duration, "dt", None)
        if not isinstance(length, timedelta):
            raise ValueError(f"end: the DURATION {str(duration)[:40]!r} is none; write PT1H55M")
        end = start + length
        if not isinstance(start, datetime) and length % timedelta(days=1):
            end = datetime.combine(start, time(0)) + length
    if end is None:
        end = start if isinstance(start, datetime) else start + timedelta(days=1)
    ends = instant_of(end, zone, "end")
    return begins, None if ends == begins else ends


def _value(component: icalendar.Event, name: str, field: str) -> date | None:
    found = first_of(component, name)
    if found is None:
        return None
    value: Any = getattr(found, "dt", None)
    if not isinstance(value, date):
        raise ValueError(
            f"{field}: {name} is {str(found)[:40]!r}; write for example {name}:20260611T190000Z"
        )
    tzid = found.params.get("TZID") if hasattr(found, "params") else None
    if tzid and isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(
            f"{field}: the TZID {str(tzid)[:60]!r} of {name} is neither an IANA zone "
            "nor described by a VTIMEZONE; write for example TZID=Europe/Paris"
        )
    return value


def listing_of(component: icalendar.Event) -> tuple[str, list[str]]:
    """Title and categories, as mapping rules see them."""
    titles = texts_of(component, "SUMMARY")
    return (titles[0] if titles else ""), texts_of(component, "CATEGORIES")


def own_data(component: icalendar.Event) -> dict[str, Any]:
    """What the entry's own X-PREROLL properties say."""
    data: dict[str, Any] = {}
    for name, path in OWN_PROPERTIES.items():
        texts = texts_of(component, name)
        if not texts:
            continue
        value: Any = texts[0]
        outer, _, inner = path.partition(".")
        if outer == "selector":
            value = [part.strip() for text in texts for part in text.split(",") if part.strip()]
        elif outer == "floor":
            value = _number(value)
        elif outer == "hold":
            value = {"TRUE": True, "FALSE": False}.get(value.upper(), value)
        if inner:
            data.setdefault(outer, {})[inner] = value
        else:
            data[outer] = value
    return data


def importance_data(component: icalendar.Event) -> dict[str, Any]:
    """The importance that PRIORITY stands for, where it says something."""
    priority = first_of(component, "PRIORITY")
    importance = _IMPORTANCE_OF_PRIORITY.get(priority) if isinstance(priority, int) else None
    return {} if importance is None else {"importance": importance}


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
