"""How a bad value is refused: in our own words, and shown short."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError

__all__ = ["refused", "shown_value"]

_LONGEST_VALUE = 80


def refused(message: str) -> PydanticCustomError:
    """A refusal in our own words; they reach the reader as they are."""
    return PydanticCustomError("preroll", "{text}", {"text": message})


def shown_value(value: Any) -> str:
    """A bad value as a message shows it: as it would be written, cut where it is long."""
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
