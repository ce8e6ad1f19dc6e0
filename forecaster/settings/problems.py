"""What pydantic refuses, in words: the place, the bad value, a valid example. Never a secret."""

from __future__ import annotations

import difflib
import typing
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from forecaster.errors import SettingsProblem
from forecaster.settings.document import Document, Keys
from forecaster.settings.environment import variable_for
from forecaster.settings.fields import Unguessed

__all__ = ["example_at", "problems_of"]

# Kinds of refusal that say what the value is not; {value} is the bad value.
_SAID = {
    "int_parsing": "{value} is not a whole number",
    "int_type": "{value} is not a whole number",
    "int_from_float": "{value} is not a whole number",
    "float_parsing": "{value} is not a number",
    "float_type": "{value} is not a number",
    "finite_number": "{value} is not a finite number",
    "bool_parsing": "{value} is neither true nor false",
    "bool_type": "{value} is neither true nor false",
    "string_type": "{value} is not text",
    "greater_than": "{value} is too small, it must be above {gt}",
    "greater_than_equal": "{value} is too small, it must be at least {ge}",
    "less_than": "{value} is too large, it must be below {lt}",
    "less_than_equal": "{value} is too large, it must be at most {le}",
    "missing": "it is required",
    "too_short": "at least one is needed",
    "model_type": "keys with values are needed here",
    "dict_type": "keys with values are needed here",
    "list_type": "a list is needed here",
}
_BOUNDS = ("gt", "ge", "lt", "le")
_LONGEST_VALUE = 80


def problems_of(
    error: ValidationError, document: Document, model: type[BaseModel]
) -> list[SettingsProblem]:
    """One problem per refusal, in the order found; ``model`` is what the document was read as."""
    return [_problem(detail, document, model) for detail in error.errors(include_url=False)]


def example_at(model: type[BaseModel], keys: Keys) -> str | None:
    """The example of the field at ``keys``, as it would stand in the file."""
    _, field = _walk(model, keys)
    if field is None or not field.examples:
        return None
    example = field.examples[0]
    if isinstance(example, str):
        return example
    text: str = yaml.safe_dump(
        example, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("...\n").strip()


def _problem(detail: ErrorDetails, document: Document, model: type[BaseModel]) -> SettingsProblem:
    keys: Keys = tuple(detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return document.problem(keys, _unknown_key(model, keys, keys in document.variables))
    _, field = _walk(model, keys)
    shown = "the value" if field is None or _is_secret(field) else _shown(detail["input"])
    if kind == "preroll":
        message = str(context["text"])
    elif kind in {"enum", "literal_error"}:
        guess = not (field and any(isinstance(one, Unguessed) for one in field.metadata))
        message = _not_one_of(detail["input"], str(context["expected"]), guess=guess)
    elif kind in _SAID:
        bounds = {name: f"{bound:.15g}" for name, bound in context.items() if name in _BOUNDS}
        message = _SAID[kind].format(value=shown, **bounds)
    else:
        message = f"{shown}: {detail['msg']}"
    return document.problem(keys, message, example_at(model, keys))


def _unknown_key(model: type[BaseModel], keys: Keys, from_variable: bool) -> str:
    owner, _ = _walk(model, keys[:-1])
    known = list(owner.model_fields) if owner is not None else []
    close = difflib.get_close_matches(str(keys[-1]), known, n=1)
    if not close:
        return f"unknown key; known here: {', '.join(known)}"
    meant = variable_for((*keys[:-1], close[0])) if from_variable else close[0]
    return f"unknown key; did you mean {meant}?"


def _not_one_of(value: Any, expected: str, *, guess: bool) -> str:
    choices = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
    close = difflib.get_close_matches(str(value).lower(), choices, n=1) if guess else []
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{_shown(value)} is not one of {', '.join(choices)}{hint}"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "the value"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _walk(model: type[BaseModel], keys: Keys) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that stands at ``keys`` (or the one that its items are), and the field there."""
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for key in keys:
        if isinstance(key, int):
            continue
        if owner is None:  # a key of a free mapping, such as a header: its field is the mapping
            return None, field
        field = owner.model_fields.get(key)
        owner = None if field is None else _model_in(field.annotation)
    return owner, field


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(one) for one in typing.get_args(annotation))
    return next((one for one in found if one is not None), None)


def _is_secret(field: FieldInfo) -> bool:
    def holds_secret(annotation: Any) -> bool:
        return annotation is SecretStr or any(map(holds_secret, typing.get_args(annotation)))

    return holds_secret(field.annotation)
