"""Bearer tokens: who may read what is under /v1, and who may write events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest

from api.answers import Answer, error_answer

__all__ = ["Guards", "TokenGuard", "unauthorized_answer"]

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_EVENTS = "/v1/events"


class TokenGuard:
    """Admits requests that carry one of ``tokens``; every request where there are none.

    A token comes as ``Authorization: Bearer …`` or ``X-API-KEY: …``, the two ways of KEDA that send
    one secret in a header. Every token is compared, by digest and in constant time, so that the
    time of an answer says nothing of a token, nor of its length or its place.

    Raises ValueError, without the token, for one that no header can carry.
    """

    def __init__(self, tokens: Sequence[str] = ()) -> None:
        for place, token in enumerate(tokens):
            if not token or not token.isprintable() or token != token.strip():
                raise ValueError(
                    f"tokens[{place}] is empty, has white space around it or control characters; "
                    "make one for example with: openssl rand -hex 32"
                )
        self._digests = tuple(sha256(token.encode()).digest() for token in tokens)

    @property
    def closed(self) -> bool:
        """Whether a token is asked for at all."""
        return bool(self._digests)

    def admits(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers (ASGI: lower-case names, bytes) may pass."""
        if not self._digests:
            return True
        admitted = False
        for name, value in headers:
            if name == b"authorization":
                scheme, _, credential = value.strip().partition(b" ")
                if scheme.lower() != b"bearer":
                    continue
            elif name == b"x-api-key":
                credential = value
            else:
                continue
            admitted |= self._is_a_token(credential.strip())
        return admitted

    def _is_a_token(self, credential: bytes) -> bool:
        presented = sha256(credential).digest()
        found = False
        for digest in self._digests:
            found |= compare_digest(presented, digest)
        return found


class Guards:
    """Who may read, and who may write events: tokens of their own, that may read as well.

    Without ``tokens`` everybody may read; without ``events_tokens`` nobody may write. ValueError
    as for a TokenGuard.
    """

    def __init__(self, tokens: Sequence[str] = (), events_tokens: Sequence[str] = ()) -> None:
        self.writers = TokenGuard(events_tokens)
        self.readers = TokenGuard([*tokens, *events_tokens] if tokens else ())

    def refusal(
        self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> Answer | None:
        """The answer to a request under /v1 that may not pass; None where it may."""
        if not self.readers.admits(headers):
            return unauthorized_answer()
        if method in _READING or not path.startswith(_EVENTS):
            return None
        if not self.writers.closed:
            return error_answer(
                403,
                "events_are_read_only",
                "nobody may write events here, for no token is set that may; set for example "
                "server: {events_tokens_file: /etc/preroll/events-tokens} or "
                "PREROLL_SERVER__EVENTS_TOKENS",
            )
        if self.writers.admits(headers):
            return None
        if self.readers.closed:
            return error_answer(
                403,
                "forbidden",
                "this token may only read; writing events needs one of server.events_tokens",
            )
        return unauthorized_answer("a token of server.events_tokens is needed to write events")


def unauthorized_answer(reason: str = "a valid token is needed") -> Answer:
    """401 with the scheme that would be accepted."""
    return error_answer(
        401,
        "unauthorized",
        f"{reason}; send for example the header Authorization: Bearer <token>",
        (b"www-authenticate", b'Bearer realm="preroll"'),
    )
