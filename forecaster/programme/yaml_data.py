"""YAML (and so JSON) as plain data with the line of every value, safe to read from strangers.

Scalars follow the YAML 1.2 core schema: ``20:00`` and ``2026-06-11T19:00:00Z`` are text. Aliases
may be used, merge keys (``<<``) may not; depth and size are bounded, what aliases stand for
counted in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from forecaster.errors import EventFileError

if TYPE_CHECKING:
    from yaml import SafeLoader as _Base
else:  # libyaml's parser where PyYAML has it: ten times as fast
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

__all__ = ["Keys", "YamlData", "read_yaml_documents"]

Keys = tuple[str | int, ...]

_DEEPEST = 30
_MOST_FROM_ALIASES = 100_000
_SURROGATES = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str"))
_KEY = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass
class YamlData:
    """One document: its data, the line of each value, and keys that stand twice."""

    data: Any
    line: int
    lines: dict[Keys, int] = field(default_factory=dict)
    repeated: list[tuple[Keys, int, int]] = field(default_factory=list)

    def line_of(self, keys: Keys) -> int:
        """The line of the value at ``keys``, or of the nearest value around it."""
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.lines:
                return self.lines[keys[:end]]
        return self.line

    def line_of_field(self, keys: Keys, path: str) -> int:
        """The same for a dotted path, such as ``selector.workloads[2]``, beneath ``keys``."""
        inner = tuple(int(at) if at else name for at, name in _KEY.findall(path))
        return self.line_of((*keys, *inner))


def read_yaml_documents(text: str, source: str) -> list[YamlData]:
    """The documents of a YAML text, empty ones left out.

    EventFileError, with the line, for what is no YAML, too deep, or too large.
    """
    if text.lstrip()[:1] in ("{", "["):
        text = _SURROGATES.sub(_joined, text)
    try:
        _check_structure(text, source)
        loader = _CoreLoader(text)
        try:
            documents = []
            # Without aliases a text has fewer values than characters.
            builder = _Builder(loader, source, len(text) + _MOST_FROM_ALIASES)
            while loader.check_node():
                node = loader.get_node()
                if node is not None and not _is_empty(node):
                    documents.append(builder.document(node))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, source) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EventFileError(source, f"not YAML: {told}") from error
    return documents


class _CoreLoader(_Base):
    """The safe loader with the scalars of YAML 1.2's core schema, infinities and NaN left out."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML copies it on write


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,300})", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first
    )


def _check_structure(text: str, source: str) -> None:
    """Before anything recurses into it."""
    depth = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise EventFileError(
                    source, f"nested more than {_DEEPEST} deep", place=f"line {line}"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == ""


def _joined(match: re.Match[str]) -> str:
    """One character of JSON's two halves, which YAML does not know."""
    pair = bytes.fromhex(match[2] + match[3]).decode("utf-16-be")
    return match[1] + pair


def _syntax_error(error: yaml.MarkedYAMLError, text: str, source: str) -> EventFileError:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    line = "" if mark is None else "".join(text.split("\n")[mark.line : mark.line + 1])
    if "\t" in line[: len(line) - len(line.lstrip())]:
        said += " (indent with spaces, not with tabs)"
    place = "" if mark is None else f"line {mark.line + 1}"
    column = "" if mark is None else f", column {mark.column + 1}"
    return EventFileError(source, f"not YAML{column}: {said}", place=place)


class _Builder:
    """Nodes to plain data; remembers lines, and counts what aliases multiply."""

    def __init__(self, loader: _CoreLoader, source: str, most_values: int) -> None:
        self._loader = loader
        self._most_values = most_values
        self._source = source
        self._built = 0
        self._document = YamlData(None, 1)

    def document(self, node: yaml.Node) -> YamlData:
        self._document = YamlData(None, node.start_mark.line + 1)
        self._document.data = self._build(node, ())
        return self._document

    def _build(self, node: yaml.Node, keys: Keys) -> Any:
        self._built += 1
        line = node.start_mark.line + 1
        if self._built > self._most_values or len(keys) > _DEEPEST:
            raise EventFileError(
                self._source,
                f"more than {self._most_values:,} values, or nested more than {_DEEPEST} deep, "
                "once aliases are followed",
                place=f"line {line}",
            )
        self._document.lines.setdefault(keys, line)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(one, (*keys, i)) for i, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        return self._scalar(node, line)

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        """A tag that is written (``!!int x``) may not fit its text, or mean nothing here."""
        try:
            if node.tag in _TAGS:
                return self._loader.construct_object(node)
        except (ArithmeticError, LookupError, ValueError):
            pass
        tag = node.tag.removeprefix(_TAG)
        raise EventFileError(
            self._source,
            f"not YAML: {str(node.value)[:40]!r} cannot be read as {tag[:40]!r}",
            place=f"line {line}",
        )

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise EventFileError(
                    self._source,
                    "a key must be a word, not a list or a mapping",
                    place=f"line {line}",
                )
            inner = (*keys, str(key_node.value))
            if inner[-1] in built:
                first = self._document.lines[inner]
                self._document.repeated.append((inner, first, line))
            self._document.lines[inner] = line
            built[str(key_node.value)] = self._build(value_node, inner)
        return built
