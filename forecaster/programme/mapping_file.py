"""Mapping rules from YAML: a list, or ``mapping:`` with ``unmatched:`` beside it.

unmatched: drop
mapping:
  - {title: "Football: *", repeat: false, kind: football, start_uncertainty: 5m, hold: true}
  - {category: [Sport*, /olympic/], channel: one.example.com, kind: sport}
  - {title: "*highlights*", drop: true}
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from forecaster.errors import EventFileError
from forecaster.programme.mapping import MappingRule, MappingRules, Unmatched
from forecaster.programme.parts import Document
from forecaster.programme.problems import problems_of
from forecaster.programme.yaml_data import read_yaml_documents

__all__ = ["MAPPING_EXAMPLE", "MappingDocument", "read_mapping"]

MAPPING_EXAMPLE = """\
mapping:
  - {title: "Football: *", repeat: false, kind: football, start_uncertainty: 5m}
  - {category: Sport*, kind: sport}"""


class MappingDocument(Document):
    """The rules as a whole, as they stand in a file of their own or in the settings."""

    mapping: tuple[MappingRule, ...] = Field(
        max_length=10_000,
        description="Rules in order; the first that fits counts.",
        examples=[[{"title": "Football: *", "kind": "football"}]],
    )
    unmatched: Unmatched | None = Field(
        default=None,
        description="What no rule fits: drop (the default for XMLTV) or keep (for all else).",
        examples=["drop"],
    )

    def to_rules(self) -> MappingRules:
        """The domain's value."""
        return MappingRules(self.mapping, self.unmatched)


def read_mapping(text: str, source: str) -> MappingRules:
    """The rules in a YAML text; EventFileError, which lists all problems, where one is wrong."""
    documents = read_yaml_documents(text, source)
    if not documents:
        raise EventFileError(source, "the mapping is empty", example=MAPPING_EXAMPLE)
    yaml = documents[0]
    listed = isinstance(yaml.data, list)
    data: Any = {"mapping": yaml.data} if listed else yaml.data
    try:
        return MappingDocument.model_validate(data).to_rules()
    except ValidationError as error:
        lines = []
        for problem in problems_of(error, MappingDocument):
            path = problem.field.removeprefix("mapping") if listed else problem.field
            lines.append((yaml.line_of_field((), path), problem))
        told = "\n".join(f"  - line {line}, {problem}" for line, problem in lines[:20])
        raise EventFileError(
            source,
            f"{len(lines)} problem{'' if len(lines) == 1 else 's'}\n{told}",
            place=f"line {lines[0][0]}",
            example=MAPPING_EXAMPLE,
        ) from error
