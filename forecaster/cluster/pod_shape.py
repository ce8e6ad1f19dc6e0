"""What one pod of a workload takes and where it may be: the same for all its pods."""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.cluster.placing import ANYWHERE, Placement

__all__ = ["NOTHING_ASKED", "PodShape"]


@dataclass(frozen=True, slots=True)
class PodShape:
    """A pod as quotas and the scheduler see it, in cores and bytes.

    Requests and limits are those of the whole pod: containers and sidecars, or an init container
    that takes more, and the overhead; 0 where none is made. ``unset`` are the quota's keys, such as
    limits.cpu, for which at least one container says nothing. ``best_effort``, ``terminating``,
    ``priority_class`` (empty: none) and ``cross_namespace`` (a pod affinity that looks into other
    namespaces) are what the scopes of a quota go by.
    """

    cpu: float = 0.0
    memory: float = 0.0
    limit_cpu: float = 0.0
    limit_memory: float = 0.0
    unset: tuple[str, ...] = ()
    best_effort: bool = False
    terminating: bool = False
    priority_class: str = ""
    cross_namespace: bool = False
    placement: Placement = ANYWHERE


NOTHING_ASKED = PodShape()
"""A pod that asks for nothing and may be anywhere."""
