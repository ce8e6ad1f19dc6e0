"""Times as people write them: instants, durations, zones, times of day, weekdays, days."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from forecaster.durations import format_duration, parse_duration
from forecaster.programme.refusal import refused, shown_value

__all__ = [
    "FIRST_YEAR",
    "INSTANT_EXAMPLE",
    "LAST_YEAR",
    "WEEKDAYS",
    "Day",
    "Duration",
    "Instant",
    "TimeOfDay",
    "TimeZone",
    "Weekday",
    "duration_of",
    "later_reading",
    "text_of_duration",
    "zone_named",
]

INSTANT_EXAMPLE = "2026-06-11T19:00:00Z"
FIRST_YEAR, LAST_YEAR = 1900, 2199
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone of this name; ValueError where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{shown_value(name)} is not a time zone of the IANA list; "
            "write for example Europe/Paris"
        ) from None


def later_reading(naive: datetime, zone: str) -> datetime:
    """The later of the two instants that a wall clock may mean, UTC; mostly they are one.

    A skipped time (02:30 when clocks go from 2 to 3) has two as well: 01:30 and 03:30.
    """
    place = zone_named(zone)
    return max(naive.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))


def text_of_duration(value: timedelta) -> str:
    """The duration as people write it; it reads back as the same, to the microsecond."""
    text = format_duration(value)
    if "-" not in text and parse_duration(text) != value:
        text = f"{value / timedelta(milliseconds=1)!r}ms"
    return text


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text):
            raise refused(f"{value!r} has no time of day; write for example {INSTANT_EXAMPLE}")
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise refused(f"{shown_value(value)} is not a time") from None
    if not isinstance(value, datetime):
        raise refused(f"{shown_value(value)} is not a time")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise refused(f"{value} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _write_instant(value: datetime) -> str:
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if value.tzinfo is UTC else text


def duration_of(value: Any) -> timedelta:
    """The duration that is written; a bare 0 needs no unit."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*0(\.0+)?\s*", value):
        return timedelta(0)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refused(f"{shown_value(value)} is not a duration")
    if value == 0:
        return timedelta(0)
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        raise refused(
            f"{shown_value(value)} has no unit; write {text}s or {text}m if that is meant"
        )
    try:
        return parse_duration(text)
    except ValueError:
        raise refused(f"{shown_value(value)} is not a duration") from None


def _zone(value: Any) -> Any:
    if isinstance(value, str):
        try:
            zone_named(value.strip())
        except ValueError:
            raise refused(f"{shown_value(value)} is not a time zone of the IANA list") from None
        return value.strip()
    return value


def _time_of_day(value: Any) -> time:
    if isinstance(value, str):
        text = value.strip()
        text = f"0{text}" if re.match(r"\d:", text) else text
        text = "00:00" if re.fullmatch(r"24:00(:00)?", text) else text  # the end of a day
        try:
            value = time.fromisoformat(text)
        except ValueError:
            raise refused(f"{shown_value(value)} is not a time of day") from None
    if not isinstance(value, time):
        raise refused(f"{shown_value(value)} is not a time of day; write it in quotes")
    if value.tzinfo is not None:
        raise refused(f"{value} has an offset; a daily window's time is read in its timezone")
    return value


def _weekday(value: Any) -> str:
    text = str(value).strip().lower()
    if isinstance(value, str) and len(text) >= 3:
        for short, long in zip(WEEKDAYS, _LONG_WEEKDAYS, strict=True):
            if long.startswith(text):
                return short
    raise refused(f"{shown_value(value)} is not a weekday; there are {', '.join(WEEKDAYS)}")


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise refused(f"{shown_value(value)} is not a date") from None


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(_write_instant, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(duration_of),
    PlainSerializer(text_of_duration, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|[wdhms])\s*)+$"}),
]
TimeZone = Annotated[
    str, BeforeValidator(_zone), WithJsonSchema({"type": "string", "minLength": 1})
]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    PlainSerializer(time.isoformat, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$"}),
]
Weekday = Annotated[
    str, BeforeValidator(_weekday), WithJsonSchema({"type": "string", "enum": list(WEEKDAYS)})
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
