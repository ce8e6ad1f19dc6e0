"""ScaledObject and TriggerAuthentication as plain data."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecaster.keda.behavior import advanced_of, fallback_of
from forecaster.keda.changes import from_zero, not_kept, renamed_trigger
from forecaster.keda.existing import Existing
from forecaster.keda.formula import scaling_modifiers, with_variables
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import scaled_object_name
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.trap import Trap
from forecaster.keda.triggers import triggers_beside
from forecaster.settings.values import WorkloadSettings

__all__ = [
    "API_VERSION",
    "TRANSFER",
    "Made",
    "bounds_of",
    "make_scaled_object",
    "scaled_object",
    "trigger_authentication",
]

API_VERSION = "keda.sh/v1alpha1"
TRANSFER = "scaledobject.keda.sh/transfer-hpa-ownership"
_COOLDOWN_SECONDS = 300
_MOST_REPLICAS = 100  # KEDA's default, for what no settings and no object bounds


@dataclass(frozen=True)
class Made:
    """A ScaledObject, and what could not be made as it was asked for or as it was before."""

    data: dict[str, Any]
    traps: tuple[Trap, ...] = ()


def scaled_object(
    workload: WorkloadSettings, options: ScaledObjectOptions, found: Existing | None = None
) -> dict[str, Any]:
    """The ScaledObject of a workload: Preroll's trigger as a floor under the reactive ones.

    What is ``found`` keeps its name, target, bounds, triggers and behaviour; without it the target
    is a Deployment of the workload's name, and the bounds are the settings'.
    """
    return make_scaled_object(workload, options, found).data


def make_scaled_object(
    workload: WorkloadSettings | None, options: ScaledObjectOptions, found: Existing | None = None
) -> Made:
    """The same with its traps; without a workload of the settings, ``found`` alone is enough."""
    namespace, path, least, most = bounds_of(workload, found)
    target = (
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": path.partition("/")[2]}
        if found is None
        else dict(found.target)
    )
    is_scaled_object = found is not None and found.kind == "ScaledObject"
    name = found.name if found and is_scaled_object else scaled_object_name(target["name"])
    subject = f"ScaledObject {namespace}/{name}"
    traps: list[Trap] = []
    if least == 0:
        traps.append(from_zero(subject, found))
        least = 1
    triggers = triggers_beside(path, options, found)
    spec = copy.deepcopy(dict(found.spec)) if found and is_scaled_object else {}
    modifiers = _modifiers(spec, triggers, options, subject, traps)
    if modifiers is not None:
        triggers, renamed = with_variables(triggers)
        traps += [renamed_trigger(subject, old, new) for old, new in renamed.items()]
    spec.update(
        {
            "scaleTargetRef": {**mapping_at(spec, "scaleTargetRef"), **target},
            "minReplicaCount": least,
            "maxReplicaCount": max(most, least),
            "fallback": fallback_of(spec, options, least, formula=modifiers is not None),
            "advanced": advanced_of(spec, options, found, name, modifiers, max(most, least)),
            "triggers": triggers,
        }
    )
    spec.setdefault("pollingInterval", options.polling_seconds)
    spec.setdefault("cooldownPeriod", _COOLDOWN_SECONDS)
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    annotations = dict(found.annotations) if found and is_scaled_object else {}
    if found and found.kind == "HorizontalPodAutoscaler":
        annotations[TRANSFER] = "true"
    if found and found.labels:
        metadata["labels"] = dict(found.labels)
    if annotations:
        metadata["annotations"] = annotations
    data = {"apiVersion": API_VERSION, "kind": "ScaledObject", "metadata": metadata, "spec": spec}
    if found is not None:
        traps = [*found.lost, *traps, *not_kept(subject, spec, found)]
    return Made(data, tuple(traps))


def trigger_authentication(namespace: str, options: ScaledObjectOptions) -> dict[str, Any]:
    """Where KEDA finds the token that it sends for the workloads of a namespace."""
    return {
        "apiVersion": API_VERSION,
        "kind": "TriggerAuthentication",
        "metadata": {"name": options.authentication, "namespace": namespace},
        "spec": {
            "secretTargetRef": [{"parameter": "token", "name": options.secret, "key": "token"}]
        },
    }


def bounds_of(
    workload: WorkloadSettings | None, found: Existing | None
) -> tuple[str, str, int, int]:
    """Namespace, the workload in Preroll's address, minimum and maximum; what is found rules."""
    if workload is None and found is None:
        raise ValueError("neither settings nor an object say what is to be scaled")
    least = None if found is None else found.min_replicas
    most = None if found is None else found.max_replicas
    if workload is not None:
        least = workload.rule.min_replicas if least is None else least
        most = workload.rule.max_replicas if most is None else most
        namespace = workload.namespace if found is None else found.namespace
        return namespace, workload.workload, least, most
    assert found is not None  # noqa: S101  said above
    least, most = 1 if least is None else least, _MOST_REPLICAS if most is None else most
    return found.namespace, found.asked or found.workload, least, most


def _modifiers(
    spec: Mapping[str, Any],
    triggers: Sequence[Mapping[str, Any]],
    options: ScaledObjectOptions,
    subject: str,
    traps: list[Trap],
) -> dict[str, str] | None:
    """The formula where it is asked for, or where one stands already; it is KEDA's only metric."""
    old = mapping_at(spec, "advanced", "scalingModifiers")
    if not (options.formula or old):
        return None
    # A formula that stands there names its triggers as they are.
    named = list(triggers) if old else with_variables(triggers)[0]
    made, reasons = scaling_modifiers(named, old, subject, fallback=options.has_formula_fallback)
    traps += reasons
    return made
