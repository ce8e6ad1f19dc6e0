"""Commands of the plan that several steps have, with the team's own names in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from forecaster.durations import format_duration
from forecaster.migration.adapter import read_adapter_rules
from forecaster.migration.manifests import Manifest
from forecaster.migration.moves import MoveOptions, Moves
from forecaster.migration.old_setup import OldApi
from forecaster.migration.paths import api_backup, configuration_backup
from forecaster.settings.versions import show_version

__all__ = [
    "adapter_back",
    "annotated",
    "edit_adapter",
    "no_secrets",
    "reading",
    "rules_elsewhere",
    "secrets",
]


def reading(moves: Moves, output: str, more: str = "") -> str:
    """``preroll migrate`` of the cluster as it is now, with the options that it was run with."""
    options, usual = moves.options, MoveOptions()
    words = ["preroll migrate --cluster"]
    words += [f"--adapter-configmap {one.namespace}/{one.name}" for one in _configurations(moves)]
    words += [f"--output {output}", f"--timezone {options.timezone}"]
    if options.lead_time != usual.lead_time:
        words.append(f"--lead-time {format_duration(options.lead_time)}")
    if options.prometheus != usual.prometheus:
        words.append(f"--prometheus {shlex.quote(options.prometheus)}")
    for name in ("keda", "kubernetes"):
        version = getattr(options.keda, name)
        if version != getattr(usual.keda, name):
            words.append(f"--{name} {show_version(version)}")
    return " \\\n  ".join([*words, *([more] if more else [])])


def _configurations(moves: Moves) -> list[Manifest]:
    """The ConfigMaps that hold the adapter's rules."""
    return [
        one
        for one in moves.setup.manifests
        if one.kind == "ConfigMap" and read_adapter_rules([one])
    ]


def rules_elsewhere(moves: Moves) -> str:
    """A sentence on rules that were read from a file of their own; empty where there are none."""
    if not moves.setup.rules or _configurations(moves):
        return ""
    place = moves.setup.rules[0].place.rpartition(", ")[0]
    return f" Name the file of the adapter's rules ({place}) beside `--cluster`, as the first time."


def edit_adapter(moves: Moves) -> str:
    """How its rules are edited by hand."""
    edits = (
        f"kubectl edit configmap {one.name} --namespace {one.namespace}"
        for one in _configurations(moves)
    )
    return "\n".join(edits) or "# its configuration, wherever it is kept"


def adapter_back(moves: Moves, adapter: str, namespace: str, api: OldApi | None) -> Iterator[str]:
    """The adapter with its external metrics again, where no chart can be rolled back."""
    for one in _configurations(moves):
        yield f"kubectl replace --filename {configuration_backup(one)}"
    if not _configurations(moves):
        yield "# externalRules into its configuration again, by hand"
    yield f"kubectl rollout restart deployment/{adapter} --namespace {namespace}"
    if api is None:
        yield "# and the adapter's APIService, as it was installed"
    else:
        yield f"kubectl apply --filename {api_backup(api)}"


def secrets(moves: Moves) -> Iterator[str]:
    """KEDA's token, in each namespace."""
    for namespace in _namespaces(moves):
        yield (
            f"kubectl create secret generic {moves.options.keda.secret} --namespace {namespace} "
            '--from-literal=token="$token"'
        )


def no_secrets(moves: Moves) -> Iterator[str]:
    """The same taken away."""
    for namespace in _namespaces(moves):
        yield f"kubectl delete secret {moves.options.keda.secret} --namespace {namespace}"


def _namespaces(moves: Moves) -> list[str]:
    return sorted({one.old.namespace for one in moves.workloads})


def annotated(moves: Moves, what: str) -> Iterator[str]:
    """Every ScaledObject annotated with one of KEDA's keys."""
    for one in moves.workloads:
        yield (
            f"kubectl annotate scaledobject {one.object_name} --namespace {one.old.namespace} "
            f"autoscaling.keda.sh/{what}"
        )
