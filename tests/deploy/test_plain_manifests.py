"""deploy/manifests against the chart that it is rendered from."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.render import MANIFESTS, VALUES, plain_manifests
from tests.deploy.chart import Chart, merged
from tests.deploy.documents import Document, parse

BY_HAND = {"namespace.yaml", "kustomization.yaml", "watch/kustomization.yaml"}
WATCH = yaml.safe_load((MANIFESTS / "watch" / "kustomization.yaml").read_text())


@pytest.mark.parametrize("path", plain_manifests(), ids=lambda path: path.name)
def test_a_file_is_what_the_chart_renders_now(path: Path) -> None:
    # A failure here means: make manifests
    assert path.read_text() == plain_manifests()[path]


def test_every_file_is_rendered_or_written_by_hand() -> None:
    there = {str(path.relative_to(MANIFESTS)) for path in MANIFESTS.rglob("*.yaml")}
    made = {str(path.relative_to(MANIFESTS)) for path in plain_manifests()}
    assert there == made | BY_HAND


def test_nothing_in_them_is_true_of_helm_alone() -> None:
    for path, text in plain_manifests().items():
        for word in ("managed-by", "helm.sh/", "checksum/", "version:"):
            assert word not in text, path


def test_comments_of_the_templates_are_kept() -> None:
    text = (MANIFESTS / "deployment.yaml").read_text()
    assert text.count("# ") > 15
    assert "# The old pod has to let go of the volume" in text


def changed_by(patch: list[dict[str, Any]], document: Document) -> Document:
    """The object after the operations of a JSON patch, as far as they are used here."""
    made = deepcopy(document)
    for operation in patch:
        *way, last = operation["path"].strip("/").split("/")
        inner = made
        for key in way:
            inner = inner[key]
        if operation["op"] == "replace":
            assert last in inner
            inner[last] = operation["value"]
        else:
            assert (operation["op"], last) == ("add", "-")
            inner.append(operation["value"])
    return made


@pytest.mark.parametrize("kind", ["Deployment", "NetworkPolicy"])
def test_the_component_watch_does_what_the_chart_does(kind: str) -> None:
    plain = yaml.safe_load(VALUES.read_text())
    text = plain["settingsFile"] + "kubernetes: {watch: true}\n"
    wanted = Chart(merged(plain, {"settingsFile": text})).the(kind)["spec"]
    (patch,) = (
        yaml.safe_load(one["patch"]) for one in WATCH["patches"] if one["target"]["kind"] == kind
    )
    (document,) = [
        one
        for path in MANIFESTS.glob("*.yaml")
        for one in parse(path.read_text())
        if one["kind"] == kind
    ]
    made = changed_by(patch, document)["spec"]
    if kind == "Deployment":
        for spec in (made, wanted):
            spec["template"]["metadata"].pop("annotations")  # checksums
    assert made == wanted


def test_the_component_brings_the_rights() -> None:
    assert WATCH["resources"] == ["rbac.yaml"]
    kinds = [one["kind"] for one in parse((MANIFESTS / "watch" / "rbac.yaml").read_text())]
    assert kinds == ["ClusterRole", "ClusterRoleBinding"]
