"""Instants as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["stamp"]


def stamp(instant: datetime) -> str:
    """To the minute, in UTC: ``2026-05-04 20:04 UTC``."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
