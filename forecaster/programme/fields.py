"""The kinds of values that events are written in: how each is read, refused, and written again."""

from __future__ import annotations

import math
import re
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from forecaster.durations import format_duration, parse_duration
from forecaster.events.event import LONGEST_EVENT, MOST_UPLIFT
from forecaster.events.importance import IMPORTANCE_WORDS, MOST_IMPORTANCE, importance_of

__all__ = [
    "FIRST_YEAR",
    "INSTANT_EXAMPLE",
    "LAST_YEAR",
    "ONE_OR_MORE_SCHEMA",
    "WEEKDAYS",
    "Day",
    "Duration",
    "Factor",
    "Importance",
    "Instant",
    "Label",
    "Pattern",
    "Points",
    "Switch",
    "Text",
    "TimeOfDay",
    "TimeZone",
    "Weekday",
    "refused",
    "text_of_duration",
    "zone_named",
]

INSTANT_EXAMPLE = "2026-06-11T19:00:00Z"
FIRST_YEAR, LAST_YEAR = 1900, 2199
ONE_OR_MORE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
"""For lists that may be written as their single text."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_LONGEST_TEXT = 300
_LONGEST_PATTERN = 320  # a namespace of 63 characters, a slash and a name of 253
_MOST_POINTS = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_FACTOR = re.compile(r"[×xX*]?\s*(\d+(?:\.\d*)?|\.\d+)\s*[×xX]?")


def refused(message: str) -> PydanticCustomError:
    """A refusal in our own words; they reach the reader as they are."""
    return PydanticCustomError("preroll", "{text}", {"text": message})


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone of this name; ValueError where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{_shown(name)} is not a time zone of the IANA list; write for example Europe/Paris"
        ) from None


def text_of_duration(value: timedelta) -> str:
    """The duration as people write it; it reads back as the same, to the microsecond."""
    text = format_duration(value)
    if "-" not in text and parse_duration(text) != value:
        text = f"{value / timedelta(milliseconds=1)!r}ms"
    return text


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        raise refused(f"{_shown(value)} is not text; write it in quotes")
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        raise refused("it is empty; leave it out where it is not needed")
    if len(text) > _LONGEST_TEXT:
        raise refused(f"{_shown(text)} is longer than {_LONGEST_TEXT} characters")
    if _CONTROL.search(text):
        raise refused(f"{_shown(text)} holds a line break or another character that is no text")
    return text


def _pattern(value: Any) -> Any:
    text = _text(value)
    if isinstance(text, str) and (len(text) > _LONGEST_PATTERN or " " in text):
        raise refused(f"{_shown(text)} is no name or pattern; write for example streaming/player-*")
    return text


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text):
            raise refused(f"{value!r} has no time of day; write for example {INSTANT_EXAMPLE}")
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise refused(f"{_shown(value)} is not a time") from None
    if not isinstance(value, datetime):
        raise refused(f"{_shown(value)} is not a time")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise refused(f"{value} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _write_instant(value: datetime) -> str:
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if value.tzinfo is UTC else text


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*0(\.0+)?\s*", value):
        return timedelta(0)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refused(f"{_shown(value)} is not a duration")
    if value == 0:
        return timedelta(0)
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        raise refused(f"{_shown(value)} has no unit; write {text}s or {text}m if that is meant")
    try:
        return parse_duration(text)
    except ValueError:
        raise refused(f"{_shown(value)} is not a duration") from None


def _factor(value: Any) -> float:
    number: float | None = None
    if isinstance(value, str):
        text = value.strip()
        if text.endswith("%"):
            raise refused(f"{_shown(value)} is not a factor; 70 % more is 1.7")
        match = _FACTOR.fullmatch(text)
        number = float(match[1]) if match else None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) <= 1e300 else math.inf
    if number is None:
        raise refused(f"{_shown(value)} is not a factor")
    if not 0 < number <= MOST_UPLIFT:
        raise refused(
            f"{_shown(value)} is out of range: a factor lies above 0 and is at most "
            f"{MOST_UPLIFT:g}; 1 changes nothing"
        )
    return number


def _points(value: Any) -> tuple[tuple[timedelta, float], ...]:
    if isinstance(value, tuple):  # as from_event gives it: read already
        return value
    if not isinstance(value, Mapping):
        raise refused("a mapping of times from the start to factors is needed")
    if len(value) > _MOST_POINTS:
        raise refused(f"{len(value)} points are too many, {_MOST_POINTS} are the most")
    points: dict[timedelta, float] = {}
    for written, factor in value.items():
        text = str(written).strip()
        before = text.startswith("-")
        at = _duration(text.lstrip("+-"))
        if at > LONGEST_EVENT:
            raise refused(f"{_shown(written)} is too far from the start")
        at = -at if before else at
        if at in points:
            raise refused(f"{_shown(written)} stands twice")
        points[at] = _factor(factor)
    return tuple(sorted(points.items()))


def _write_points(points: tuple[tuple[timedelta, float], ...]) -> dict[str, float]:
    return {
        ("-" if at < timedelta(0) else "") + text_of_duration(abs(at)): factor
        for at, factor in points
    }


def _importance(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refused(f"{_shown(value)} is neither a number nor one of its words")
    try:
        return importance_of(value)
    except (ValueError, OverflowError):
        words = ", ".join(IMPORTANCE_WORDS)
        raise refused(
            f"{_shown(value)} is neither a number from 0 to {MOST_IMPORTANCE:g} nor one of {words}"
        ) from None


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise refused(f"{_shown(value)} is neither true nor false")


def _zone(value: Any) -> Any:
    if isinstance(value, str):
        try:
            zone_named(value.strip())
        except ValueError:
            raise refused(f"{_shown(value)} is not a time zone of the IANA list") from None
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
            raise refused(f"{_shown(value)} is not a time of day") from None
    if not isinstance(value, time):
        raise refused(f"{_shown(value)} is not a time of day; write it in quotes")
    if value.tzinfo is not None:
        raise refused(f"{value} has an offset; a daily window's time is read in its timezone")
    return value


def _weekday(value: Any) -> str:
    text = str(value).strip().lower()
    if isinstance(value, str) and len(text) >= 3:
        for short, long in zip(WEEKDAYS, _LONG_WEEKDAYS, strict=True):
            if long.startswith(text):
                return short
    raise refused(f"{_shown(value)} is not a weekday; there are {', '.join(WEEKDAYS)}")


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise refused(f"{_shown(value)} is not a date") from None


_LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TEXT_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": _LONGEST_TEXT}
_POSITIVE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_UPLIFT}
_FACTOR_SCHEMA: dict[str, Any] = {"anyOf": [_POSITIVE, {"type": "string"}]}
_IMPORTANCE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": MOST_IMPORTANCE},
        {"type": "string", "enum": list(IMPORTANCE_WORDS)},
    ]
}

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
Pattern = Annotated[str, BeforeValidator(_pattern), WithJsonSchema(_TEXT_SCHEMA)]
Label = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(_write_instant, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(text_of_duration, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|[wdhms])\s*)+$"}),
]
Factor = Annotated[float, BeforeValidator(_factor), WithJsonSchema(_FACTOR_SCHEMA)]
Points = Annotated[
    tuple[tuple[timedelta, float], ...],
    BeforeValidator(_points),
    PlainSerializer(_write_points, when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": _FACTOR_SCHEMA, "minProperties": 2}),
]
Importance = Annotated[float, BeforeValidator(_importance), WithJsonSchema(_IMPORTANCE_SCHEMA)]
Switch = Annotated[bool, BeforeValidator(_switch), WithJsonSchema({"type": "boolean"})]
TimeZone = Annotated[Text, AfterValidator(_zone)]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    PlainSerializer(time.isoformat, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$"}),
]
Weekday = Annotated[
    str, BeforeValidator(_weekday), WithJsonSchema({"type": "string", "enum": list(WEEKDAYS)})
]
Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"}), Field()
]
