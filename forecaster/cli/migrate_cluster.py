"""``preroll migrate --cluster``: the old set-up, asked of the API server instead of manifests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from forecaster.cli.terminal import progress

if TYPE_CHECKING:
    from forecaster.migration.from_cluster import ClusterManifests, Place

__all__ = ["check_source", "read_from_cluster"]

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_CONFIG_MAP = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")


def check_source(
    manifests: Sequence[str] | None, *, cluster: bool, only_with_cluster: dict[str, object]
) -> None:
    """BadParameter where there is nothing to read, or an option that only the cluster has."""
    if not manifests and not cluster:
        raise typer.BadParameter(
            "which manifests? Write for example manifests/, or - for standard input, or read the "
            "cluster itself with --cluster",
            param_hint="MANIFESTS",
        )
    given = [name for name, value in only_with_cluster.items() if value]
    if given and not cluster:
        raise typer.BadParameter(
            "this says how the cluster is read; write --cluster as well", param_hint=given[0]
        )


def read_from_cluster(
    kubeconfig: Path | None,
    context: str | None,
    namespaces: Sequence[str],
    adapters: Sequence[str],
) -> ClusterManifests:
    """Everything that the migration needs of the cluster; ClusterError where it cannot be read."""
    from forecaster.cluster.client import connect
    from forecaster.errors import ClusterRefused
    from forecaster.migration.from_cluster import STEPS, read_cluster

    for one in namespaces:
        if not _NAME.fullmatch(one):
            raise typer.BadParameter(
                f"{one!r} is not a namespace; write for example streaming", param_hint="--namespace"
            )
    places = [_place(one) for one in adapters]
    try:
        client = connect(kubeconfig, context)
    except ClusterRefused as error:
        raise ClusterRefused(
            f"{error}. Here: --kubeconfig ~/.kube/config --context production"
        ) from error
    try:
        with progress(f"reading {client.host}", STEPS) as advance:
            return read_cluster(client, namespaces, places, advance)
    finally:
        client.close()


def _place(text: str) -> Place:
    namespace, _, name = text.partition("/")
    if not _NAME.fullmatch(namespace) or not _CONFIG_MAP.fullmatch(name):
        raise typer.BadParameter(
            f"{text!r} is not namespace/name; write for example monitoring/prometheus-adapter",
            param_hint="--adapter-configmap",
        )
    return namespace, name
