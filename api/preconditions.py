"""``If-Match`` and ``If-None-Match`` on changes, and the tag that they compare (RFC 9110, 13.1)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from forecaster.worker.event_book import KnownEvent

__all__ = ["precondition", "tag_of"]


def tag_of(known: KnownEvent) -> str:
    """The entity tag of an event, in its quotes."""
    return f'"{known.edition}"'


def precondition(request: Request) -> Callable[[KnownEvent | None], str | None] | None:
    """What a request asks an event to be before it is changed; None where it asks nothing."""
    wanted = request.headers.get("if-match")
    unwanted = request.headers.get("if-none-match")
    if wanted is None and unwanted is None:
        return None

    def check(known: KnownEvent | None) -> str | None:
        tag = None if known is None else tag_of(known)
        if wanted is not None and not _named(wanted, tag):
            now = "there is none" if tag is None else f"it is {tag}"
            return f"If-Match asks for {wanted[:80]} and {now}; GET it anew"
        if unwanted is not None and _named(unwanted, tag):
            return f"If-None-Match asks for none such, and the event is {tag}"
        return None

    return check


def _named(header: str, tag: str | None) -> bool:
    return tag is not None and (
        header.strip() == "*" or tag in (one.strip() for one in header.split(","))
    )
