"""Instants in a query, and what to say of one that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

from api.schemas import ProblemView

__all__ = ["INSTANT_EXAMPLE", "instant_in"]

INSTANT_EXAMPLE = "2026-05-01T18:00:00Z"


def instant_in(field: str, text: str | None, problems: list[ProblemView]) -> datetime | None:
    """The instant written in ``text``, UTC; None, with a problem noted, where there is none."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
        message = f"{text[:40]!r} has no time zone"
    except ValueError:
        message = f"{text[:40]!r} is not an instant (a + in a query is written %2B)"
    except OverflowError:
        message = f"{text[:40]!r} is outside of the calendar"
    problems.append(ProblemView(field=field, message=message, example=INSTANT_EXAMPLE))
    return None
