"""From settings and manifests to KEDA's objects, with all that is worth a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from forecaster.cli.scaledobject_files import read_files
from forecaster.errors import ManifestError
from forecaster.keda import (
    Existing,
    ScaledObjectOptions,
    best_for_each,
    existing_of,
    find_traps,
    make_scaled_object,
    reasons_of,
    trigger_authentication,
)
from forecaster.settings import Settings, WorkloadSettings

__all__ = ["Made", "Work", "check_files", "make_objects", "wanted_of"]


@dataclass(frozen=True)
class Work:
    """What was asked for: of which settings, how to write, and for which workloads."""

    settings: Settings | None
    options: ScaledObjectOptions
    workloads: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[WorkloadSettings, ...] | None:
        """The workloads of the settings; None where there are no settings."""
        return None if self.settings is None else self.settings.fleet.workloads

    @property
    def default_namespace(self) -> str:
        """Where objects without a namespace are: in the one that is named, if it is one."""
        return self.namespaces[0] if len(self.namespaces) == 1 else "default"

    def wants(self, workload: str) -> bool:
        """Whether ``namespace/name`` is among what was asked for."""
        namespace = workload.partition("/")[0]
        return (not self.workloads or workload in self.workloads) and (
            not self.namespaces or namespace in self.namespaces
        )


@dataclass(frozen=True)
class Made:
    """The objects in the order in which they are written, and what is said of them."""

    objects: list[dict[str, Any]]
    warnings: list[str]
    notices: list[str]
    reasons: Callable[[Mapping[str, Any]], Mapping[str, str]]


def make_objects(work: Work, paths: Sequence[Path]) -> Made:
    """The objects of what was found in the files, or of the settings where none are named.

    A workload that is asked for by its name, and found in no file, is made from the settings alone.
    """
    read, warnings = read_files(paths, work.default_namespace)
    found = [one for data, source in read for one in existing_of([data], source)]
    wanted = wanted_of(work, found, from_files=bool(paths))
    objects: list[dict[str, Any]] = []
    origin: dict[tuple[str, str], Existing | None] = {}
    notices: list[str] = []
    for settings, existing in wanted:
        made = make_scaled_object(settings, work.options, existing)
        objects.append(made.data)
        metadata = made.data["metadata"]
        origin[metadata["namespace"], metadata["name"]] = existing
        warnings += [str(one) for one in made.traps]
        if existing is not None and existing.kind == "HorizontalPodAutoscaler":
            notices.append(_take_over(existing))
    traps = find_traps([*objects, *_beside(read)], work.known, work.options)
    warnings += [str(one) for one in traps]
    if work.options.authenticate:
        spaces = dict.fromkeys(one["metadata"]["namespace"] for one in objects)
        objects = [*(trigger_authentication(one, work.options) for one in spaces), *objects]
    elif work.settings is not None and not work.settings.server.tokens:
        notices.append(
            "no token is sent: these settings have no server.tokens; where the pod's environment "
            "has some, write keda: {authenticate: true}"
        )

    def reasons(data: Mapping[str, Any]) -> Mapping[str, str]:
        key = (data["metadata"]["namespace"], data["metadata"]["name"])
        return reasons_of(data, work.options, origin.get(key))

    return Made(objects, warnings, notices, reasons)


def check_files(work: Work, paths: Sequence[Path]) -> tuple[list[str], list[str]]:
    """A summary in lines, and the traps in the files."""
    read, warnings = read_files(paths, work.default_namespace)
    objects = [data for data, _ in read]
    warnings += [str(one) for one in find_traps(objects, work.known, work.options)]
    count = sum(one.get("kind") == "ScaledObject" for one in objects)
    told = f"{_counted(count, 'ScaledObject')} among {_counted(len(objects), 'object')}: "
    return [told + (_counted(len(warnings), "warning") if warnings else "no trap found")], warnings


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def wanted_of(
    work: Work, found: Iterable[Existing], *, from_files: bool
) -> list[tuple[WorkloadSettings | None, Existing | None]]:
    """What objects are made for: workloads of the settings, what was found of them, or both.

    BadParameter where something is named that is not there; ManifestError for files without any.
    """
    known = {one.workload: one for one in work.known or ()}
    existing = {_name_in_preroll(one, known): one for one in best_for_each(found)}
    names = list(existing) if from_files else list(known)
    names += [one for one in work.workloads if one not in names and one in known]
    chosen = [one for one in names if work.wants(one)]
    missing = [one for one in work.workloads if one not in chosen]
    if missing:
        everything = sorted({*known, *existing})
        near = get_close_matches(missing[0], everything)
        hint = f"did you mean {near[0]}?" if near else f"there are {_listed(everything)}"
        raise typer.BadParameter(f"no workload {missing[0]}; {hint}", param_hint="--workload")
    if not chosen:
        if from_files and not existing:
            raise ManifestError(
                "nothing in the files scales a workload, or is one: an HPA that is not KEDA's, a "
                "ScaledObject, a Deployment or a StatefulSet is needed; for example the output of: "
                "kubectl get hpa player-api -o yaml"
            )
        if not names:
            raise typer.BadParameter(
                "the settings name no workloads, for ScaledObjects declare them; give those",
                param_hint="--from",
            )
        told = f"no workload is in {', '.join(work.namespaces)}"
        there = _listed(sorted({*known, *existing}))
        raise typer.BadParameter(f"{told}; there are {there}", param_hint="--namespace")
    return [(known.get(one), existing.get(one)) for one in chosen]


def _name_in_preroll(existing: Existing, known: Mapping[str, WorkloadSettings]) -> str:
    """What it asks Preroll for today, unless only what it scales is known there."""
    if existing.asked and (existing.asked in known or existing.workload not in known):
        return existing.asked
    return existing.workload


def _listed(names: Sequence[str], most: int = 8) -> str:
    if not names:
        return "none in the settings"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _beside(read: Iterable[tuple[dict[str, Any], str]]) -> list[dict[str, Any]]:
    """What stands beside the objects that are made; ScaledObjects are replaced by them."""
    return [data for data, _ in read if data.get("kind") != "ScaledObject"]


def _take_over(existing: Existing) -> str:
    return (
        f"KEDA takes over the HPA {existing.namespace}/{existing.name}: first stop applying its "
        "manifest, then apply the ScaledObject; all steps, and the way back, are in its comment"
    )
