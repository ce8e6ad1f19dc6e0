"""How a calendar is read, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from forecaster.events import Calendar
from forecaster.programme.mapping import NO_MAPPING, MappingRules
from forecaster.programme.problems import EntryProblem
from forecaster.programme.times import zone_named

__all__ = ["CalendarFormat", "OnBadEntry", "ReadCalendar", "ReadOptions"]


class CalendarFormat(StrEnum):
    """The formats there are a reader for."""

    YAML = "yaml"
    CSV = "csv"
    ICALENDAR = "icalendar"
    XMLTV = "xmltv"
    PRESCALING = "prescaling"


class OnBadEntry(StrEnum):
    """What a bad entry does: it is skipped and told, or the whole calendar is refused."""

    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True)
class ReadOptions:
    """What the calendar itself does not say.

    ``timezone`` (IANA) is for times without an offset. ``since`` and ``until`` bound what comes of
    recurring entries; without them a rule is followed for ten years from its first start.
    ``default_kind`` is for entries that bring none. ``most_bytes`` counts after decompression,
    ``most_entries`` what comes of all entries together.

    ValueError for a zone that is not in the IANA list, and for bounds without an offset or in the
    wrong order.
    """

    timezone: str | None = None
    mapping: MappingRules = NO_MAPPING
    on_bad_entry: OnBadEntry = OnBadEntry.SKIP
    since: datetime | None = None
    until: datetime | None = None
    default_kind: str = "event"
    most_bytes: int = 64 * 2**20
    most_entries: int = 100_000

    def __post_init__(self) -> None:
        if self.timezone is not None:
            zone_named(self.timezone)
        for field in ("since", "until"):
            value = getattr(self, field)
            if value is not None and value.tzinfo is None:
                raise ValueError(f"{field}: {value} has no offset from UTC")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError(f"until: {self.until} is not after since, {self.since}")


@dataclass(frozen=True)
class ReadCalendar:
    """A calendar, and what was wrong with the entries that are not in it.

    ``dropped`` counts the entries that a mapping left out on purpose.
    """

    calendar: Calendar
    problems: tuple[EntryProblem, ...] = ()
    dropped: int = 0
