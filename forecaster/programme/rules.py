"""Daily windows and public holidays as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from forecaster.events import DailyWindow, Event, PublicHolidays
from forecaster.programme.document import PatternDocument
from forecaster.programme.fields import Text
from forecaster.programme.identity import hashed
from forecaster.programme.parts import one_or_more
from forecaster.programme.times import WEEKDAYS, Day, TimeOfDay, TimeZone, Weekday

__all__ = ["DailyDocument", "HolidaysDocument"]

# A rule's pattern has times only because every event has: its windows have their own.
_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)
_ANY_END = _ANY_START + timedelta(hours=1)


class DailyDocument(PatternDocument):
    """The same window every day, or on some weekdays, by a wall clock."""

    start: TimeOfDay = Field(description="When it starts.", examples=["20:00"])
    end: TimeOfDay = Field(
        description="When it ends; not after the start: on the next day.", examples=["23:30"]
    )
    timezone: TimeZone | None = Field(
        default=None, description="The IANA zone of its clock.", examples=["Europe/Paris"]
    )
    days: Annotated[tuple[Weekday, ...], BeforeValidator(one_or_more), Field(max_length=7)] = Field(
        default=(), description="The weekdays it starts on; left out: all.", examples=[["sat"]]
    )
    first: Day | None = Field(
        default=None, description="The first day it starts on.", examples=["2026-06-11"]
    )
    last: Day | None = Field(
        default=None, description="The last day it starts on.", examples=["2026-07-19"]
    )

    def to_window(self, default_timezone: str | None = None) -> DailyWindow:
        """The domain's rule.

        ValueError, beginning with the field's name, without a zone, for a last day before the
        first, and for what else an event refuses.
        """
        zone = _zone(self.timezone, default_timezone)
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"last: {self.last} is before the first, {self.first}")
        own = hashed("daily", self.kind, self.name or "", str(self.start), str(self.end), zone)
        return DailyWindow(
            start=self.start,
            end=self.end,
            timezone=zone,
            pattern=_pattern(self, own),
            days=tuple(sorted({WEEKDAYS.index(day) for day in self.days})),
            first=self.first,
            last=self.last,
        )


class HolidaysDocument(PatternDocument):
    """The public holidays of a country, each a whole day; their names are the holidays'."""

    kind: Text = Field(
        default="holiday", description="What they are learned by.", examples=["holiday"]
    )
    country: Text = Field(description="The country's ISO 3166-1 code.", examples=["FR"])
    subdivision: Text | None = Field(
        default=None, description="A part of it, by its ISO 3166-2 code.", examples=["BY"]
    )
    timezone: TimeZone | None = Field(
        default=None, description="The IANA zone of its midnight.", examples=["Europe/Paris"]
    )

    def to_holidays(self, default_timezone: str | None = None) -> PublicHolidays:
        """The domain's rule; ValueError, beginning with the field's name, as for a window."""
        zone = _zone(self.timezone, default_timezone)
        own = hashed("holidays", self.kind, self.country, self.subdivision or "")
        return PublicHolidays(self.country, zone, _pattern(self, own), self.subdivision)


def _zone(own: str | None, default: str | None) -> str:
    zone = own or default
    if zone is None:
        raise ValueError("timezone: it is required where the calendar names none")
    return zone


def _pattern(document: PatternDocument, own_id: str) -> Event:
    return document.event_at(_ANY_START, _ANY_END, event_id=own_id)
