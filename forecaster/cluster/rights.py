"""The rights that reading a cluster needs, and nothing beyond them: RBAC as data.

The Helm chart grants what stands here, and a refusal (403) names the rule of it that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.cluster.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    NODES,
    PODS,
    QUOTAS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
    Resource,
)

__all__ = ["NEEDED_RULES", "NeededRule", "rule_text"]


@dataclass(frozen=True)
class NeededRule:
    """One rule of a Role or a ClusterRole.

    ``feature`` is the key of the settings' ``kubernetes`` section that needs it. ``cluster_wide``
    where a Role of a namespace cannot grant it, for the kind belongs to no namespace.
    """

    feature: str
    api_group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    cluster_wide: bool = False


_READ = ("get", "list", "watch")


def _reading(why: str, *kinds: Resource, feature: str = "watch") -> NeededRule:
    wide = not kinds[0].namespaced
    return NeededRule(
        feature, kinds[0].group, tuple(one.plural for one in kinds), _READ, why, cluster_wide=wide
    )


NEEDED_RULES: tuple[NeededRule, ...] = (
    _reading("workloads that teams declare, and their bounds", SCALED_OBJECTS),
    _reading("current and desired replicas, and why they differ", AUTOSCALERS),
    _reading("replicas, and what one pod asks for", DEPLOYMENTS, STATEFUL_SETS),
    _reading("lead time from pods' conditions; whether the plan fits", PODS, QUOTAS),
    _reading("nodes' room and when they joined", NODES, feature="nodes"),
    NeededRule(
        "events", "events.k8s.io", ("events",), ("create",), "problems, told on the object itself"
    ),
)
"""What each feature needs; nothing is written but Events."""


def rule_text(resource: Resource, verbs: tuple[str, ...] = _READ) -> str:
    """The rule that lets a kind be read, as it stands in a Role."""
    named = ", ".join(verbs)
    return f'{{apiGroups: ["{resource.group}"], resources: [{resource.plural}], verbs: [{named}]}}'
