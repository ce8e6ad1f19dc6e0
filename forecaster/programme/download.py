"""One calendar over HTTP: bounded in time and size, wherever it leads."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from dataclasses import dataclass

import httpx

from forecaster.durations import format_duration
from forecaster.errors import EventSourceError
from forecaster.programme.source import CalendarSource, Validators, shown_url

__all__ = ["Download", "download"]

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOKEN_BYTES = 16_384
_ACCEPT = "text/calendar, application/xml, text/csv, application/yaml, application/json, */*;q=0.5"


@dataclass(frozen=True)
class Download:
    """What came; ``content`` None: nothing new (304)."""

    content: bytes | None
    validators: Validators


def download(
    source: CalendarSource,
    known: Validators,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Download:
    """Fetch a source's URL, unless it is what is ``known``.

    Not for a thread in which an event loop runs. EventSourceError where it is down, refuses,
    leads astray, takes longer than the source's timeout as a whole, or is too large.
    """
    try:
        return asyncio.run(_within_time(source, known, transport))
    except TimeoutError as error:
        raise EventSourceError(
            f"{source.shown} did not answer within {format_duration(source.timeout)}"
        ) from error
    except httpx.HTTPError as error:
        said = _scrubbed(str(error) or type(error).__name__, source)
        raise EventSourceError(f"cannot reach {source.shown}: {said[:300]}") from error


async def _within_time(
    source: CalendarSource, known: Validators, transport: httpx.AsyncBaseTransport | None
) -> Download:
    # One bound over everything, headers that trickle in and redirects included.
    async with asyncio.timeout(source.timeout.total_seconds()):
        async with httpx.AsyncClient(
            transport=transport,
            verify=True if transport is not None else _trusted(source),
            follow_redirects=False,
            timeout=source.timeout.total_seconds(),
            headers={"user-agent": "preroll", "accept": _ACCEPT, "accept-encoding": "gzip"},
        ) as client:
            return await _followed(client, source, known)


async def _followed(
    client: httpx.AsyncClient, source: CalendarSource, known: Validators
) -> Download:
    url = first = httpx.URL(str(source.location))
    headers = _conditions(known)
    token = _token(source)
    for _ in range(_MOST_REDIRECTS + 1):
        own = {"authorization": f"Bearer {token}"} if token and _same_host(url, first) else {}
        request = client.build_request("GET", url, headers={**headers, **own})
        response = await client.send(request, stream=True)
        try:
            if response.status_code not in _REDIRECTS:
                return await _received(response, source, known)
            url = _next_url(response, url, source)
        finally:
            await response.aclose()
    raise EventSourceError(f"{source.shown} redirects more than {_MOST_REDIRECTS} times")


def _conditions(known: Validators) -> dict[str, str]:
    headers = {}
    if known.etag is not None:
        headers["if-none-match"] = known.etag
    if known.last_modified is not None:
        headers["if-modified-since"] = known.last_modified
    return headers


async def _received(
    response: httpx.Response, source: CalendarSource, known: Validators
) -> Download:
    status = response.status_code
    if status == 304 and known != Validators():
        return Download(None, known)
    if status != 200:
        raise EventSourceError(f"{source.shown} answers {status}{_advice(status)}")
    most = source.options.most_bytes
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > most:
            raise _too_large(source)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    return Download(
        _decoded(bytes(body), encoding, source),
        Validators(response.headers.get("etag"), response.headers.get("last-modified")),
    )


def _decoded(body: bytes, encoding: str, source: CalendarSource) -> bytes:
    """Unpacked with an eye on the size: a bomb of a few kilobytes may hold gigabytes."""
    if encoding in ("identity", ""):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise EventSourceError(f"{source.shown} answers in {encoding[:30]!r}, not asked for")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, source.options.most_bytes + 1)
    except zlib.error as error:
        raise EventSourceError(f"{source.shown} answers with damaged gzip: {error}") from error
    if len(plain) > source.options.most_bytes:
        raise _too_large(source)
    if not unpacker.eof:
        raise EventSourceError(f"{source.shown} answers with gzip that ends too early")
    return plain


def _next_url(response: httpx.Response, url: httpx.URL, source: CalendarSource) -> httpx.URL:
    try:
        target = url.join(response.headers.get("location", ""))
    except httpx.InvalidURL:
        target = httpx.URL("")
    if target.scheme not in {"http", "https"} or not target.host or target == url:
        raise EventSourceError(f"{source.shown} redirects to nowhere")
    if url.scheme == "https" and target.scheme == "http":
        raise EventSourceError(
            f"{source.shown} redirects from https to {shown_url(target)}, which is not followed"
        )
    return target


def _same_host(url: httpx.URL, first: httpx.URL) -> bool:
    same_place = (url.host, url.port) == (first.host, first.port)
    return same_place and url.scheme == first.scheme


def _token(source: CalendarSource) -> str | None:
    if source.token_file is None:
        return None if source.bearer_token is None else source.bearer_token.strip()
    try:
        with source.token_file.open("rb") as file:
            lines = file.read(_TOKEN_BYTES).decode().strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise EventSourceError(
            f"{source.token_file}: the token cannot be read: {reason}"
        ) from error
    if not lines or not (lines[0].isascii() and lines[0].isprintable()):
        raise EventSourceError(f"{source.token_file}: a token is needed in its first line")
    return lines[0].strip()


def _trusted(source: CalendarSource) -> ssl.SSLContext:
    try:
        context = httpx.create_ssl_context()
        context.load_default_certs()  # a company's own CA is installed on the system
        if source.ca_file is not None:
            context.load_verify_locations(source.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise EventSourceError(f"{source.ca_file}: the CA cannot be used: {error}") from error
    return context


def _too_large(source: CalendarSource) -> EventSourceError:
    most = source.options.most_bytes / 2**20
    return EventSourceError(
        f"{source.shown} answers with more than {most:,.4g} MiB; bound it, or allow more"
    )


def _advice(status: int) -> str:
    if status in (401, 403):
        return ": a token is needed, or another one"
    if status in (404, 410):
        return ": nothing is there; is the address right?"
    if status == 429 or status >= 500:
        return ", and is asked again"
    return ", which is no calendar"


def _scrubbed(text: str, source: CalendarSource) -> str:
    """``text`` without what the address and the token hold: libraries quote both."""
    text = text.replace(str(source.location), source.shown)
    return text.replace(source.bearer_token, "***") if source.bearer_token else text
