"""Instants and reasons as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["stamp", "without_name"]


def stamp(instant: datetime) -> str:
    """To the minute, in UTC: ``2026-05-04 20:04 UTC``."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def without_name(reason: str, workload: str) -> str:
    """The reason without the workload's name before it: whoever shows it puts the name there.

    >>> without_name("tv/api: 2h of traffic", "tv/api"), without_name("tv/api at noon", "tv/api")
    ('2h of traffic', 'at noon')
    """
    for before in (f"{workload}: ", f"{workload} "):
        if reason.startswith(before):
            return reason.removeprefix(before)
    return reason
