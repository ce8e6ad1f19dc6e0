"""The ``events`` section of preroll.yaml: what is known ahead, and where more of it is."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from forecaster.events import Overlap
from forecaster.programme.document import EventDocument
from forecaster.programme.mapping import MappingRule, Unmatched
from forecaster.programme.options import CalendarFormat, OnBadEntry
from forecaster.programme.rules import DailyDocument, HolidaysDocument
from forecaster.settings.fields import (
    KubernetesLabel,
    PositiveDuration,
    SecretText,
    SecretUrl,
    Text,
    TimeZone,
    refused,
)
from forecaster.settings.source_shape import Shape

__all__ = ["EventSourceShape", "EventsShape"]

_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "kib": 2**10, "mib": 2**20}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmM]?[iI]?[bB])")
_MOST_SIZE = 256 * 2**20


def _size(value: Any) -> Any:
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2].lower() not in _UNITS:
        raise refused(f"{value!r} is not a size with its unit")
    size = float(match[1]) * _UNITS[match[2].lower()]
    if not 1 <= size <= _MOST_SIZE:
        raise refused(f"{value} is out of range, it must lie between 1B and 256MiB")
    return int(size)


def _every(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise refused("more than once a second is too often")
    return value


_Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": "string", "pattern": _SIZE.pattern}),
]


class EventSourceShape(Shape):
    """A calendar in a file or behind a URL: exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["file"]}, {"required": ["url"]}]}
    )

    name: KubernetesLabel = Field(
        description="What it is called in notices, metrics and in the ids of its events.",
        examples=["matches"],
    )
    file: Text | None = Field(
        default=None,
        description="A file; relative to this settings file. Read again when it changes.",
        examples=["matches.csv"],
    )
    url: SecretUrl | None = Field(
        default=None,
        description="Where it is fetched from; its host and the last part of its path are shown.",
        examples=["https://calendar.example.com/matches.ics"],
    )
    format: CalendarFormat | None = Field(
        default=None,
        description="yaml (and JSON), csv, icalendar, xmltv, or prescaling for the manifests of "
        "prescaling-exporter; left out, it is told from the name and the content.",
        examples=["icalendar"],
    )
    every: Annotated[PositiveDuration, AfterValidator(_every)] | None = Field(
        default=None,
        description="How often it is looked at; left out: a file every 10s, a URL every 15m.",
        examples=["15m"],
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=30), description="For the whole of an answer.", examples=["30s"]
    )
    max_size: _Size | None = Field(
        default=None,
        description="Larger ones are refused, packed or unpacked; left out: 64MiB.",
        examples=["64MiB"],
    )
    bearer_token: SecretText | None = Field(
        default=None, description="Sent as Authorization: Bearer. Better in a file.", examples=["…"]
    )
    bearer_token_file: Text | None = Field(
        default=None,
        description="A file with the token; read again for each request.",
        examples=["/etc/preroll/calendar-token"],
    )
    ca_file: Text | None = Field(
        default=None,
        description="A CA to trust beside the known ones, PEM.",
        examples=["/etc/preroll/tls/ca.crt"],
    )
    timezone: TimeZone | None = Field(
        default=None,
        description="Of times without an offset; left out, that of the events section.",
        examples=["Europe/Paris"],
    )
    default_kind: Text = Field(
        default="event",
        description="The kind of entries that bring none.",
        examples=["football"],
    )
    mapping: list[MappingRule] | None = Field(
        default=None,
        max_length=10_000,
        description="Rules that make kinds of titles, categories and channels; the first that "
        "fits counts.",
        examples=[[{"title": "Football: *", "kind": "football"}]],
    )
    mapping_file: Text | None = Field(
        default=None,
        description="A file with such rules, as YAML.",
        examples=["mapping.yaml"],
    )
    unmatched: Unmatched | None = Field(
        default=None,
        description="What no rule fits: drop (the default for xmltv) or keep (for all else).",
        examples=["drop"],
    )


class EventsShape(Shape):
    """What is known ahead: in this file, and in calendars elsewhere."""

    overlap: Overlap = Field(
        default=Overlap.ADD,
        description="What events of different audiences bring together: 1.5 and 1.2 make 1.7 "
        "(add), 1.8 (multiply) or 1.5 (largest).",
        examples=["add"],
    )
    on_bad_entry: OnBadEntry = Field(
        default=OnBadEntry.SKIP,
        description="A bad entry of a calendar is skipped and told, or the calendar is refused and "
        "its last good version stays.",
        examples=["skip"],
    )
    timezone: TimeZone | None = Field(
        default=None,
        description="Of times without an offset and of the clocks of rules; left out, the "
        "timezone at the top.",
        examples=["Europe/Paris"],
    )
    sources: list[EventSourceShape] = Field(
        default=[],
        max_length=50,
        description="Calendars elsewhere.",
        examples=[[{"name": "matches", "file": "matches.csv"}]],
    )
    events: list[EventDocument] = Field(
        default=[],
        max_length=10_000,
        description="Single events.",
        examples=[[{"start": "2026-06-11T19:00:00Z", "kind": "football", "importance": "high"}]],
    )
    daily: list[DailyDocument] = Field(
        default=[],
        max_length=1000,
        description="Windows without a date: every day, or on some weekdays.",
        examples=[[{"kind": "prime-time", "start": "20:00", "end": "23:00"}]],
    )
    holidays: list[HolidaysDocument] = Field(
        default=[],
        max_length=100,
        description="Public holidays of countries.",
        examples=[[{"country": "FR"}]],
    )
