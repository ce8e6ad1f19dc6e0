"""What is made of the chart and of the settings: ``python -m deploy.render``.

The plain manifests of deploy/manifests, and the part of the chart's values.schema.json that
describes the settings. Helm's library comes with the package helm-python-sdk; no cluster, network
or program is needed.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import helm_python
import yaml

from forecaster.settings import settings_schema

__all__ = ["CHART", "MANIFESTS", "VALUES", "plain_manifests", "render", "values_schema"]

_HERE = Path(__file__).parent
CHART = _HERE / "helm" / "preroll"
VALUES = _HERE / "helm" / "plain.yaml"
MANIFESTS = _HERE / "manifests"

_RENDERED = "Rendered from deploy/helm/preroll by make manifests."
_PREFACES = {
    "secret.yaml": 'Put the output of "openssl rand -hex 32" in the placeholder\'s place, here and '
    "in trigger-authentication.yaml, and keep the result out of version control. The placeholder "
    "itself is no token: with it the service stops at its start, and says so. An entry for events "
    "needs its lines in deployment.yaml too.",
    "settings.yaml": "After a change: kubectl rollout restart deployment/preroll --namespace "
    "preroll",
    "trigger-authentication.yaml": "Put the same token here as in secret.yaml.",
}
# Labels and annotations that are true of an installation by Helm, or until the next edit.
_OF_HELM = re.compile(
    r"\s+(app\.kubernetes\.io/(managed-by|version)|helm\.sh/chart|(# )?checksum/\w+): .*"
)


def render(
    values: dict[str, Any], name: str = "preroll", namespace: str = "preroll"
) -> dict[str, str]:
    """What ``helm template`` would print, by the template's file name; without empty files.

    Raises helm_python.HelmValuesError for values that the schema refuses, HelmRenderError for what
    the templates refuse.
    """
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=name, namespace=namespace)
    return {Path(path).name: text for path, text in rendered.items() if text.strip()}


def plain_manifests() -> dict[Path, str]:
    """Every rendered file of deploy/manifests and its text."""
    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    files = {MANIFESTS / name: text for name, text in render(values).items() if name != "NOTES.txt"}
    watching = {**values, "settingsFile": values["settingsFile"] + "kubernetes: {watch: true}\n"}
    files[MANIFESTS / "watch" / "rbac.yaml"] = render(watching)["rbac.yaml"]
    return {path: _plain(path.name, text) for path, text in files.items()}


def values_schema() -> str:
    """The chart's values.schema.json, with the settings as they are described now."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    settings = settings_schema()
    settings.pop("$schema")  # draft 7 says the same of what is used, and more tools read it
    schema["$defs"] = settings.pop("$defs")
    settings.pop("required")  # the templates ask for it, in a sentence
    settings["description"] = "preroll.yaml, rendered as it is."
    schema["properties"]["settings"] = settings
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _plain(name: str, text: str) -> str:
    told = " ".join([_RENDERED, *filter(None, [_PREFACES.get(name)])])
    preface = textwrap.wrap(told, 100, initial_indent="# ", subsequent_indent="# ")
    lines = [line.rstrip() for line in text.strip().splitlines() if not _OF_HELM.fullmatch(line)]
    return "\n".join([*preface, "#", *lines]) + "\n"


def main() -> None:
    """Write the files."""
    (CHART / "values.schema.json").write_text(values_schema(), encoding="utf-8")
    for path, text in plain_manifests().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
