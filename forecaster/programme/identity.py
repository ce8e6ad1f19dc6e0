"""What an event is known by, so that it is the same one when its calendar is read again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

__all__ = ["LONGEST_ID", "fitting_id", "hashed", "stable_id"]

LONGEST_ID = 200
_LENGTH = 12


def stable_id(start: datetime, kind: str, name: str, *more: str) -> str:
    """A short hash of start, kind and name, for entries that bring no id of their own.

    A moved or renamed entry is another event by it: only an id of its own can tell.
    """
    return hashed(start.astimezone(UTC).isoformat(), kind, name, *more)


def hashed(*parts: str) -> str:
    """Twelve hexadecimal digits that depend on every part."""
    text = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_LENGTH]


def fitting_id(text: str) -> str:
    """An id from elsewhere, as it is, or hashed where it is too long or holds control codes."""
    clean = text.strip()
    if clean and len(clean) <= LONGEST_ID and clean.isprintable():
        return clean
    return hashed(text)
