"""A YAML file as plain data, with the line of every value.

Scalars follow the YAML 1.2 core schema, as editors do: ``off`` and ``no`` are text, ``1:30`` is no
number. A mapping key that stands twice is a problem, not a silent loss of the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from forecaster.errors import SettingsError, SettingsProblem

__all__ = ["MINIMAL_EXAMPLE", "Document", "Keys", "place_of", "read_document"]

Keys = tuple[str | int, ...]

MINIMAL_EXAMPLE = """
      source:
        prometheus:
          url: http://prometheus:9090
          query: sum by (namespace, deployment) (rate(http_requests_total[2m]))
      workloads:
        - {namespace: streaming, name: player-api, capacity: 120}"""


@dataclass(frozen=True)
class Document:
    """Plain data, where each value stands, and what was wrong with the text.

    ``lines`` and ``variables`` are keyed by the way to the value, such as
    ``("workloads", 2, "lead_time")``: its line in the file, or the variable that set it.
    """

    source: str
    data: dict[str, Any]
    lines: Mapping[Keys, int] = field(default_factory=dict)
    variables: Mapping[Keys, str] = field(default_factory=dict)
    problems: tuple[SettingsProblem, ...] = ()

    def problem(self, keys: Keys, message: str, example: str | None = None) -> SettingsProblem:
        """A problem at ``keys``: named by its environment variable, or by its place and line.

        Where the value itself does not stand in the file, the nearest line above it counts.
        """
        if keys in self.variables:
            return SettingsProblem(self.variables[keys], message, example)
        known = (
            self.lines[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in self.lines
        )
        return SettingsProblem(place_of(keys), message, example, next(known, None))

    def at(self, keys: Keys) -> Any:
        """The value at ``keys``, or None."""
        value: Any = self.data
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def place_of(keys: Keys) -> str:
    """The dotted way to a value.

    >>> place_of(("workloads", 2, "lead_time"))
    'workloads[2].lead_time'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".") or "the file"


def read_document(path: Path) -> Document:
    """Read a YAML mapping.

    Raises SettingsError for a file that is missing, a directory, not text, empty, not YAML (with
    the line) or not a mapping. Repeated keys are collected in ``problems``.
    """
    text = _read_text(path)
    try:
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise _unusable(path, "the file is empty")
        if not isinstance(node, yaml.MappingNode):
            raise _unusable(path, "the file must be a mapping of keys to values")
        builder = _Builder(loader)
        data = builder.build(node, (), ())
    except yaml.MarkedYAMLError as error:
        raise SettingsError([_syntax_problem(error)], str(path)) from error
    except yaml.YAMLError as error:
        raise SettingsError(
            [SettingsProblem("the file", f"not YAML: {error}")], str(path)
        ) from error
    return Document(str(path), data, builder.lines, {}, tuple(builder.problems))


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise _unusable(
            path, "this is a directory; name the file in it", f"{path / 'preroll.yaml'}"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise _unusable(path, "there is no such file", "--config preroll.yaml") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "the file is not UTF-8 text") from error
    except OSError as error:
        raise _unusable(path, f"the file cannot be read: {error.strerror or error}") from error


def _unusable(path: Path, message: str, example: str = MINIMAL_EXAMPLE) -> SettingsError:
    return SettingsError([SettingsProblem("the file", message, example)], str(path))


def _syntax_problem(error: yaml.MarkedYAMLError) -> SettingsProblem:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    if "'\\t'" in said:
        said += " (indent with spaces, not with tabs)"
    column = "" if mark is None else f", column {mark.column + 1}"
    line = None if mark is None else mark.line + 1
    return SettingsProblem("the file", f"not YAML{column}: {said}", "key: value", line)


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema, infinities and NaN left out."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML copies it on write


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first
    )


class _Builder:
    """Nodes to plain data; remembers lines and repeated keys on the way."""

    def __init__(self, loader: _CoreLoader) -> None:
        self._loader = loader
        self.lines: dict[Keys, int] = {}
        self.problems: list[SettingsProblem] = []

    def build(self, node: yaml.Node, keys: Keys, above: tuple[yaml.Node, ...]) -> Any:
        if keys:
            self.lines.setdefault(keys, node.start_mark.line + 1)
        if node in above:
            raise yaml.constructor.ConstructorError(
                None, None, "an alias refers to the value that it stands in", node.start_mark
            )
        if isinstance(node, yaml.SequenceNode):
            inner = (*above, node)
            return [self.build(one, (*keys, i), inner) for i, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys, (*above, node))
        return self._loader.construct_object(node)

    def _mapping(
        self, node: yaml.MappingNode, keys: Keys, above: tuple[yaml.Node, ...]
    ) -> dict[str, Any]:
        self._note_repeated(node, keys)
        self._loader.flatten_mapping(node)
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            self.lines[(*keys, key)] = key_node.start_mark.line + 1
            built[key] = self.build(value_node, (*keys, key), above)
        return built

    def _note_repeated(self, node: yaml.MappingNode, keys: Keys) -> None:
        first_line: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = self._key(key_node), key_node.start_mark.line + 1
            if key in first_line:
                message = f"the key stands twice, first in line {first_line[key]}; keep one of them"
                self.problems.append(SettingsProblem(place_of((*keys, key)), message, line=line))
            first_line.setdefault(key, line)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a word, not a list or a mapping", node.start_mark
            )
        return str(node.value)
