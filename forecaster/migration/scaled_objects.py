"""KEDA's objects for the workloads that move: each takes its HPA over, as it is, in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from forecaster.keda import (
    Existing,
    Made,
    ScaledObjectOptions,
    make_scaled_object,
    trigger_authentication,
)
from forecaster.migration.workload import MigratedWorkload

__all__ = ["authentications", "existing_hpa", "moved_object"]


def existing_hpa(one: MigratedWorkload) -> Existing:
    """The HPA, with the triggers that its metrics became."""
    old = one.old
    return Existing(
        kind="HorizontalPodAutoscaler",
        namespace=old.namespace,
        name=old.name,
        target={"apiVersion": old.target_api, "kind": old.target_kind, "name": old.target_name},
        source=old.manifest.place,
        min_replicas=old.min_replicas,
        max_replicas=old.max_replicas,
        triggers=one.triggers,
        behavior=old.behavior or None,
        labels={key: value for key, value in old.manifest.labels.items() if "/" not in key},
        data=old.manifest.data,
    )


def moved_object(one: MigratedWorkload, options: ScaledObjectOptions) -> Made:
    """The ScaledObject, in the HPA's bounds; its behavior on the way down stays.

    It carries KEDA's annotation for the transfer, and the HPA's name: so the HPA is never gone. A
    cpu trigger is added only where there is no other, and the pods request CPU.
    """
    if one.old.requests_cpu is None:
        options = replace(options, cpu_utilisation=0)
    return make_scaled_object(None, options, existing_hpa(one))


def authentications(
    workloads: Sequence[MigratedWorkload], options: ScaledObjectOptions
) -> list[Mapping[str, Any]]:
    """One TriggerAuthentication for each namespace."""
    namespaces = sorted({one.old.namespace for one in workloads})
    return [trigger_authentication(namespace, options) for namespace in namespaces]
