"""The JSON body of a request: of the right kind, bounded in size and in time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from starlette.requests import Request

from api.answers import Answer, error_answer
from forecaster.programme.refusal import shown_value

__all__ = ["BODY_SECONDS", "MAX_BODY_BYTES", "BodyError", "json_object"]

MAX_BODY_BYTES = 262_144
"""An event with a thousand selected workloads is a quarter of this."""
BODY_SECONDS = 10.0

_KINDS = frozenset({"application/json", "application/merge-patch+json"})


class BodyError(Exception):
    """A body that is not even looked at; ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises BodyError: 415 for another content type, 413 beyond MAX_BODY_BYTES, 408 where it does
    not come within BODY_SECONDS, 400 for what is no JSON object. A key that stands twice is 400
    too: one of the two would be lost in silence.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise BodyError(
            error_answer(
                415,
                "unsupported_media_type",
                f"the body's content type is {kind[:80] or 'not given'}; send for example the "
                "header Content-Type: application/json",
            )
        )
    try:
        async with asyncio.timeout(BODY_SECONDS):
            text = await _body(request)
    except TimeoutError:
        reason = f"the body did not come within {BODY_SECONDS:g} s"
        raise BodyError(_closing(408, "request_timeout", reason)) from None
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = f"the body is no JSON: {str(error)[:200]}"
        raise BodyError(error_answer(400, "invalid_json", reason)) from None
    if not isinstance(value, dict):
        reason = f'the body is no JSON object, such as {{"kind": "football"}}: {text[:40]!r}'
        raise BodyError(error_answer(400, "invalid_json", reason))
    return value


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > MAX_BODY_BYTES:
            reason = f"the body is larger than {MAX_BODY_BYTES:,} bytes"
            raise BodyError(_closing(413, "body_too_large", reason))
    return bytes(found)


def _closing(status: int, error: str, reason: str) -> Answer:
    """What remains of the body is not read, so the connection serves no other request."""
    return error_answer(status, error, reason, (b"connection", b"close"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {shown_value(twice)} stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
