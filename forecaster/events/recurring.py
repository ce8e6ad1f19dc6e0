"""Rules that make events: a daily window without a date, and public holidays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import holidays

from forecaster.events.event import Event

__all__ = ["DailyWindow", "PublicHolidays", "Recurring"]

_DAY = timedelta(days=1)


class Recurring(Protocol):
    """A rule that makes events."""

    def between(self, since: datetime, until: datetime) -> tuple[Event, ...]:
        """The events that overlap [since, until), by start."""
        ...


@dataclass(frozen=True)
class DailyWindow:
    """The same window every day, by the wall clock of ``timezone`` (IANA).

    An ``end`` that is not after ``start`` is the next day's. ``days`` are weekdays, 0 = Monday, of
    the start; empty: all. ``first`` and ``last`` are the first and the last date of a start.
    ``pattern`` is an event whose times do not matter: everything else of it is kept. A start that
    a DST change skips is as late as the clock was put forward, as RFC 5545 has it; of one that
    comes twice the first counts, and an end is the later of the two.
    """

    start: time
    end: time
    timezone: str
    pattern: Event
    days: tuple[int, ...] = ()
    first: date | None = None
    last: date | None = None

    def between(self, since: datetime, until: datetime) -> tuple[Event, ...]:
        """The windows that overlap [since, until), by start; each has the date in its id."""
        zone = ZoneInfo(self.timezone)
        # A window may be held beyond its end, and begin before its start.
        longest = max(_DAY, self.pattern.ceiling if self.pattern.hold else _DAY)
        longest += self.pattern.start_uncertainty
        day = (since.astimezone(zone) - longest - _DAY).date()
        last = (until + self.pattern.start_uncertainty).astimezone(zone).date()
        found = []
        while day <= last:
            if self._has(day):
                event = self._on(day, zone)
                if event.earliest_start < until and event.latest_end > since:
                    found.append(event)
            day += _DAY
        return tuple(found)

    def _has(self, day: date) -> bool:
        if self.days and day.weekday() not in self.days:
            return False
        early = self.first is not None and day < self.first
        return not early and not (self.last is not None and day > self.last)

    def _on(self, day: date, zone: ZoneInfo) -> Event:
        ends = day if self.end > self.start else day + _DAY
        start = datetime.combine(day, self.start, zone)
        end = datetime.combine(ends, self.end, zone)
        start_utc = start.astimezone(UTC)
        end_utc = max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        if end_utc <= start_utc:  # the start is skipped, and the clock is at the end by then
            end_utc = start_utc + (end.replace(tzinfo=None) - start.replace(tzinfo=None))
        return replace(
            self.pattern,
            start=start_utc,
            end=end_utc,
            event_id=f"{self.pattern.event_id}@{day.isoformat()}",
        )


@dataclass(frozen=True)
class PublicHolidays:
    """The public holidays of a country, each from midnight to midnight in ``timezone`` (IANA).

    ``country`` is an ISO 3166-1 code, ``subdivision`` a part of it that the holidays package knows
    ("BY" of DE). ``pattern`` as in :class:`DailyWindow`; the name is the holiday's. ValueError for
    a country or subdivision that is not known.
    """

    country: str
    timezone: str
    pattern: Event
    subdivision: str | None = None

    def __post_init__(self) -> None:
        known = holidays.list_supported_countries(include_aliases=True)
        if self.country not in known:
            raise ValueError(
                f"country: {self.country!r} is not known; write GB, DE or US-like codes"
            )
        parts = known[self.country]
        if self.subdivision is not None and self.subdivision not in parts:
            some = ", ".join(parts[:8]) or "none"
            raise ValueError(
                f"subdivision: {self.country} has no {self.subdivision!r}; it has {some}"
            )

    def between(self, since: datetime, until: datetime) -> tuple[Event, ...]:
        """The holidays that overlap [since, until), by start."""
        zone = ZoneInfo(self.timezone)
        unsure = self.pattern.start_uncertainty
        late = self.pattern.ceiling if self.pattern.hold else timedelta(0)
        first = (since - late - unsure).astimezone(zone).date()
        last = (until + unsure).astimezone(zone).date()
        years = range(first.year, last.year + 1)
        table = holidays.country_holidays(self.country, subdiv=self.subdivision, years=years)
        found = []
        for day, name in sorted(table.items()):
            if not first - _DAY <= day <= last:
                continue
            start = datetime.combine(day, time(0), zone).astimezone(UTC)
            end = datetime.combine(day + _DAY, time(0), zone).astimezone(UTC)
            event = replace(
                self.pattern,
                start=start,
                end=end,
                name=name,
                event_id=f"{self.pattern.event_id}@{day.isoformat()}",
            )
            if event.earliest_start < until and event.latest_end > since:
                found.append(event)
        return tuple(found)
