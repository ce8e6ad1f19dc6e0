"""The JSON schema of preroll.yaml, for editors and for machines that write it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from forecaster.durations import format_duration
from forecaster.settings.shape import SettingsShape

__all__ = ["settings_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """A JSON schema (draft 2020-12) with meaning, default and examples of every key."""
    schema: dict[str, Any] = _cleaned(SettingsShape.model_json_schema(schema_generator=_Generator))
    return {"$schema": _DIALECT, **schema, "title": "preroll.yaml"}


class _Generator(GenerateJsonSchema):
    """Shows a default duration as people write it; a section's defaults stand at its keys."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return None if isinstance(dft, BaseModel) else super().encode_default(dft)


def _cleaned(node: Any) -> Any:
    """Without what an editor does not need: generated titles, and null as a default or a choice."""
    if isinstance(node, list):
        return [_cleaned(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            kept[key] = {name: _cleaned(one) for name, one in value.items()}
        elif key == "anyOf" and {"type": "null"} in value:
            choices = [one for one in value if one != {"type": "null"}]
            kept |= _cleaned(choices[0] if len(choices) == 1 else {"anyOf": choices})
        elif (key, value) != ("default", None) and not (key == "title" and isinstance(value, str)):
            kept[key] = _cleaned(value)
    return kept
