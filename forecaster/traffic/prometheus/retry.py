"""How long to wait before the same request is worth another try."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["back_off_seconds", "retry_after_seconds"]

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0


def back_off_seconds(attempt: int, jitter: float) -> float:
    """The wait after failed attempt 1, 2, 3 …: doubling from half a second to half a minute.

    ``jitter`` in [0, 1) takes up to half of it away, so that many clients do not come back at once.

    >>> [back_off_seconds(attempt, jitter=0.0) for attempt in (1, 2, 3)]
    [0.5, 1.0, 2.0]
    """
    whole = min(_FIRST_SECONDS * 2.0 ** (attempt - 1), _LONGEST_SECONDS)
    return whole * (1.0 - 0.5 * jitter)


def retry_after_seconds(retry_after: str | None, date: str | None) -> float | None:
    """What a ``Retry-After`` header asks for (RFC 9110, section 10.2.3), or None.

    It is a number of seconds or an HTTP date; a date is taken against the answer's own ``Date``
    header, so that a clock that is wrong here does no harm.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(date or "") or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0)


def _http_date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
