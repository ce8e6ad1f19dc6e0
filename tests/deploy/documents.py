"""The manifests as the API server would read them, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy" / "manifests"
SCALED_OBJECT = ROOT / "deploy" / "examples" / "scaledobject.yaml"
GUIDE = ROOT / "docs" / "kubernetes.md"

Document = dict[str, Any]


class _StrictLoader(yaml.SafeLoader):
    """Refuses what kubectl refuses as well: a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.constructor.ConstructorError(None, None, f"line {line}: {key!r} again")
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse(text: str) -> list[Document]:
    """Every document of a YAML text; ValueError for one that is no Kubernetes object."""
    documents = list(yaml.load_all(text, Loader=_StrictLoader))  # a SafeLoader
    for document in documents:
        if not isinstance(document, dict) or not {"apiVersion", "kind"} <= document.keys():
            raise ValueError(f"not an object of Kubernetes: {document!r}")
    return documents


def manifest_files() -> list[Path]:
    """Every YAML file that a reader applies, the kustomization left out."""
    files = [path for path in MANIFESTS.glob("*.yaml") if path.name != "kustomization.yaml"]
    return [*sorted(files), SCALED_OBJECT]


@cache
def _documents() -> tuple[Document, ...]:
    return tuple(one for path in manifest_files() for one in parse(path.read_text()))


def documents() -> Iterator[Document]:
    """Every object of every file."""
    yield from _documents()


def the(kind: str, name: str | None = None, namespace: str | None = None) -> Document:
    """The one object of that kind (name, namespace); an error where there is not just one."""
    found = [
        one
        for one in documents()
        if one["kind"] == kind
        and name in (None, one["metadata"]["name"])
        and namespace in (None, one["metadata"].get("namespace"))
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {namespace}/{name}"
    return found[0]


def pod() -> Document:
    """The pod's specification."""
    spec: Document = the("Deployment")["spec"]["template"]["spec"]
    return spec


def container() -> Document:
    """The one container of the pod."""
    (one,) = pod()["containers"]
    return dict(one)


def container_port(port: int | str) -> int:
    """The number behind a port that a probe or a Service names."""
    named = {one["name"]: one["containerPort"] for one in container()["ports"]}
    return int(named[port]) if isinstance(port, str) else port


def trigger(kind: str) -> Document:
    """The example's one trigger of that type."""
    (one,) = (one for one in the("ScaledObject")["spec"]["triggers"] if one["type"] == kind)
    return dict(one)


def variables(folder: Path) -> dict[str, str]:
    """What the pod sets over its settings, with ``folder`` in the place of the mounted one."""
    config = Path(container()["args"][2])
    return {
        one["name"]: str(one["value"]).replace(str(config.parent), str(folder))
        for one in container()["env"]
    }


def write_settings(folder: Path, token: str) -> Path:
    """The settings' volume as the pod sees it, with ``token`` in the placeholder's place."""
    texts = {
        ("ConfigMap", "preroll"): the("ConfigMap")["data"],
        ("Secret", "preroll-tokens"): the("Secret", "preroll-tokens")["stringData"],
    }
    (volume,) = (one for one in pod()["volumes"] if "projected" in one)
    for source in volume["projected"]["sources"]:
        kind, reference = (
            ("ConfigMap", source["configMap"])
            if "configMap" in source
            else ("Secret", source["secret"])
        )
        for item in reference["items"]:
            text = texts[kind, reference["name"]][item["key"]]
            if kind == "Secret":
                text = text.replace(PLACEHOLDER, token)
            (folder / item["path"]).write_text(text)
    return folder / "preroll.yaml"


PLACEHOLDER = "REPLACE ME (openssl rand -hex 32)"
TOKEN = "9b3c5d7e" * 8
