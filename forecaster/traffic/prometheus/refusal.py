"""An HTTP status that is not success, in words and as a typed error."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import httpx

from forecaster.errors import SourceAnswerError, SourceError, SourceRefused, SourceUnavailable
from forecaster.traffic.prometheus.connection import PrometheusConnection

__all__ = ["NothingStored", "RangeTooLong", "Reply", "html_title", "refusal", "shorten"]

_PREFIX_HINT = (
    "does the url lack a path prefix, such as /prometheus (Mimir) or /select/0/prometheus "
    "(VictoriaMetrics cluster)?"
)
_NO_STORE = "No StoreAPIs matched"
_NO_PATH = "unsupported path"  # VictoriaMetrics answers 400 with these words
# What servers say when the range of one request is too long for them; a shorter one may pass.
_TOO_LONG = re.compile(
    r"exceeded maximum resolution of [\d,]+ points"  # Prometheus, Thanos, Mimir
    r"|maxPointsPerTimeseries"  # VictoriaMetrics
    r"|query time range exceeds the limit"  # Mimir, Cortex
    r"|too many samples",  # Prometheus: --query.max-samples
    re.IGNORECASE,
)
_HTML = re.compile(r"\s*<(!doctype html|!--|html|head|body|title|meta|script)", re.IGNORECASE)


class NothingStored(SourceRefused):
    """Thanos, told to refuse partial answers, refuses a range for which it has no store at all."""


class RangeTooLong(SourceRefused):
    """The server refuses so many points, or so long a range, in one request."""


@dataclass(frozen=True)
class Reply:
    """What came back: status, headers and the whole body."""

    status: int
    headers: httpx.Headers
    body: bytes | bytearray

    @property
    def text(self) -> str:
        """The body as text, as far as messages need it."""
        return bytes(self.body[:100_000]).decode("utf-8", "replace")

    def said(self, connection: PrometheusConnection) -> str:
        """The server's own words, short and without the secrets of ``connection``.

        They are its JSON error, the title of its page, or its text.
        """
        text = connection.scrub(self.text)  # before it is cut, which could leave half a secret
        title = html_title(text)
        if title is not None:
            return f"a web page titled {title!r}"
        try:
            parsed = json.loads(text)
        except ValueError:
            return shorten(text)
        error = parsed.get("error", parsed.get("message")) if isinstance(parsed, dict) else None
        if isinstance(error, dict):  # Google's gateways nest it
            error = error.get("message")
        return shorten(error if isinstance(error, str) else text)


def refusal(reply: Reply, connection: PrometheusConnection, promql: str) -> SourceError:
    """The error for a reply that is not a success.

    SourceUnavailable where the same request may work later (429, 5xx), RangeTooLong where a shorter
    range may, NothingStored where the range is empty, SourceRefused where somebody has to change
    something, SourceAnswerError where this is not the answer of a metrics server at all.
    """
    status = reply.status
    where = connection.shown
    said = reply.said(connection)
    tail = f": {said}" if said else ""
    if status == 429 or status >= 500:
        return SourceUnavailable(f"{where} answered HTTP {status}{tail}")
    if status < 300:
        return SourceAnswerError(f"{where} answered HTTP {status}, no data{tail}; {_PREFIX_HINT}")
    if status < 400:
        return SourceAnswerError(
            f"{where} does not answer but redirects to {_target(reply.headers)}: a login page, or "
            "the url has moved. Set url to the final address, and credentials that need no browser"
        )
    if status == 422 and _NO_STORE in reply.text:
        return NothingStored(f"{where} has nothing stored for the range{tail}")
    if status in {400, 422} and _TOO_LONG.search(reply.text):
        return RangeTooLong(f"{where} refused the range (HTTP {status}){tail}")
    return SourceRefused(_to_be_fixed(reply, connection, promql, tail))


def _to_be_fixed(reply: Reply, connection: PrometheusConnection, promql: str, tail: str) -> str:
    where, status = connection.shown, reply.status
    if status in {401, 403}:
        return (
            f"{where} refused the credentials (HTTP {status}){tail}. Check bearer_token, or "
            f"username and password, or the tenant in headers (now {_credentials(connection)})"
        )
    if status == 404 or _NO_PATH in reply.text:
        return f"{where}/api/v1/query_range does not exist (HTTP {status}){tail}; {_PREFIX_HINT}"
    what = "could not execute" if status == 422 else "refused"
    return f"{where} {what} the query (HTTP {status}){tail}; the query was {shorten(promql)}"


def html_title(text: str) -> str | None:
    """The title of an HTML page ("untitled" where it has none), or None where this is not HTML."""
    if not _HTML.match(text):
        return None
    found = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return (found and shorten(found[1], 120)) or "untitled"


def shorten(text: str, longest: int = 500) -> str:
    """One line of about ``longest`` characters: head and tail, as reasons come last."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    return f"{line[: longest // 2]} … {line[-(longest // 2) :]}"


def _target(headers: httpx.Headers) -> str:
    location = headers.get("location", "")
    bare = re.split(r"[?#]", location, maxsplit=1)[0]  # what follows may hold a token
    return shorten(re.sub(r"//[^/]*@", "//", bare), 200) or "nowhere"


def _credentials(connection: PrometheusConnection) -> str:
    sent = []
    if connection.bearer_token is not None:
        sent.append("a bearer_token")
    if connection.basic_auth is not None:
        sent.append("a username")
    sent += [f"the header {name}" for name, _ in connection.headers]
    return f"{', '.join(sent)} {'is' if len(sent) == 1 else 'are'} sent" if sent else "none is set"
