"""What may be done to an event: made from a document, patched, extended. No IO, no clock."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from forecaster.durations import format_duration, parse_duration
from forecaster.errors import EventRefused, FieldProblem
from forecaster.events import Event
from forecaster.events.event import LONGEST_EVENT
from forecaster.programme.document import EventDocument
from forecaster.programme.problems import problems_of
from forecaster.store import Patch

__all__ = [
    "digest_of",
    "event_of",
    "extended",
    "extension_of",
    "merged",
    "patch_between",
    "patched",
    "valid_id",
]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@+-]{0,127}")
_UNTIL_EXAMPLE = "2026-06-11T21:30:00Z"


def event_of(body: Mapping[str, Any], event_id: str, timezone: str | None = None) -> Event:
    """The event that a JSON object describes, under ``event_id``; ``timezone`` is the default one.

    Raises EventRefused, with every field that cannot be used.
    """
    try:
        event = EventDocument.model_validate(body).to_event(timezone)
    except ValueError as error:
        raise _refused(error) from error
    return dataclasses.replace(event, event_id=event_id)


def valid_id(event_id: str) -> str:
    """The id itself; EventRefused for one that an address could not carry as it is."""
    if _ID.fullmatch(event_id) is None:
        shown = event_id if len(event_id) <= 80 else event_id[:79] + "…"
        message = (
            f"{shown!r} is no id: up to 128 letters, digits and . _ ~ @ + -, the first one a "
            "letter or a digit"
        )
        raise EventRefused([FieldProblem("id", message, "match-2026-01")])
    return event_id


def digest_of(event: Event) -> str:
    """A digest of a wished-for event: the same one for the same wish, however it was spelled."""
    text = json.dumps(EventDocument.from_event(event).as_written(), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch applied (RFC 7396): null takes a key away, a list is replaced whole.

    >>> merged({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    found = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def patched(event: Event, patch: Patch, timezone: str | None = None) -> Event:
    """The event with a merge patch of its document applied.

    A start that moves, without an end beside it, takes the end along. Raises EventRefused, also
    for a patch of the id.
    """
    if "id" in patch and patch["id"] != event.event_id:
        raise EventRefused(
            [FieldProblem("id", "it stays what it is; make another event", event.event_id)]
        )
    document = merged(EventDocument.from_event(event).as_written(), patch)
    if "start" in patch and "end" not in patch and event.end is not None:
        document.pop("end")
        moved = event_of(document, event.event_id, timezone)
        try:
            return _written(dataclasses.replace(moved, end=moved.start + event.duration))
        except ValueError as error:
            raise _refused(error) from error
    return event_of(document, event.event_id, timezone)


def patch_between(event: Event, changed: Event) -> Patch:
    """The merge patch that makes ``changed`` of ``event``; of times, always both."""
    before = EventDocument.from_event(event).as_written()
    after = EventDocument.from_event(changed).as_written()
    patch = _difference(before, after)
    if "start" in patch and "end" in after:
        patch["end"] = after["end"]  # else it would be taken along once more
    return patch


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if value != old:
                patch[key] = _difference(old, value)
        elif value != old:
            patch[key] = value
    return patch


def extension_of(body: Mapping[str, Any]) -> timedelta | datetime:
    """What ``{"by": "15m"}`` or ``{"until": "…"}`` asks for; EventRefused for all else."""
    keys = set(body)
    if keys not in ({"by"}, {"until"}):
        unknown = sorted(keys - {"by", "until"})
        field = unknown[0] if unknown else "by"
        raise EventRefused([FieldProblem(field, "exactly one of by and until is needed", "15m")])
    value = body.get("by", body.get("until"))
    if "by" in body:
        try:
            by = parse_duration(value if isinstance(value, str) else repr(value))
            if by > timedelta(0):
                return by
            message = f"{value} is no time; it must be above 0"
        except ValueError:
            message = f"{str(value)[:80]!r} is not a duration"
        raise EventRefused([FieldProblem("by", message, "15m")])
    try:
        until = datetime.fromisoformat(value if isinstance(value, str) else repr(value))
        if until.tzinfo is not None:
            return until.astimezone(UTC)
        message = f"{value} has no time zone"
    except (ValueError, OverflowError):
        message = f"{str(value)[:80]!r} is not an instant"
    raise EventRefused([FieldProblem("until", message, _UNTIL_EXAMPLE)])


def extended(event: Event, to: timedelta | datetime, now: datetime) -> Event:
    """The event with a later end: by so much from its planned end, or until an instant.

    An open end stays open by so much longer. Raises EventRefused where that is no later, or over
    already at ``now``.
    """
    field = "until" if isinstance(to, datetime) else "by"
    if isinstance(to, timedelta) and to > LONGEST_EVENT:
        raise EventRefused([FieldProblem("by", f"{format_duration(to)} is too long", "15m")])
    end = to if isinstance(to, datetime) else event.planned_end + to
    if end <= event.planned_end:
        message = (
            f"{_text(end)} is no later than its end, {_text(event.planned_end)}; PATCH ends it"
        )
        raise EventRefused([FieldProblem(field, message)])
    if end <= now:
        message = f"it would have ended at {_text(end)}, and it is {_text(now)}"
        raise EventRefused([FieldProblem(field, message)])
    try:
        if event.end is None and isinstance(to, timedelta):
            return dataclasses.replace(event, ceiling=event.ceiling + to)
        return _written(dataclasses.replace(event, end=end))
    except ValueError as error:
        raise _refused(error, field) from error


def _written(event: Event) -> Event:
    """The event, if a document can hold it: an end counted from others may lie beyond its years."""
    EventDocument.from_event(event)
    return event


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _refused(error: ValueError, field: str | None = None) -> EventRefused:
    return EventRefused(
        [FieldProblem(field or one.field, one.message, one.example) for one in problems_of(error)]
    )
