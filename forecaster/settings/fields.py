"""The kinds of values in preroll.yaml: how each is read, refused, and shown in the JSON schema."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from forecaster.durations import format_duration, parse_duration
from forecaster.planning.limits import (
    LEAST_QUANTILE,
    LONGEST_HOLD_DOWN,
    LONGEST_LEAD_TIME,
    MOST_QUANTILE,
    MOST_REPLICAS,
    QUANTILE_REASON,
)

__all__ = [
    "AUTO",
    "Capacity",
    "CapacityOrAuto",
    "Count",
    "HistorySpan",
    "HoldDown",
    "KubernetesLabel",
    "KubernetesName",
    "LeadTime",
    "LeadTimeOrAuto",
    "MostReplicas",
    "PositiveDuration",
    "Quantile",
    "Replicas",
    "SecretText",
    "SecretUrl",
    "Step",
    "Text",
    "TimeZone",
    "Tokens",
    "TrainingInterval",
    "Unguessed",
    "refused",
]

AUTO: Final = "auto"
"""What stands in the place of a value that is to be measured."""

_DURATION_PATTERN = r"^\s*(\d+(\.\d+)?\s*(ms|[wdhms])\s*)+$"
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DAY = timedelta(days=1)


class Unguessed:
    """Marks a field whose choices are too near in letters, and too far in meaning, to guess at."""


def refused(message: str) -> PydanticCustomError:
    """A refusal in our own words; they reach the reader as they are."""
    return PydanticCustomError("preroll", "{text}", {"text": message})


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refused(f"{value} has no unit; write {value}s or {value}m if that is meant")
    if not isinstance(value, str):
        raise refused(f"{value!r} is not a duration")
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        raise refused(
            f"{value!r} has no unit; write {value.strip()}s or {value.strip()}m if that is meant"
        )
    try:
        return parse_duration(value)
    except ValueError:
        raise refused(f"{value!r} is not a duration") from None


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise refused(f"{format_duration(value)} is too short, it must be above 0")
    return value


def _lead_time(value: timedelta) -> timedelta:
    return _at_most(value, LONGEST_LEAD_TIME)


def _hold_down(value: timedelta) -> timedelta:
    return _at_most(value, LONGEST_HOLD_DOWN)


def _at_most(value: timedelta, longest: timedelta) -> timedelta:
    if value > longest:
        told = (
            f"{format_duration(value)} is too long, it must be at most {format_duration(longest)}"
        )
        raise refused(told)
    return value


def _training_interval(value: timedelta) -> timedelta:
    if value < timedelta(minutes=1):
        raise refused(f"{format_duration(value)} is too short, it must be at least 1m")
    return value


def _quantile(value: float) -> float:
    if not LEAST_QUANTILE <= value <= MOST_QUANTILE:
        shown = repr(value).removesuffix(".0")
        raise refused(
            f"{shown} must lie between {LEAST_QUANTILE} and {MOST_QUANTILE}: {QUANTILE_REASON}"
        )
    return value


def _history(value: timedelta) -> timedelta:
    if value < 2 * _DAY:
        raise refused(f"{format_duration(value)} is too short to learn a day from, 2d is the least")
    return value


def _step(value: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= value <= timedelta(hours=1):
        raise refused(f"{format_duration(value)} is out of range, it must lie between 1s and 1h")
    if _DAY % value:
        raise refused(f"{format_duration(value)} does not divide a day into equal parts")
    return value


def _text(value: Any) -> Any:
    if isinstance(value, int | float):
        raise refused(f"{str(value).lower()} is not text; write it in quotes")
    if isinstance(value, str) and not value.strip():
        raise refused("it is empty")
    return value


def _secret(value: Any) -> Any:
    if isinstance(value, int | float):  # the value itself must not be shown
        raise refused("a number is not text; write it in quotes")
    if isinstance(value, str) and not value.strip():
        raise refused("it is empty; leave it out where it is not needed")
    return value


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise refused(f"{str(value).lower()} is not a number")
    return value


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise refused(f"{value!r} is not a time zone of the IANA list") from None
    return value


def _matching(pattern: str, longest: int, what: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if len(value) > longest:
            raise refused(f"{value!r} is longer than {longest} characters")
        if not re.fullmatch(pattern, value):
            raise refused(f"{value!r} is not {what}")
        return value

    return check


def _split(value: Any) -> Any:
    if value == [] or (isinstance(value, str) and not value.strip()):
        raise refused(
            "no token is named, and so everybody could ask; leave the key out to allow that"
        )
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _or_auto(kind: Any) -> Callable[[Any], Any]:
    """Reads ``auto`` as it is, and all else as ``kind`` does, refusing in its words."""
    adapter = TypeAdapter(kind)

    def read(value: Any) -> Any:
        if isinstance(value, str) and value.strip().lower() == AUTO:
            return AUTO
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            context: Any = first.get("ctx", {})
            if first["type"] == "preroll":
                raise refused(context["text"]) from None
            raise PydanticKnownError(first["type"], context or None) from None  # type: ignore[arg-type]

    return read


_TEXT_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1}
_DURATION_SCHEMA: dict[str, Any] = {"type": "string", "pattern": _DURATION_PATTERN}

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
SecretText = Annotated[SecretStr, BeforeValidator(_secret), WithJsonSchema(_TEXT_SCHEMA)]
SecretUrl = Annotated[
    SecretStr, BeforeValidator(_secret), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]
Tokens = Annotated[
    list[SecretText],
    BeforeValidator(_split),
    WithJsonSchema({"type": "array", "items": _TEXT_SCHEMA, "minItems": 1}),
]
Count = Annotated[int, BeforeValidator(_no_bool)]
Replicas = Annotated[int, Field(ge=0, le=MOST_REPLICAS), BeforeValidator(_no_bool)]
MostReplicas = Annotated[int, Field(ge=1, le=MOST_REPLICAS), BeforeValidator(_no_bool)]
Quantile = Annotated[
    float,
    BeforeValidator(_no_bool),
    AfterValidator(_quantile),
    WithJsonSchema({"type": "number", "minimum": LEAST_QUANTILE, "maximum": MOST_QUANTILE}),
]
Capacity = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_bool)]
_Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(_DURATION_SCHEMA),
]
PositiveDuration = Annotated[_Duration, AfterValidator(_positive)]
HoldDown = Annotated[_Duration, AfterValidator(_hold_down)]
TrainingInterval = Annotated[_Duration, AfterValidator(_training_interval)]
LeadTime = Annotated[PositiveDuration, AfterValidator(_lead_time)]
CapacityOrAuto = Annotated[
    float | Literal["auto"],
    BeforeValidator(_or_auto(Capacity)),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": AUTO}]}),
]
LeadTimeOrAuto = Annotated[
    timedelta | Literal["auto"],
    BeforeValidator(_or_auto(LeadTime)),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": AUTO}]}),
]
HistorySpan = Annotated[_Duration, AfterValidator(_history)]
Step = Annotated[_Duration, AfterValidator(_step)]
TimeZone = Annotated[Text, AfterValidator(_timezone)]
KubernetesLabel = Annotated[
    Text,
    AfterValidator(
        _matching(
            _LABEL,
            63,
            "a Kubernetes namespace: small letters, digits and dashes, no dash at the ends",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_LABEL}$", "maxLength": 63}),
]
KubernetesName = Annotated[
    Text,
    AfterValidator(
        _matching(
            rf"{_LABEL}(?:\.{_LABEL})*",
            253,
            "a Kubernetes name: small letters, digits, dashes and dots, none of them at the ends",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": rf"^{_LABEL}(?:\.{_LABEL})*$", "maxLength": 253}),
]
