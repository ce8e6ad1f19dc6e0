"""Fields of an object as JSON has them, each judged when it is read.

Whatever is not what it should be raises Malformed, which names the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from forecaster.cluster.quantities import quantity

__all__ = ["Malformed", "condition", "instant", "items", "mapping", "number", "text", "whole"]

_NOTHING: Mapping[str, Any] = {}


class Malformed(ValueError):
    """A field that is missing, or of another type than it should be."""


def mapping(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at ``key``; an empty one where there is none."""
    found = of.get(key)
    if found is None:
        return _NOTHING
    if not isinstance(found, dict):
        raise Malformed(f"{key} is {found!r:.60}, not an object")
    return found


def items(of: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """The objects of the list at ``key``."""
    found = of.get(key)
    if found is None:
        return
    if not isinstance(found, list):
        raise Malformed(f"{key} is {found!r:.60}, not a list")
    for one in found:
        if not isinstance(one, dict):
            raise Malformed(f"{key} holds {one!r:.60}, not an object")
        yield one


def text(of: Mapping[str, Any], key: str) -> str:
    """The text at ``key``, which must be there."""
    found = of.get(key)
    if not isinstance(found, str) or not found:
        raise Malformed(f"{key} is {'missing' if found is None else f'{found!r:.60}, not text'}")
    return found


def whole(of: Mapping[str, Any], key: str, default: int) -> int:
    """The whole number at ``key``."""
    found = of.get(key)
    if found is None:
        return default
    if not isinstance(found, int) or isinstance(found, bool):
        raise Malformed(f"{key} is {found!r:.60}, not a whole number")
    return found


def number(of: Mapping[str, Any], key: str) -> float | None:
    """The quantity at ``key``."""
    found = of.get(key)
    if found is None:
        return None
    try:
        return quantity(found)
    except (ValueError, TypeError):
        raise Malformed(f"{key} is {found!r:.60}, not a quantity such as 500m") from None


def instant(of: Mapping[str, Any], key: str) -> float | None:
    """The instant at ``key`` in Unix seconds."""
    found = of.get(key)
    if found is None:
        return None
    try:
        stamp = datetime.fromisoformat(found)
    except (ValueError, TypeError):
        stamp = None
    if stamp is None or stamp.tzinfo is None:
        raise Malformed(f"{key} is {found!r:.60}, not a time such as 2026-06-11T18:00:00Z")
    return stamp.timestamp()


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of a type; an empty one where it is not told."""
    return next((one for one in items(status, "conditions") if one.get("type") == kind), _NOTHING)
