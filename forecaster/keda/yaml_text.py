"""Objects as YAML for a repository: one order, comments, and strings that stay strings.

The same objects give the same bytes, and every parser of YAML 1.1 and 1.2 reads the same values.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from forecaster.keda.fields import ordered_keys

__all__ = ["Comments", "write_yaml"]

# By the place of a value, such as spec.triggers[0].metadata.url; "" stands above the object.
Comments = Mapping[str, str]

_WIDTH = 80
# Letters first, so no number and no date; the rest is what names, versions and kinds are made of.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write_yaml(
    objects: Iterable[Mapping[str, Any]],
    comments: Callable[[Mapping[str, Any]], Comments] | None = None,
) -> str:
    """The objects as documents of one YAML text, in conventional order.

    ``comments`` gives for an object what is written above its values.
    """
    return "---\n".join(
        _document(one, {} if comments is None else comments(one)) for one in objects
    )


def _document(data: Mapping[str, Any], comments: Comments) -> str:
    lines = list(_comment(comments.get("", ""), 0))
    lines += _mapping(data, "", "", comments, 0, quoted=False)
    return "".join(f"{line}\n" for line in lines)


def _mapping(
    data: Mapping[str, Any],
    place: str,
    shape: str,
    comments: Comments,
    indent: int,
    *,
    quoted: bool,
    trigger_type: str = "",
) -> list[str]:
    """``shape`` is the place without positions; ``quoted`` where all values must be strings."""
    lines: list[str] = []
    for key in ordered_keys(shape, data, trigger_type):
        inner = f"{place}.{key}".removeprefix(".")
        inner_shape = f"{shape}.{key}".removeprefix(".")
        lines += _comment(comments.get(inner, ""), indent)
        lines += _entry(data, key, inner, inner_shape, comments, indent, quoted=quoted)
    return lines


def _entry(
    data: Mapping[str, Any],
    key: str,
    place: str,
    shape: str,
    comments: Comments,
    indent: int,
    *,
    quoted: bool,
) -> list[str]:
    value, head = data[key], f"{' ' * indent}{_scalar(key)}:"
    if isinstance(value, Mapping) and value:
        strings = shape in _ALL_STRINGS
        kind = str(data.get("type", "")) if shape == "spec.triggers.metadata" else ""
        below = _mapping(
            value, place, shape, comments, indent + 2, quoted=strings, trigger_type=kind
        )
        return [head, *below]
    if _is_list(value) and value:
        return [head, *_sequence(value, place, shape, comments, indent + 2)]
    if isinstance(value, str) and _is_block(value):
        inner = " " * (indent + 2)
        sign = "|" if value.endswith("\n") else "|-"
        return [f"{head} {sign}", *(f"{inner}{line}" for line in value.splitlines())]
    return [f"{head} {_scalar(value, quoted=quoted)}"]


_ALL_STRINGS = frozenset(
    ["spec.triggers.metadata", "metadata.annotations", "metadata.labels", "stringData"]
)


def _sequence(
    values: Sequence[Any], place: str, shape: str, comments: Comments, indent: int
) -> list[str]:
    lines: list[str] = []
    for at, value in enumerate(values):
        inner = f"{place}[{at}]"
        lines += _comment(comments.get(inner, ""), indent)
        if isinstance(value, Mapping) and value:
            below = _mapping(value, inner, shape, comments, indent + 2, quoted=False)
            first = next(n for n, line in enumerate(below) if not line.lstrip().startswith("#"))
            # A comment on the first key stands above the dash.
            lines += [line[2:] for line in below[:first]]
            below[first] = f"{' ' * indent}- {below[first].lstrip()}"
            lines += below[first:]
        elif _is_list(value) and value:
            lines += [f"{' ' * indent}-", *_sequence(value, inner, shape, comments, indent + 2)]
        else:
            lines.append(f"{' ' * indent}- {_scalar(value)}")
    return lines


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_block(text: str) -> bool:
    """Whether a text of several lines can stand as it is, line by line."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and not lines[0].startswith(" ")
        and all(line and line == line.rstrip() for line in lines)
        and all(_is_printable(one) for line in lines for one in line)
    )


def _is_printable(one: str) -> bool:
    return one.isprintable() and one not in "\x7f\x85\ufeff\ufffe\uffff\u2028\u2029"


def _scalar(value: Any, *, quoted: bool = False) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return "{}"
    if _is_list(value):
        return "[]"
    text = str(value)
    if not quoted and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(_escaped(one) for one in text) + '"'


def _float(value: float) -> str:
    """YAML 1.1 wants a point and a signed exponent."""
    text = repr(value)
    if "e" not in text:
        return text
    digits, _, power = text.partition("e")
    return f"{digits if '.' in digits else digits + '.0'}e{int(power):+d}"


def _escaped(one: str) -> str:
    if one in _ESCAPES:
        return _ESCAPES[one]
    if _is_printable(one):
        return one
    code = ord(one)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@lru_cache(maxsize=1024)  # a fleet's objects say mostly the same
def _comment(text: str, indent: int) -> tuple[str, ...]:
    """Paragraphs are wrapped; a line that begins with spaces stays as it is."""
    lead, lines = " " * indent + "#", []
    for paragraph in text.split("\n") if text else []:
        if not paragraph or paragraph.startswith(" "):
            lines.append(f"{lead} {paragraph}".rstrip())
            continue
        width = max(_WIDTH - len(lead) - 1, 40)
        wrapped = textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        lines += [f"{lead} {line}" for line in wrapped]
    return tuple(lines)
