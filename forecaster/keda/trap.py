"""A trap: something in KEDA's objects that is accepted, and does not do what it seems to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Trap", "name_of"]


@dataclass(frozen=True)
class Trap:
    """One of them: ``code`` for programs, the rest for people.

    ``subject`` is the object ("ScaledObject streaming/player-api"), ``field`` the place in it
    ("spec.triggers[0].metricType"; empty for the whole object), ``value`` what stands there;
    ``effect`` is what happens, ``advice`` what to write or do.
    """

    code: str
    subject: str
    field: str
    value: str
    effect: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.subject}, {self.field}" if self.field else self.subject
        shown = f"{self.value}: " if self.value else ""
        return f"{where}: {shown}{self.effect}; {self.advice}"


def name_of(data: Mapping[str, Any]) -> str:
    """``Kind namespace/name`` of an object, as messages name it."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name, namespace = metadata.get("name") or "without a name", metadata.get("namespace")
    return f"{data.get('kind', 'object')} {f'{namespace}/{name}' if namespace else name}"
