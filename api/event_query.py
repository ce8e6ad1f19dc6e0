"""The query of ``GET /v1/events``: which events, and which page of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from api.forecast import ForecastQueryError
from api.instants import INSTANT_EXAMPLE, instant_in
from api.schemas import ProblemView
from forecaster.worker.event_book import EventQuery, Place

__all__ = ["DEFAULT_LIMIT", "MOST_A_PAGE", "EventPage", "cursor_after", "parse_page"]

DEFAULT_LIMIT = 100
MOST_A_PAGE = 1000

Labels = Callable[[str], Mapping[str, str]]
"""The labels of ``namespace/name``, as configured; none for a workload that is not."""


@dataclass(frozen=True)
class EventPage:
    """At most ``limit`` of the events asked for, behind ``after``."""

    query: EventQuery
    limit: int
    after: Place | None


def parse_page(given: Mapping[str, str | None], labels: Labels) -> EventPage:
    """What the parameters choose: ``from``, ``to``, ``namespace``, ``workload``, ``kind``,
    ``source``, ``limit``, ``cursor``.

    Raises ForecastQueryError with all that is wrong and an example for each field.
    """
    problems: list[ProblemView] = []
    since = instant_in("from", given["from"], problems)
    until = instant_in("to", given["to"], problems)
    if since is not None and until is not None and since >= until:
        message = f"{given['to']} is not later than from, {given['from']}"
        example = f"from={INSTANT_EXAMPLE}&to=2026-05-02T00:00:00Z"
        problems.append(ProblemView(field="to", message=message, example=example))
    namespace, name = _workload(given["namespace"], given["workload"], problems)
    limit = _limit(given["limit"], problems)
    after = _place(given["cursor"], problems)
    if problems:
        raise ForecastQueryError(problems)
    query = EventQuery(
        since,
        until,
        namespace,
        name,
        None if name is None else labels(f"{namespace}/{name}"),
        given["kind"],
        given["source"],
    )
    return EventPage(query, limit, after)


def cursor_after(place: Place) -> str:
    """What the next page is asked for with, opaque to the caller."""
    start, event_id = place
    text = json.dumps([start.isoformat(), event_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _workload(
    namespace: str | None, workload: str | None, problems: list[ProblemView]
) -> tuple[str | None, str | None]:
    if workload is None:
        return namespace, None
    of, slash, name = workload.rpartition("/")
    if slash and namespace not in (None, of):
        message = f"{workload[:80]!r} is not in the namespace {namespace!r}"
    elif not (of or namespace) or not name:
        message = f"{workload[:80]!r} names no namespace"
    else:
        return of or namespace, name
    problems.append(ProblemView(field="workload", message=message, example="streaming/player-api"))
    return None, None


def _limit(text: str | None, problems: list[ProblemView]) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST_A_PAGE:
        return int(text)
    message = f"{text[:40]!r} is not a whole number from 1 to {MOST_A_PAGE:,}"
    problems.append(ProblemView(field="limit", message=message, example=str(DEFAULT_LIMIT)))
    return DEFAULT_LIMIT


def _place(cursor: str | None, problems: list[ProblemView]) -> Place | None:
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        start, event_id = json.loads(base64.b64decode(padded, altchars="-_", validate=True))
        if isinstance(event_id, str):
            return datetime.fromisoformat(start).astimezone(UTC), event_id
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    message = f"{cursor[:40]!r} is no cursor; send what the page before called next"
    problems.append(ProblemView(field="cursor", message=message, example="as in next"))
    return None
