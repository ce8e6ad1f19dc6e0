"""The ``helm`` of the guides' commands: Helm's own library, behind the arguments that they use.

``HELM_CHARTS`` is a folder with the charts of repositories, by name.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import helm_python
import yaml

from tests.deploy.chart import merged


def main(words: list[str]) -> None:
    command = argparse.ArgumentParser(prog="helm", allow_abbrev=False)
    verbs = command.add_subparsers(dest="verb", required=True)
    verbs.add_parser("repo").add_argument("words", nargs="+")
    for verb in ("install", "upgrade", "uninstall", "rollback"):
        one = verbs.add_parser(verb, allow_abbrev=False)
        one.add_argument("release")
        one.add_argument("--namespace", default="default")
        if verb in ("install", "upgrade"):
            one.add_argument("chart")
            one.add_argument("--values", type=Path)
            one.add_argument("--set", action="append", default=[])
            one.add_argument("--set-json", action="append", default=[])
            one.add_argument("--set-file", action="append", default=[])
            for flag in ("--install", "--reuse-values", "--create-namespace", "--wait"):
                one.add_argument(flag, action="store_true")
    said = command.parse_args(words)
    if said.verb == "repo":  # HELM_CHARTS has what a repository would
        return
    with helm_python.Config(namespace=said.namespace) as config:
        if said.verb == "uninstall":
            config.uninstall(said.release)
        elif said.verb == "rollback":
            config.rollback(said.release)
        else:
            _install(config, said)


def _install(config: helm_python.Config, said: argparse.Namespace) -> None:
    values: dict[str, Any] = yaml.safe_load(said.values.read_text()) if said.values else {}
    for text in said.set:
        values = merged(values, helm_python.parse_set_string(text))
    for text in said.set_json:
        values = merged(values, helm_python.parse_set_json(text))
    for text in said.set_file:
        values = merged(values, helm_python.parse_set_file(text))
    chart = said.chart
    if not Path(chart).exists():
        chart = Path(os.environ["HELM_CHARTS"]) / chart.rpartition("/")[2]
    there = any(one["name"] == said.release for one in config.list())
    if said.verb == "install" or (said.install and not there):
        made = config.install(chart, said.release, values, create_namespace=said.create_namespace)
    else:
        made = config.upgrade(chart, said.release, values, reuse_values=said.reuse_values)
    print(made.get("notes", ""))  # noqa: T201 - as helm does


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except helm_python.HelmError as error:
        sys.exit(f"Error: {error}")
