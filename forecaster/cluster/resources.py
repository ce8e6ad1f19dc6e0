"""The kinds of objects that are read, and where the API server has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "AUTOSCALERS",
    "DEPLOYMENTS",
    "NODES",
    "PODS",
    "QUOTAS",
    "SCALED_OBJECTS",
    "STATEFUL_SETS",
    "Resource",
    "resources_to_read",
]


@dataclass(frozen=True)
class Resource:
    """A kind of object; ``group`` is empty for the core API."""

    kind: str
    plural: str
    group: str
    version: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects state it: apps/v1, or v1."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        """As kubectl knows it: deployments.apps, or pods."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The address of all objects, of a namespace's, or of one."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{namespace}" if self.namespaced and namespace is not None else ""
        return f"{root}{place}/{self.plural}" + ("" if name is None else f"/{name}")


SCALED_OBJECTS = Resource("ScaledObject", "scaledobjects", "keda.sh", "v1alpha1")
AUTOSCALERS = Resource("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2")
DEPLOYMENTS = Resource("Deployment", "deployments", "apps", "v1")
STATEFUL_SETS = Resource("StatefulSet", "statefulsets", "apps", "v1")
PODS = Resource("Pod", "pods", "", "v1")
QUOTAS = Resource("ResourceQuota", "resourcequotas", "", "v1")
NODES = Resource("Node", "nodes", "", "v1", namespaced=False)

BY_KIND: Mapping[str, Resource] = {
    one.kind: one
    for one in (
        SCALED_OBJECTS,
        AUTOSCALERS,
        DEPLOYMENTS,
        STATEFUL_SETS,
        PODS,
        QUOTAS,
        NODES,
    )
}
"""Every kind that is read, by its name."""


def resources_to_read(*, nodes: bool) -> tuple[Resource, ...]:
    """All kinds; nodes, which belong to no namespace, only where they are wanted."""
    return tuple(one for one in BY_KIND.values() if nodes or one is not NODES)
