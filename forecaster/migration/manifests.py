"""Kubernetes objects as text has them: several documents, ``List`` objects, YAML or JSON.

A document that is no object is kept, without a kind: prometheus-adapter's rules come as a plain
file too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from forecaster.errors import EventFileError, ManifestError
from forecaster.programme.yaml_data import Keys, YamlData, read_yaml_documents

__all__ = ["Manifest", "ManifestText", "as_mapping", "as_texts", "manifest_of", "read_manifests"]

_EXAMPLE = "kubectl get hpa,deployments --all-namespaces --output yaml > manifests.yaml"


@dataclass(frozen=True)
class ManifestText:
    """A text and where it is from: a path, or ``standard input``."""

    source: str
    text: str


@dataclass(frozen=True)
class Manifest:
    """One object: ``place`` is its file and line, for messages; ``namespace`` is never empty."""

    data: Mapping[str, Any] = field(repr=False)
    api_version: str
    kind: str
    namespace: str
    name: str
    place: str

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata; empty where there is none."""
        return as_mapping(self.data.get("metadata"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec; empty where there is none."""
        return as_mapping(self.data.get("spec"))

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations, as texts."""
        return as_texts(self.metadata.get("annotations"))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels, as texts."""
        return as_texts(self.metadata.get("labels"))

    @property
    def called(self) -> str:
        """``HorizontalPodAutoscaler streaming/player-api``."""
        return f"{self.kind} {self.namespace}/{self.name}"


def read_manifests(texts: Iterable[ManifestText]) -> tuple[Manifest, ...]:
    """All objects of the texts, in their order; ``List`` objects are unpacked.

    ManifestError, with file and line, for what is no YAML, for a key that stands twice, and where
    there is no object at all.
    """
    found: list[Manifest] = []
    sources = []
    for one in texts:
        sources.append(one.source)
        try:
            documents = read_yaml_documents(one.text, one.source)
        except EventFileError as error:
            raise ManifestError(str(error)) from error
        for document in documents:
            _check_keys(document, one.source)
            found += _objects(document, one.source)
    if not found:
        raise ManifestError(
            f"{', '.join(sources) or 'no file'}: there is no Kubernetes object in it; write for "
            f"example {_EXAMPLE}"
        )
    return tuple(found)


def _check_keys(document: YamlData, source: str) -> None:
    """Of a key that stands twice the first value would be lost; kubectl refuses it as well."""
    if document.repeated:
        keys, first, line = document.repeated[0]
        raise ManifestError(
            f"{source}:line {line}: {keys[-1]!r} stands already in line {first}; write it once, "
            "and between two objects a line with ---"
        )


def _objects(document: YamlData, source: str) -> Iterator[Manifest]:
    data = document.data
    if not isinstance(data, dict):
        raise ManifestError(
            f"{source}:line {document.line}: a Kubernetes object is a mapping with apiVersion and "
            f"kind, not {str(data)[:40]!r}; write for example {_EXAMPLE}"
        )
    items: list[tuple[Keys, Any]] = [((), data)]
    if isinstance(data.get("items"), list) and str(data.get("kind", "List")).endswith("List"):
        items = [(("items", number), one) for number, one in enumerate(data["items"])]
    for keys, one in items:
        if not isinstance(one, dict):
            raise ManifestError(
                f"{source}:line {document.line_of(keys)}: an item of a List is an object, not "
                f"{str(one)[:40]!r}"
            )
        yield manifest_of(one, f"{source}:line {document.line_of(keys)}")


def manifest_of(data: Mapping[str, Any], place: str) -> Manifest:
    """The object that ``data`` is; ``place`` says where it is from."""
    metadata = as_mapping(data.get("metadata"))
    return Manifest(
        data=data,
        api_version=str(data.get("apiVersion") or ""),
        kind=str(data.get("kind") or ""),
        namespace=str(metadata.get("namespace") or "default"),
        name=str(metadata.get("name") or ""),
        place=place,
    )


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The mapping itself; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_texts(value: Any) -> dict[str, str]:
    """A mapping's values as texts; booleans as YAML writes them."""
    return {
        str(key): str(one).lower() if isinstance(one, bool) else str(one)
        for key, one in as_mapping(value).items()
    }
