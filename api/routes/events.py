"""``/v1/events``: what is known ahead, read and changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.bodies import json_object
from api.event_query import cursor_after, parse_page
from api.event_responses import (
    BODY_PROBLEMS,
    CHANGED,
    CONFLICT,
    NOT_STORED,
    QUERY_PROBLEMS,
    UNKNOWN,
    Cursor,
    From,
    IdempotencyKey,
    Kind,
    Limit,
    Namespace,
    SourceName,
    To,
    Workload,
    body_of,
)
from api.event_schemas import (
    EventBody,
    EventsView,
    ExtensionBody,
    PatchBody,
    ToldEventView,
)
from api.event_views import event_view, told_event_view
from api.pacing import in_turns
from api.preconditions import precondition, tag_of
from forecaster.planning.snapshot import Snapshot
from forecaster.worker.event_book import KnownEvent
from forecaster.worker.event_changes import extension_of
from forecaster.worker.event_warnings import EventWarning, event_warnings
from forecaster.worker.programme import Programme

__all__ = ["events_router"]

_ID = "/{event_id}"
_READ_ONLY = ("source", "state", "planned_end", "overridden", "problem", "warnings")


def events_router(
    programme: Programme, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime]
) -> APIRouter:
    """Reading is for everybody who may read; who may write is asked before the routing."""
    router = APIRouter(prefix="/v1/events", tags=["events"])
    desk, labels = programme.desk, programme.labels

    def warned(known: KnownEvent, now: datetime) -> tuple[EventWarning, ...]:
        states = snapshot().workloads.values()
        return event_warnings(
            known.event, states, labels, lambda kind: programme.seen(kind, now), now
        )

    async def told(known: KnownEvent, status: int = 200, *more: tuple[bytes, bytes]) -> Response:
        now = clock()
        warnings = await run_in_threadpool(warned, known, now)
        body = told_event_view(known, now, warnings).model_dump_json()
        tag = (b"etag", tag_of(known).encode())
        return json_answer(status, body, tag, *more).response()

    def location(request: Request, known: KnownEvent) -> tuple[bytes, bytes]:
        root = request.scope.get("root_path", "")
        return b"location", f"{root}/v1/events/{known.event.event_id}".encode()

    @router.get(
        "",
        summary="Events by time, workload, kind and source, by their starts",
        response_model=EventsView,
        responses=QUERY_PROBLEMS,
    )
    async def events(
        start: From = None,
        end: To = None,
        namespace: Namespace = None,
        workload: Workload = None,
        kind: Kind = None,
        source: SourceName = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> Response:
        page = parse_page(
            {
                "from": start,
                "to": end,
                "namespace": namespace,
                "workload": workload,
                "kind": kind,
                "source": source,
                "limit": limit,
                "cursor": cursor,
            },
            labels,
        )
        query, now, book = page.query, clock(), await run_in_threadpool(desk.book)
        rows: list[bytes] = []
        last: KnownEvent | None = None
        more: str | None = None
        async for known in in_turns(book.near(query.since, query.until, page.after)):
            if not query.takes(known):
                continue
            if last is not None and len(rows) == page.limit:
                more = cursor_after(last.place)
                break
            rows.append(event_view(known, now).model_dump_json().encode())
            last = known
        rest = EventsView(events=[], next=more).model_dump_json().encode()
        head, bracket, tail = rest.partition(b"[")
        return json_answer(200, b"".join((head, bracket, b",".join(rows), tail))).response()

    @router.post(
        "",
        summary="Make an event",
        status_code=201,
        response_model=ToldEventView,
        responses={
            200: {"model": ToldEventView, "description": "This request has made it before"},
            **CONFLICT,
            **BODY_PROBLEMS,
        },
        openapi_extra=body_of(EventBody, "application/json"),
    )
    async def create(request: Request, key: IdempotencyKey = None) -> Response:
        body = await json_object(request)
        known, made = await run_in_threadpool(desk.create, body, clock(), key)
        return await told(known, 201 if made else 200, location(request, known))

    @router.get(_ID, summary="One event", response_model=ToldEventView, responses=UNKNOWN)
    async def event(event_id: str) -> Response:
        book = await run_in_threadpool(desk.book)
        return await told(book.get(event_id))

    @router.put(
        _ID,
        summary="Make the event of this id, or put it in the place of what it was",
        response_model=ToldEventView,
        responses={
            201: {"model": ToldEventView, "description": "It is new"},
            **CONFLICT,
            **CHANGED,
            **BODY_PROBLEMS,
        },
        openapi_extra=body_of(EventBody, "application/json"),
    )
    async def put(request: Request, event_id: str) -> Response:
        body = await json_object(request)
        wished = {key: value for key, value in body.items() if key not in _READ_ONLY}
        known, made = await run_in_threadpool(desk.put, event_id, wished, precondition(request))
        more = (location(request, known),) if made else ()
        return await told(known, 201 if made else 200, *more)

    @router.patch(
        _ID,
        summary="Change, move or cancel an event",
        description="A JSON merge patch. Over an event of a calendar it is laid, and stays over "
        "what the calendar says from then on, until it is lifted.",
        response_model=ToldEventView,
        responses={**UNKNOWN, **CHANGED, **BODY_PROBLEMS},
        openapi_extra=body_of(PatchBody, "application/merge-patch+json", "application/json"),
    )
    async def patch(request: Request, event_id: str) -> Response:
        body, condition = await json_object(request), precondition(request)
        return await told(await run_in_threadpool(desk.patch, event_id, body, clock(), condition))

    @router.post(
        _ID + "/extend",
        summary="Let an event go on longer",
        response_model=ToldEventView,
        responses={**UNKNOWN, **CHANGED, **BODY_PROBLEMS},
        openapi_extra=body_of(ExtensionBody, "application/json"),
    )
    async def extend(request: Request, event_id: str) -> Response:
        to, condition = extension_of(await json_object(request)), precondition(request)
        return await told(await run_in_threadpool(desk.extend, event_id, to, clock(), condition))

    @router.delete(
        _ID,
        summary="Remove an event; one of a calendar is cancelled instead",
        status_code=204,
        responses={
            200: {"model": ToldEventView, "description": "It is in a calendar: cancelled"},
            **UNKNOWN,
            **CHANGED,
            **NOT_STORED,
        },
    )
    async def remove(request: Request, event_id: str) -> Response:
        condition = precondition(request)
        known = await run_in_threadpool(desk.remove, event_id, clock(), condition)
        return Response(status_code=204) if known is None else await told(known)

    @router.delete(
        _ID + "/override",
        summary="Lift what was laid over an event of a calendar",
        response_model=ToldEventView,
        responses={**UNKNOWN, **CHANGED, **NOT_STORED},
    )
    async def lift(request: Request, event_id: str) -> Response:
        return await told(await run_in_threadpool(desk.lift, event_id, precondition(request)))

    return router
