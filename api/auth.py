"""Bearer tokens: who may read what is under /v1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest

from api.answers import Answer, error_answer

__all__ = ["TokenGuard", "unauthorized_answer"]


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


def unauthorized_answer() -> Answer:
    """401 with the scheme that would be accepted."""
    return error_answer(
        401,
        "unauthorized",
        "a valid token is needed; send for example the header Authorization: Bearer <token>",
        (b"www-authenticate", b'Bearer realm="preroll"'),
    )
