"""What OpenAPI says of the bodies and the answers of ``/v1/events``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query

from api.event_query import DEFAULT_LIMIT, MOST_A_PAGE
from api.event_schemas import EventErrorView
from api.schemas import ErrorView, QueryErrorView

__all__ = [
    "BODY_PROBLEMS",
    "CHANGED",
    "CONFLICT",
    "NOT_STORED",
    "QUERY_PROBLEMS",
    "UNKNOWN",
    "Cursor",
    "From",
    "IdempotencyKey",
    "Kind",
    "Limit",
    "Namespace",
    "SourceName",
    "To",
    "Workload",
    "body_of",
]

Responses = dict[int | str, dict[str, Any]]


def _error(status: int, description: str, model: Any = ErrorView) -> Responses:
    return {status: {"model": model, "description": description}}


UNKNOWN = _error(404, "No event of this id is known")
CHANGED = _error(412, "If-Match or If-None-Match does not fit the event as it is")
CONFLICT = _error(409, "The id or the key belongs to another event")
NOT_STORED = _error(503, "It cannot be stored; nothing has changed")
QUERY_PROBLEMS = _error(422, "A parameter cannot be used; the field is named", QueryErrorView)
BODY_PROBLEMS: Responses = {
    **_error(400, "The body is no JSON object"),
    **_error(413, "The body is too large"),
    **_error(415, "The body's content type is not JSON"),
    **_error(422, "An event that cannot be; every field is named", EventErrorView),
    **NOT_STORED,
}


def body_of(model: type[Any], *kinds: str) -> dict[str, Any]:
    """A request body; the route reads it itself, for its errors are ours."""
    reference = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(kinds, reference)}}


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        min_length=1,
        description="A name of your own for this request: sent again with it, it makes no second "
        "event. Known for 7 days.",
        examples=["2b9c1f5e-kick-off"],
    ),
]
From = Annotated[
    str | None,
    Query(
        alias="from",
        description="Leave out the events that are over by this instant (with zone).",
        examples=["2026-06-11T00:00:00Z"],
    ),
]
To = Annotated[
    str | None,
    Query(
        alias="to",
        description="Leave out the events that start at this instant or later.",
        examples=["2026-06-12T00:00:00Z"],
    ),
]
Namespace = Annotated[
    str | None,
    Query(description="Only events that may concern something in it.", examples=["streaming"]),
]
Workload = Annotated[
    str | None,
    Query(
        description="Only events that select it: namespace/name, or a name beside `namespace`.",
        examples=["streaming/player-api"],
    ),
]
Kind = Annotated[str | None, Query(description="Only this kind.", examples=["football"])]
SourceName = Annotated[
    str | None,
    Query(
        description="Only from here: rest, settings, or the name of a calendar.", examples=["rest"]
    ),
]
Limit = Annotated[
    str | None,
    Query(
        description=f"How many a page, at most {MOST_A_PAGE:,}; {DEFAULT_LIMIT} where absent.",
        examples=["100"],
    ),
]
Cursor = Annotated[str | None, Query(description="What the page before called `next`.")]
