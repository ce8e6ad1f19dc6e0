"""Series ids from Prometheus labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["METRIC_NAME", "parse_labels", "series_ids", "text_form"]

METRIC_NAME = "__name__"

_NAMESPACE = ("namespace", "exported_namespace", "kubernetes_namespace", "k8s_namespace_name")
_WORKLOAD = (
    "deployment",
    "workload",
    "statefulset",
    "app",
    "app_kubernetes_io_name",
    "service",
    "service_name",
    "container",
    "pod",
)
_TEXT = re.compile(r"^\s*([a-zA-Z_:][\w:.]*)?\s*(?:\{(.*)\})?\s*$", re.DOTALL)
_PAIR = re.compile(r'\s*([a-zA-Z_][\w.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


def parse_labels(text: str) -> dict[str, str] | None:
    """The labels in a text like ``name{a="b", c="d"}``, or None where it is no such text.

    >>> parse_labels('requests{pod="a"}')
    {'__name__': 'requests', 'pod': 'a'}
    """
    match = _TEXT.match(text)
    if match is None or match.group(2) is None:
        return None
    labels = {} if match.group(1) is None else {METRIC_NAME: match.group(1)}
    inside, at = match.group(2), 0
    while inside[at:].strip():
        pair = _PAIR.match(inside, at)
        if pair is None:
            return None
        labels[pair.group(1)] = re.sub(r"\\(.)", _unescaped, pair.group(2))
        at = pair.end()
    return labels


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match.group(1) == "n" else match.group(1)


def text_form(labels: Mapping[str, str]) -> str:
    """The Prometheus text form of ``labels``, names in order; ``{}`` where there are none.

    >>> text_form({"__name__": "requests", "pod": "a"})
    'requests{pod="a"}'
    """
    name = labels.get(METRIC_NAME, "")
    pairs = ",".join(
        f'{key}="{"".join(_ESCAPES.get(letter, letter) for letter in labels[key])}"'
        for key in sorted(labels)
        if key != METRIC_NAME
    )
    return name if name and not pairs else f"{name}{{{pairs}}}"


def series_ids(all_labels: Sequence[Mapping[str, str]]) -> list[str]:
    """An id for each label set: ``namespace/workload`` where the labels name one and no other
    series has the same; else the text form.
    """
    short = [_workload(labels) or text_form(labels) for labels in all_labels]
    times = Counter(short)
    return [
        text_form(labels) if times[name] > 1 else name
        for labels, name in zip(all_labels, short, strict=True)
    ]


def _workload(labels: Mapping[str, str]) -> str | None:
    namespace = next((labels[key] for key in _NAMESPACE if labels.get(key)), None)
    workload = next((labels[key] for key in _WORKLOAD if labels.get(key)), None)
    return None if namespace is None or workload is None else f"{namespace}/{workload}"
