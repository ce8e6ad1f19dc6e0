"""The chart, rendered with the value files of ``values/`` and read as the API server reads it."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.render import render
from tests.deploy.documents import Document, parse

VALUE_FILES = sorted((Path(__file__).parent / "values").glob("*.yaml"))
NAMES = [path.stem for path in VALUE_FILES]

Values = dict[str, Any]


def values(name: str, **changed: Any) -> Values:
    """The values of a file, with some of them changed, at any depth."""
    (path,) = (one for one in VALUE_FILES if one.stem == name)
    return merged(yaml.safe_load(path.read_text()), changed)


def merged(under: Values, over: Values) -> Values:
    """Maps are merged, all else is replaced: Helm's way."""
    made = deepcopy(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = merged(made[key], value) if both else value
    return made


@cache
def _files(chosen: str, name: str, namespace: str) -> dict[str, str]:
    return render(json.loads(chosen), name, namespace)


class Chart:
    """One rendering."""

    def __init__(self, chosen: Values, name: str = "preroll", namespace: str = "preroll") -> None:
        self.files = dict(_files(json.dumps(chosen), name, namespace))
        self.notes = self.files.pop("NOTES.txt")
        self.namespace = namespace
        self.documents: list[Document] = [
            one for text in self.files.values() for one in parse(text)
        ]

    def all(self, kind: str) -> list[Document]:
        """Every object of a kind."""
        return [one for one in self.documents if one["kind"] == kind]

    def the(self, kind: str) -> Document:
        """The only one of its kind."""
        (one,) = self.all(kind)
        return one

    @property
    def pod(self) -> Document:
        """The pod's template."""
        template: Document = self.the("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Document:
        """The only container."""
        (one,) = self.pod["spec"]["containers"]
        return dict(one)

    @property
    def variables(self) -> dict[str, str]:
        """The container's variables that have a value."""
        return {one["name"]: one["value"] for one in self.container["env"] if "value" in one}


def rendered(name: str, release: str = "preroll", **changed: Any) -> Chart:
    """The chart with the values of a file."""
    return Chart(values(name, **changed), release)
