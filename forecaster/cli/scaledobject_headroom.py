"""``preroll scaledobject --headroom``: placeholder pods that hold places ahead of a peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forecaster.cli.scaledobject_files import read_files
from forecaster.cli.scaledobject_work import Made, Work, wanted_of
from forecaster.cluster.headroom import placeholder_deployment, placeholder_priority_class
from forecaster.cluster.parsing import seen_of
from forecaster.cluster.resources import DEPLOYMENTS, STATEFUL_SETS
from forecaster.cluster.seen import Scaled
from forecaster.durations import format_duration
from forecaster.errors import ManifestError
from forecaster.keda import (
    bounds_of,
    existing_of,
    find_traps,
    headroom_object,
    headroom_reasons,
)
from forecaster.settings import WorkloadSettings

__all__ = ["make_headroom"]

_RESOURCES = {one.kind: one for one in (DEPLOYMENTS, STATEFUL_SETS)}


def make_headroom(work: Work, paths: Sequence[Path], image: str) -> Made:
    """The PriorityClass, and for each workload a Deployment of placeholders and its ScaledObject.

    ManifestError for a workload whose Deployment or StatefulSet is not among the files, or requests
    nothing: nobody knows then how large its place is.
    """
    read, warnings = read_files(paths, work.default_namespace)
    found = [one for data, source in read for one in existing_of([data], source)]
    owners = {_key(data): (data, source) for data, source in read}
    objects: list[dict[str, Any]] = [placeholder_priority_class()]
    held_for: dict[tuple[str, str], str] = {}
    notices: list[str] = []
    for settings, existing in wanted_of(work, found, from_files=bool(paths)):
        namespace, path, _, most = bounds_of(settings, existing)
        target = {} if existing is None else existing.target
        name = target.get("name") or path.partition("/")[2]
        kind = target.get("kind") or "Deployment"
        if (kind, namespace, name) not in owners:
            raise ManifestError(_unknown(path, kind, namespace, name, image))
        data, source = owners[kind, namespace, name]
        placeholders = _placeholders(data, source, f"{namespace}/{name}", image)
        objects += [placeholders, headroom_object(path, placeholders, most, work.options)]
        held_for[namespace, placeholders["metadata"]["name"]] = path
        notices += _covered(work, settings)
    traps = find_traps(objects, work.known, work.options)

    def reasons(data: Mapping[str, Any]) -> Mapping[str, str]:
        about = data["metadata"]
        workload = held_for.get((about.get("namespace", ""), about["name"]), "")
        return headroom_reasons(data, work.options, workload)

    return Made(objects, [*warnings, *map(str, traps)], notices, reasons)


def _covered(work: Work, settings: WorkloadSettings | None) -> list[str]:
    """A lead time that leaves head-room nothing to do, as far as the settings say."""
    if settings is None or work.settings is None or settings.measured.lead_time:
        return []
    lead, node = settings.rule.lead_time, work.settings.kubernetes.node_lead_time
    if lead < node:
        return []
    return [
        f"{settings.workload}: its lead_time of {format_duration(lead)} covers a new node "
        f"(kubernetes.node_lead_time: {format_duration(node)}), so no places are held unless a "
        "longer time is measured; write the lead_time of a pod that finds a node"
    ]


def _key(data: Mapping[str, Any]) -> tuple[str, str, str]:
    about = data.get("metadata")
    about = about if isinstance(about, Mapping) else {}
    return str(data.get("kind")), str(about.get("namespace")), str(about.get("name"))


def _placeholders(data: dict[str, Any], source: str, name: str, image: str) -> dict[str, Any]:
    try:
        scaled = seen_of(_RESOURCES[str(data["kind"])], data)
        assert isinstance(scaled, Scaled)  # noqa: S101  for mypy
        pod = data["spec"]["template"]["spec"]
        return placeholder_deployment(name, scaled, image, placed_by=pod)
    except KeyError as error:
        told = f"{source}: {data['kind']} {name}: it has no {error}, so no pod is described"
        raise ManifestError(f"{told}; give the output of kubectl get, whole") from error
    except ValueError as error:
        raise ManifestError(f"{source}: {error}") from error


def _unknown(path: str, kind: str, namespace: str, name: str, image: str) -> str:
    told = f"{path}: what its pods request is not known, for its {kind} is in none of the files"
    if kind not in _RESOURCES:
        return f"{told}; head-room is for a Deployment or a StatefulSet"
    return (
        f"{told}; for example: kubectl get {kind.lower()} {name} --namespace {namespace} "
        f"--output yaml | preroll scaledobject --headroom --headroom-image {image} --from -"
    )
