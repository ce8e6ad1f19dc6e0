"""Answers as ASGI sends them: one whole body with its length, or the JSON of an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Send

from api.schemas import ErrorView

__all__ = ["RETRY_AFTER_SECONDS", "Answer", "error_answer", "json_answer"]

# The HPA asks every 15 s whatever we say; other clients should not ask more often than it does.
RETRY_AFTER_SECONDS = 15

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a whole body."""

    status: int
    body: bytes
    headers: Headers = field(default=())

    async def send(self, send: Send) -> None:
        """Send it by ASGI, head and body in one turn of the loop."""
        # A list of its own for each request: what wraps the application may change it.
        headers = list(self.headers)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    def response(self) -> Response:
        """The same as a route of the framework returns it."""
        response = Response(self.body, self.status)
        response.raw_headers = list(self.headers)
        return response


def json_answer(status: int, body: str | bytes, *extra: tuple[bytes, bytes]) -> Answer:
    """An answer of JSON text that no cache between here and the client may keep."""
    encoded = body.encode() if isinstance(body, str) else body
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", str(len(encoded)).encode()),
        (b"cache-control", b"no-store"),
        *extra,
    )
    return Answer(status, encoded, headers)


def error_answer(status: int, error: str, reason: str, *extra: tuple[bytes, bytes]) -> Answer:
    """``{"error": …, "reason": …}``; 503 also says when to ask again.

    ``error`` is a word for programs, ``reason`` a sentence for people.
    """
    if status == 503:
        extra = (*extra, (b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    return json_answer(status, ErrorView(error=error, reason=reason).model_dump_json(), *extra)
