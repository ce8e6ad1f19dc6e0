"""A workload that a ScaledObject declares by its annotations; judged as preroll.yaml is.

    metadata:
      annotations:
        preroll.io/enabled: "true"
        preroll.io/capacity: "120"          # or auto
        preroll.io/lead-time: 5m            # or auto; and what else there is in KEYS

Bounds of replicas are the ScaledObject's own where the annotations name none; whatever else they
leave out comes from the settings' ``defaults``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from forecaster.cluster.parsing import ANNOTATION_PREFIX
from forecaster.cluster.seen import ScaledObjectSeen
from forecaster.errors import SettingsProblem
from forecaster.settings.document import Document, Keys
from forecaster.settings.problems import problems_of
from forecaster.settings.values import WorkloadSettings
from forecaster.settings.workload_build import BoundsCross, build_workload
from forecaster.settings.workload_shape import DefaultsShape, WorkloadShape

__all__ = ["ENABLED", "KEYS", "DeclaredWorkload", "read_annotations"]

ENABLED = f"{ANNOTATION_PREFIX}enabled"

KEYS: Mapping[str, str] = {
    f"{ANNOTATION_PREFIX}{field.replace('_', '-')}": field
    for field in (
        "capacity",
        "target_utilisation",
        "lead_time",
        "quantile",
        "min_replicas",
        "max_replicas",
        "hold_down",
        "mode",
        "name",
        "target_utilisation",
    )
}
"""The annotations beside ``enabled``, and the key of a workload in preroll.yaml that each is."""

_ON, _OFF = "true", "false"


@dataclass(frozen=True)
class DeclaredWorkload:
    """A workload that a ScaledObject declares, and what it comes to with the defaults."""

    shape: WorkloadShape
    source: ScaledObjectSeen
    settings: WorkloadSettings


def read_annotations(
    source: ScaledObjectSeen, defaults: DefaultsShape
) -> DeclaredWorkload | tuple[SettingsProblem, ...] | None:
    """The workload, or every problem there is; None where the object declares nothing.

    The place of a problem is the annotation's key.
    """
    problems = [_unknown(key) for key in source.annotations if key not in {ENABLED, *KEYS}]
    enabled = source.annotations.get(ENABLED)
    if enabled == _OFF and not problems:
        return None
    if enabled is None and source.annotations and not problems:
        told = "it is missing, and so the other annotations are not looked at"
        problems.append(SettingsProblem(ENABLED, told, '"true"'))
    elif enabled not in (None, _ON, _OFF):
        problems.append(
            SettingsProblem(ENABLED, f"{enabled!r} is neither true nor false", '"true"')
        )
    if enabled in (None, _OFF):
        return tuple(problems) or None
    judged = _judge(source, defaults)
    if isinstance(judged, DeclaredWorkload):
        return tuple(problems) or judged
    return (*problems, *judged)


def _judge(
    source: ScaledObjectSeen, defaults: DefaultsShape
) -> DeclaredWorkload | list[SettingsProblem]:
    told = {
        field: source.annotations[key] for key, field in KEYS.items() if key in source.annotations
    }
    data: dict[str, Any] = {
        "namespace": source.namespace,
        "name": source.target.name,
        "min_replicas": source.min_replicas,
        "max_replicas": source.max_replicas,
        **told,
        "labels": {key: value for key, value in source.labels.items() if value.strip()},
    }
    places: dict[Keys, str] = {(field,): key for key, field in KEYS.items()}
    document = Document(f"ScaledObject {source.namespace}/{source.name}", data, variables=places)
    try:
        shape = WorkloadShape.model_validate(data)
        return DeclaredWorkload(shape, source, build_workload(shape, defaults))
    except ValidationError as error:
        return [_in_quotes(one) for one in problems_of(error, document, WorkloadShape)]
    except BoundsCross:
        return [_bounds_cross(source, shape)]


def _bounds_cross(source: ScaledObjectSeen, shape: WorkloadShape) -> SettingsProblem:
    key = f"{ANNOTATION_PREFIX}min-replicas"
    if key not in source.annotations:
        key = f"{ANNOTATION_PREFIX}max-replicas"
    told = f"at least {shape.min_replicas} replicas and at most {shape.max_replicas} cannot be"
    return SettingsProblem(key, told, f'"{source.max_replicas}"')


def _in_quotes(problem: SettingsProblem) -> SettingsProblem:
    """Annotations are texts: a number among the examples stands in quotes."""
    example = problem.example
    if example is not None and example.replace(".", "", 1).isdigit():
        example = f'"{example}"'
    return SettingsProblem(problem.place, problem.message, example)


def _unknown(key: str) -> SettingsProblem:
    known = [one.removeprefix(ANNOTATION_PREFIX) for one in (ENABLED, *KEYS)]
    near = difflib.get_close_matches(key.removeprefix(ANNOTATION_PREFIX), known, n=1)
    hint = (
        f"did you mean {ANNOTATION_PREFIX}{near[0]}?"
        if near
        else f"known below {ANNOTATION_PREFIX}: {', '.join(known)}"
    )
    return SettingsProblem(key, f"unknown key; {hint}")
