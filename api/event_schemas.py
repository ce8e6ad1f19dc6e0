"""The JSON of events: as they are sent, and as they are shown."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import ErrorView, ProblemView
from api.view import Replicas, Text, View
from forecaster.programme.document import EventDocument, PatternDocument
from forecaster.worker.event_warnings import EventTrouble

__all__ = [
    "EVENT_EXAMPLE",
    "EXTENSION_EXAMPLE",
    "LIST_EXAMPLE",
    "PATCH_EXAMPLE",
    "EventBody",
    "EventErrorView",
    "EventState",
    "EventView",
    "EventWarningView",
    "EventsView",
    "ExtensionBody",
    "PatchBody",
    "ToldEventView",
]

EVENT_EXAMPLE: dict[str, Any] = {
    "id": "match-2026-01",
    "start": "2026-06-11T19:00:00Z",
    "end": "2026-06-11T20:55:00Z",
    "kind": "football",
    "importance": "high",
    "name": "Brazil v Scotland",
    "selector": {"namespaces": ["streaming"]},
    "uplift": 1.7,
}
PATCH_EXAMPLE: dict[str, Any] = {"end": "2026-06-11T21:25:00Z", "uplift": None}
EXTENSION_EXAMPLE: dict[str, Any] = {"by": "15m"}


class EventState(StrEnum):
    """Where an event stands now; ``on`` includes the time that it may be held for."""

    AHEAD = "ahead"
    ON = "on"
    OVER = "over"
    CANCELLED = "cancelled"


class EventBody(EventDocument):
    """One event, as it is made. Times carry an offset, or are read in ``timezone``."""

    model_config = ConfigDict(json_schema_extra={"examples": [EVENT_EXAMPLE]})


class PatchBody(BaseModel):
    """A JSON merge patch (RFC 7396) of an event: what is named is changed, null takes it away.

    A ``start`` without an ``end`` beside it takes the end along. ``{"cancelled": true}`` cancels.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [PATCH_EXAMPLE]})


class ExtensionBody(BaseModel):
    """How much longer an event lasts: exactly one of the two."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [EXTENSION_EXAMPLE, {"until": "2026-06-11T21:10:00Z"}]},
    )

    by: Annotated[
        str | None,
        Field(
            description="Longer than planned by this. Asking again extends again.", examples=["15m"]
        ),
    ] = None
    until: Annotated[
        datetime | None,
        Field(
            description="The new end. Asking again changes nothing.",
            examples=["2026-06-11T21:10:00Z"],
        ),
    ] = None


class EventView(PatternDocument):
    """One event as it counts, times in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    source: Annotated[
        str,
        Field(description="rest, settings, or the name of the calendar it is in."),
    ]
    state: EventState
    start: datetime
    end: Annotated[datetime | None, Field(description="null: open, until `planned_end`.")]
    planned_end: Annotated[
        datetime, Field(description="The end, or the ceiling of an event whose end is open.")
    ]
    cancelled: bool
    overridden: Annotated[
        bool, Field(description="Whether something was laid over what its calendar says.")
    ]
    problem: Annotated[
        Text | None,
        Field(description="Why what was laid over it does not fit any more, where it does not."),
    ]


class EventWarningView(View):
    """What an event will not do. It is made all the same."""

    code: EventTrouble
    message: Annotated[Text, Field(description="The same as a sentence.")]
    workload: Annotated[
        str | None,
        Field(description="Whose maximum a floor is above, namespace/name; null: no single one's."),
    ]
    floor: Annotated[Replicas | None, Field(description="The floor in that workload's replicas.")]
    max_replicas: Annotated[Replicas | None, Field(description="What it gets at the most.")]


class ToldEventView(EventView):
    """One event as it counts, and what it will not do."""

    warnings: Annotated[
        list[EventWarningView],
        Field(
            description="A floor above a workload's max_replicas; a selector that matches no "
            "workload; an event that is over; a kind of which no past event is known, without an "
            "uplift. Refuses nothing."
        ),
    ]


LIST_EXAMPLE = "WyIyMDI2LTA2LTExVDE5OjAwOjAwKzAwOjAwIiwgIm1hdGNoLTIwMjYtMDEiXQ"


class EventsView(BaseModel):
    """Events in the order of their starts, a page at a time."""

    events: list[EventView]
    next: Annotated[
        str | None,
        Field(
            description="Send it as `cursor` for the next page; null on the last one.",
            examples=[LIST_EXAMPLE],
        ),
    ]


class EventErrorView(ErrorView):
    """Every field of an event that cannot be used, at once."""

    problems: list[ProblemView]
