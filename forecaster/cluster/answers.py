"""What the API server answered: objects, lines of a watch, or a refusal turned into an error."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3
from pydantic_core import from_json

from forecaster.errors import (
    ClusterAnswerError,
    ClusterError,
    ClusterExpired,
    ClusterRefused,
    ClusterUnavailable,
)

__all__ = ["body_of", "lines_of", "object_of", "refusal", "refusal_of_event", "without_answer"]

_CHUNK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 32 << 20
_LONGEST_TOLD = 300

Answer = urllib3.BaseHTTPResponse


def body_of(answer: Answer, asked: str, within_seconds: float) -> bytes:
    """The whole body; an answer that drips in for longer than ``within_seconds`` is given up."""
    until = time.monotonic() + within_seconds
    parts = []
    try:
        for part in answer.stream(_CHUNK_BYTES, decode_content=True):
            parts.append(part)
            if time.monotonic() > until:
                raise ClusterUnavailable(f"{asked}: not answered within {within_seconds:g} s")
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise without_answer(asked, error) from error
    finally:
        answer.close()  # the connection is kept where all was read
    return b"".join(parts)


def object_of(body: bytes, asked: str) -> dict[str, Any]:
    """The JSON object that a body is."""
    try:
        found = from_json(body, cache_strings="keys")  # a third faster than json
    except ValueError as error:
        shown = body[:60].decode("utf-8", "replace")
        raise ClusterAnswerError(f"{asked}: the answer is no JSON: {shown!r}") from error
    if not isinstance(found, dict):
        raise ClusterAnswerError(f"{asked}: the answer is no JSON object")
    return found


def lines_of(answer: Answer, asked: str) -> Iterator[bytes]:
    """The whole lines of a watch as they come; half a line at the end is left out."""
    rest: list[bytes] = []
    held = 0
    try:
        for part in answer.stream(_CHUNK_BYTES, decode_content=True):
            *lines, tail = part.split(b"\n")
            if lines:
                lines[0] = b"".join([*rest, lines[0]])
                rest, held = [], 0
                yield from lines
            rest.append(tail)
            held += len(tail)
            if held > _LONGEST_LINE_BYTES:
                raise ClusterAnswerError(f"{asked}: a line of over {_LONGEST_LINE_BYTES} bytes")
    except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
        # A stream that another thread has shut down ends in any of these.
        raise without_answer(asked, error) from error


def without_answer(asked: str, error: Exception) -> ClusterError:
    """No answer, or half of one."""
    if isinstance(error, ClusterError):
        return error
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        told = "cannot connect"
    elif isinstance(error, urllib3.exceptions.TimeoutError):
        told = "no answer in time"
    elif isinstance(error, urllib3.exceptions.SSLError):
        return ClusterRefused(f"{asked}: TLS failed: {_short(str(error))}")
    elif isinstance(error, urllib3.exceptions.ProtocolError | OSError | AttributeError):
        told = f"the connection was cut ({_short(str(error))})"
    else:
        told = _short(str(error) or type(error).__name__)
    return ClusterUnavailable(f"{asked}: {told}")


def refusal(status: int, headers: Mapping[str, str], body: bytes, asked: str) -> ClusterError:
    """The error that an answer with ``status`` is; its words are the server's own."""
    try:
        told = json.loads(body)
        message = str(told.get("message") or told.get("reason") or "")
    except (ValueError, AttributeError):
        message = body[:_LONGEST_TOLD].decode("utf-8", "replace")
    return _error(status, _short(message), asked, _seconds(headers.get("retry-after")))


def refusal_of_event(state: Mapping[str, Any], asked: str) -> ClusterError:
    """The error that an ERROR line of a watch carries, a Status."""
    code = state.get("code")
    details = state.get("details")
    after = details.get("retryAfterSeconds") if isinstance(details, Mapping) else None
    message = _short(str(state.get("message") or state.get("reason") or ""))
    return _error(code if isinstance(code, int) else 500, message, asked, _seconds(after))


def _error(status: int, message: str, asked: str, after: float | None) -> ClusterError:
    told = f"{asked}: {status}" + (f": {message}" if message else "")
    if status == 410:
        return ClusterExpired(told, status=status)
    if status == 504 and "too large resource version" in message.lower():
        # The server was restored to a past that does not know our version yet.
        return ClusterExpired(told, status=status)
    if status in (408, 429) or status >= 500:
        return ClusterUnavailable(told, status=status, retry_after_seconds=after)
    if status < 400:
        return ClusterAnswerError(f"{told} was not expected", status=status)
    return ClusterRefused(told, status=status)


def _seconds(text: Any) -> float | None:
    try:
        seconds = float(text)
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < 3600 else None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…"
