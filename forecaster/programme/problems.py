"""What is wrong with an entry: its place, the field, the bad value, a valid example."""

from __future__ import annotations

import difflib
import itertools
import json
import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from forecaster.programme.document import EventDocument
from forecaster.programme.refusal import shown_value

__all__ = ["EntryProblem", "field_path", "problems_of", "problems_of_details", "shown"]

Keys = tuple[str | int, ...]

_SAID = {
    "int_parsing": "{value} is not a whole number",
    "int_type": "{value} is not a whole number",
    "int_from_float": "{value} is not a whole number",
    "int_parsing_size": "{value} is too large",
    "float_parsing": "{value} is not a number",
    "float_type": "{value} is not a number",
    "finite_number": "{value} is not a finite number",
    "string_type": "{value} is not text",
    "string_too_long": "{value} is longer than {max_length} characters",
    "string_unicode": "it is not text",
    "greater_than_equal": "{value} is too small, it must be at least {ge:,}",
    "less_than_equal": "{value} is too large, it must be at most {le:,}",
    "missing": "it is required",
    "too_long": "these are too many, {max_length} are the most",
    "model_type": "keys with values are needed here",
    "model_attributes_type": "keys with values are needed here",
    "dict_type": "keys with values are needed here",
    "list_type": "a list is needed here",
    "tuple_type": "a list is needed here",
}
# How the domain names what the document has beneath another key.
_DOMAIN_FIELDS = {
    "floor_replicas": "floor.replicas",
    "floor_rps": "floor.traffic",
    "event_id": "id",
}
_MOST_OF_AN_ENTRY = 50
_LONGEST_KEY = 80
_NAMED = re.compile(r"([a-z_.]+): (.*)", re.DOTALL)


@dataclass(frozen=True)
class EntryProblem:
    """One thing wrong with one entry of a calendar.

    ``place`` says which entry ("line 12", "event 3", "UID abc"), ``field`` the key in it, dotted;
    both may be empty. ``value`` is the bad value as shown, ``example`` one that would do.
    """

    place: str
    message: str
    field: str = ""
    value: str | None = None
    example: str | None = None

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.place, self.field) if part)
        hint = "" if self.example is None else f"; for example: {self.example}"
        return f"{where}: {self.message}{hint}" if where else f"{self.message}{hint}"


def problems_of(
    error: ValueError, model: type[BaseModel] = EventDocument, place: str = ""
) -> tuple[EntryProblem, ...]:
    """What pydantic (``ValidationError``) or the domain (``field: message``) refused."""
    if isinstance(error, ValidationError):
        return problems_of_details(error.errors(include_url=False), model, place)
    match = _NAMED.fullmatch(str(error))
    if match is None:
        return (EntryProblem(place, str(error)),)
    field = _DOMAIN_FIELDS.get(match[1], match[1])
    message = match[2].replace(match[1], field)
    example = None if "for example" in message else _example(model, tuple(field.split(".")))
    return (EntryProblem(place, message, field, None, example),)


def problems_of_details(
    details: Iterable[ErrorDetails], model: type[BaseModel] = EventDocument, place: str = ""
) -> tuple[EntryProblem, ...]:
    """The same for pydantic's own list of errors; ``loc`` begins at the entry.

    Of many the first are told, and how many more there are.
    """
    rest = iter(details)
    found = [_problem(one, model, place) for one in itertools.islice(rest, _MOST_OF_AN_ENTRY)]
    more = sum(1 for _ in rest)
    if more:
        found.append(EntryProblem(place, f"and {more:,} more problems"))
    return tuple(found)


def field_path(keys: Iterable[str | int]) -> str:
    """The dotted way to a value; a key that no field is as long as is cut.

    >>> field_path(("selector", "workloads", 2))
    'selector.workloads[2]'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{_short(key)}" for key in keys)
    return text.removeprefix(".")


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else key[: _LONGEST_KEY - 1] + "…"


def shown(value: Any) -> str:
    """A bad value as a message shows it: short, and never a whole structure."""
    if isinstance(value, dict | list | tuple):
        return "the value"
    return shown_value(value)


def _problem(detail: ErrorDetails, model: type[BaseModel], place: str) -> EntryProblem:
    keys: Keys = tuple(detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    value = None if kind == "missing" else shown(detail["input"])
    example: str | None = None
    if kind == "extra_forbidden":
        owner, _ = _walk(model, keys[:-1])
        known = list(_fields(owner)) if owner is not None else []
        close = difflib.get_close_matches(str(keys[-1]), known, n=1)
        told = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        message = f"unknown key; {told}"
    else:
        example = _example(model, keys)
        if kind == "preroll":
            message = str(context["text"])
        elif kind in _SAID:
            message = _SAID[kind].format(value=value, **context)
        else:
            message = f"{value}: {detail['msg']}"
    if "write for example" in message:
        example = None
    return EntryProblem(place, message, field_path(keys), value, example)


def _example(model: type[BaseModel], keys: Keys) -> str | None:
    _, field = _walk(model, keys)
    if field is None or not field.examples:
        return None
    example = field.examples[0]
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)


def _walk(model: type[BaseModel], keys: Keys) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for key in keys:
        if isinstance(key, int):
            continue
        if owner is None:  # a key of a free mapping, such as a label: its field is the mapping
            return None, field
        field = _fields(owner).get(key)
        owner = None if field is None else _model_in(field.annotation)
    return owner, field


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the names they are written with."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(one) for one in typing.get_args(annotation))
    return next((one for one in found if one is not None), None)
