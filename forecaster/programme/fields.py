"""What events say of themselves: texts, factors, shapes, importance; see ``times`` for the rest."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from forecaster.events.event import LONGEST_EVENT, MOST_UPLIFT
from forecaster.events.importance import IMPORTANCE_WORDS, MOST_IMPORTANCE, importance_of
from forecaster.programme.refusal import refused, shown_value
from forecaster.programme.times import duration_of, text_of_duration

__all__ = [
    "ONE_OR_MORE_SCHEMA",
    "Factor",
    "Importance",
    "Label",
    "Pattern",
    "Points",
    "Switch",
    "Text",
]

ONE_OR_MORE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
"""For lists that may be written as their single text."""

_LONGEST_TEXT = 300
_LONGEST_PATTERN = 320  # a namespace of 63 characters, a slash and a name of 253
_MOST_POINTS = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_FACTOR = re.compile(r"[×xX*]?\s*(\d+(?:\.\d*)?|\.\d+)\s*[×xX]?")


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        raise refused(f"{shown_value(value)} is not text; write it in quotes")
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        raise refused("it is empty; leave it out where it is not needed")
    if len(text) > _LONGEST_TEXT:
        raise refused(f"{shown_value(text)} is longer than {_LONGEST_TEXT} characters")
    if _CONTROL.search(text):
        raise refused(
            f"{shown_value(text)} holds a line break or another character that is no text"
        )
    return text


def _pattern(value: Any) -> Any:
    text = _text(value)
    if isinstance(text, str) and (len(text) > _LONGEST_PATTERN or " " in text):
        raise refused(
            f"{shown_value(text)} is no name or pattern; write for example streaming/player-*"
        )
    return text


def _factor(value: Any) -> float:
    number: float | None = None
    if isinstance(value, str):
        text = value.strip()
        if text.endswith("%"):
            raise refused(f"{shown_value(value)} is not a factor; 70 % more is 1.7")
        match = _FACTOR.fullmatch(text)
        number = float(match[1]) if match else None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) <= 1e300 else math.inf
    if number is None:
        raise refused(f"{shown_value(value)} is not a factor")
    if not 0 < number <= MOST_UPLIFT:
        raise refused(
            f"{shown_value(value)} is out of range: a factor lies above 0 and is at most "
            f"{MOST_UPLIFT:g}; 1 changes nothing"
        )
    return number


def _points(value: Any) -> tuple[tuple[timedelta, float], ...]:
    if isinstance(value, tuple):  # as from_event gives it: read already
        return value
    if not isinstance(value, Mapping):
        raise refused("a mapping of times from the start to factors is needed")
    if len(value) > _MOST_POINTS:
        raise refused(f"{len(value)} points are too many, {_MOST_POINTS} are the most")
    points: dict[timedelta, float] = {}
    for written, factor in value.items():
        text = str(written).strip()
        before = text.startswith("-")
        at = duration_of(text.lstrip("+-"))
        if at > LONGEST_EVENT:
            raise refused(f"{shown_value(written)} is too far from the start")
        at = -at if before else at
        if at in points:
            raise refused(f"{shown_value(written)} stands twice")
        points[at] = _factor(factor)
    return tuple(sorted(points.items()))


def _write_points(points: tuple[tuple[timedelta, float], ...]) -> dict[str, float]:
    return {
        ("-" if at < timedelta(0) else "") + text_of_duration(abs(at)): factor
        for at, factor in points
    }


def _importance(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refused(f"{shown_value(value)} is neither a number nor one of its words")
    try:
        return importance_of(value)
    except (ValueError, OverflowError):
        words = ", ".join(IMPORTANCE_WORDS)
        raise refused(
            f"{shown_value(value)} is neither a number from 0 to {MOST_IMPORTANCE:g} "
            f"nor one of {words}"
        ) from None


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise refused(f"{shown_value(value)} is neither true nor false")


_TEXT_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": _LONGEST_TEXT}
_POSITIVE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_UPLIFT}
_FACTOR_SCHEMA: dict[str, Any] = {"anyOf": [_POSITIVE, {"type": "string"}]}
_IMPORTANCE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": MOST_IMPORTANCE},
        {"type": "string", "enum": list(IMPORTANCE_WORDS)},
    ]
}

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
Pattern = Annotated[str, BeforeValidator(_pattern), WithJsonSchema(_TEXT_SCHEMA)]
Label = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
Factor = Annotated[float, BeforeValidator(_factor), WithJsonSchema(_FACTOR_SCHEMA)]
Points = Annotated[
    tuple[tuple[timedelta, float], ...],
    BeforeValidator(_points),
    PlainSerializer(_write_points, when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": _FACTOR_SCHEMA, "minProperties": 2}),
]
Importance = Annotated[float, BeforeValidator(_importance), WithJsonSchema(_IMPORTANCE_SCHEMA)]
Switch = Annotated[bool, BeforeValidator(_switch), WithJsonSchema({"type": "boolean"})]
