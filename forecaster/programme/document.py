"""One event as people write it, in YAML and JSON, and as the store keeps it.

REST bodies are the same model. What it refuses is told by ``problems.problems_of``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import Field

from forecaster.events import EVERY_WORKLOAD, Event, Shape
from forecaster.events.event import DEFAULT_CEILING
from forecaster.events.importance import NORMAL_IMPORTANCE
from forecaster.programme.fields import Factor, Importance, Points, Switch, Text
from forecaster.programme.parts import Document, FloorDocument, SelectorDocument
from forecaster.programme.times import (
    FIRST_YEAR,
    INSTANT_EXAMPLE,
    LAST_YEAR,
    Duration,
    Instant,
    TimeZone,
    later_reading,
    zone_named,
)

__all__ = ["EventDocument", "PatternDocument"]


class PatternDocument(Document):
    """What an event, a daily window and a holiday have in common."""

    kind: Text = Field(
        description="What it is; uplift is learned by kind.", examples=["football", "live-show"]
    )
    importance: Importance = Field(
        default=NORMAL_IMPORTANCE,
        description="A number from 0 to 100, or lowest (1), low, normal (3), high, highest (5).",
        examples=["high"],
    )
    name: Text | None = Field(
        default=None, description="Its own name.", examples=["Brazil v Scotland"]
    )
    id: Text | None = Field(
        default=None,
        description="What it stays the same event by when it is moved or cancelled.",
        examples=["match-2026-01"],
    )
    selector: SelectorDocument | None = Field(
        default=None,
        description="Which workloads it concerns; left out: all.",
        examples=[{"namespaces": ["streaming"]}],
    )
    uplift: Factor | None = Field(
        default=None,
        description="Declared: the factor on traffic from start to end; left out, it is learned.",
        examples=[1.7],
    )
    floor: FloorDocument | None = Field(
        default=None,
        description="At least so many replicas, or replicas for so much traffic.",
        examples=[{"replicas": 40}],
    )
    shape: Points | None = Field(
        default=None,
        description="Declared, instead of an uplift: factors at times from the start.",
        examples=[{"-5m": 1, "2m": 5, "90m": 5, "95m": 1}],
    )
    audience: Text | None = Field(
        default=None,
        description="Of overlapping uplifts of one audience the larger wins; left out: the kind.",
        examples=["football"],
    )
    start_uncertainty: Duration = Field(
        default=timedelta(0),
        description="How far off the start may be, either way.",
        examples=["5m"],
    )
    ceiling: Duration = Field(
        default=DEFAULT_CEILING,
        description="How long it lasts at the longest where its end is open or held.",
        examples=["6h"],
    )
    hold: Switch = Field(
        default=False,
        description="Whether it goes on beyond its end until traffic has fallen.",
        examples=[True],
    )

    def event_at(
        self, start: datetime, end: datetime | None, *, event_id: str = "", cancelled: bool = False
    ) -> Event:
        """The event with these times; ValueError, with the field's name, for what cannot be."""
        return Event(
            start=start,
            end=end,
            kind=self.kind,
            importance=self.importance,
            name=self.name or "",
            event_id=self.id or event_id,
            selector=self.selector.to_selector() if self.selector else EVERY_WORKLOAD,
            uplift=self.uplift,
            floor_replicas=self.floor.replicas if self.floor else None,
            floor_rps=self.floor.traffic if self.floor else None,
            shape=None if self.shape is None else Shape(self.shape),
            audience=self.audience or "",
            start_uncertainty=self.start_uncertainty,
            ceiling=self.ceiling,
            hold=self.hold,
            cancelled=cancelled,
        )


class EventDocument(PatternDocument):
    """One event.

    ``start`` and ``end`` carry an offset, or are read by the wall clock of ``timezone``. Of a time
    that comes twice when clocks go back, the start is the first and the end the second one; a time
    that is skipped is as late as the clock was put forward.
    """

    start: Instant = Field(
        description="When it starts, with an offset or with a timezone beside it.",
        examples=[INSTANT_EXAMPLE],
    )
    end: Instant | None = Field(
        default=None,
        description="When it ends; left out, it is open and lasts its ceiling at the longest.",
        examples=["2026-06-11T20:55:00Z"],
    )
    cancelled: Switch = Field(
        default=False, description="Whether it does not take place.", examples=[True]
    )
    timezone: TimeZone | None = Field(
        default=None,
        description="The IANA zone of a start and an end without an offset.",
        examples=["Europe/Paris"],
    )

    def to_event(self, default_timezone: str | None = None) -> Event:
        """The domain's event; a time without an offset is read in ``timezone``, or the default.

        ValueError, beginning with the field's name: no zone for such a time, an end that is not
        after the start, a shape beside an uplift, and what else :class:`Event` refuses.
        """
        zone = self.timezone or default_timezone
        start = _located(self.start, zone, "start")
        end = None if self.end is None else _located(self.end, zone, "end")
        return self.event_at(start, end, cancelled=self.cancelled)

    @classmethod
    def from_event(cls, event: Event) -> EventDocument:
        """As it would be written; ``to_event`` makes an equal event of it."""
        has_floor = event.floor_replicas is not None or event.floor_rps is not None
        return cls(
            start=event.start,
            end=event.end,
            kind=event.kind,
            importance=event.importance,
            name=event.name or None,
            id=event.event_id or None,
            selector=SelectorDocument.from_selector(event.selector),
            uplift=event.uplift,
            floor=FloorDocument(replicas=event.floor_replicas, traffic=event.floor_rps)
            if has_floor
            else None,
            shape=None if event.shape is None else event.shape.points,
            audience=event.audience or None,
            start_uncertainty=event.start_uncertainty,
            ceiling=event.ceiling,
            hold=event.hold,
            cancelled=event.cancelled,
        )


def _located(value: datetime, zone: str | None, field: str) -> datetime:
    if value.tzinfo is not None:
        return _written(value.astimezone(UTC), field)
    if zone is None:
        raise ValueError(
            f"{field}: {value.isoformat()} has no time zone; write {value.isoformat()}Z or "
            f"{value.isoformat()}+02:00, or name the zone: timezone: Europe/Paris"
        )
    if field == "end":
        return _written(later_reading(value, zone), field)
    return _written(value.replace(tzinfo=zone_named(zone)).astimezone(UTC), field)


def _written(utc: datetime, field: str) -> datetime:
    """The instant itself, where a document can hold it: an offset may lead into another year."""
    if not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise ValueError(f"{field}: {utc} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return utc
