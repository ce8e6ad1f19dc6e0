"""The kinds that a stand-in API server keeps."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    plural: str
    name: str
    api_version: str
    namespaced: bool = True
    short: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """Empty for the core API."""
        return self.api_version.rpartition("/")[0]


_CRDS = "customresourcedefinitions"

KINDS = {
    one.plural: one
    for one in (
        Kind("scaledobjects", "ScaledObject", "keda.sh/v1alpha1", short=("so",)),
        Kind("triggerauthentications", "TriggerAuthentication", "keda.sh/v1alpha1"),
        Kind(
            "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2", short=("hpa",)
        ),
        Kind("deployments", "Deployment", "apps/v1", short=("deploy",)),
        Kind("statefulsets", "StatefulSet", "apps/v1", short=("sts",)),
        Kind("pods", "Pod", "v1", short=("po",)),
        Kind("resourcequotas", "ResourceQuota", "v1", short=("quota",)),
        Kind("nodes", "Node", "v1", False, ("no",)),
        Kind("events", "Event", "events.k8s.io/v1", short=("ev",)),
        Kind("namespaces", "Namespace", "v1", False, ("ns",)),
        Kind("configmaps", "ConfigMap", "v1", short=("cm",)),
        Kind("secrets", "Secret", "v1"),
        Kind("services", "Service", "v1", short=("svc",)),
        Kind("serviceaccounts", "ServiceAccount", "v1", short=("sa",)),
        Kind("persistentvolumeclaims", "PersistentVolumeClaim", "v1", short=("pvc",)),
        Kind("networkpolicies", "NetworkPolicy", "networking.k8s.io/v1", short=("netpol",)),
        Kind("poddisruptionbudgets", "PodDisruptionBudget", "policy/v1", short=("pdb",)),
        Kind("roles", "Role", "rbac.authorization.k8s.io/v1"),
        Kind("rolebindings", "RoleBinding", "rbac.authorization.k8s.io/v1"),
        Kind("clusterroles", "ClusterRole", "rbac.authorization.k8s.io/v1", False),
        Kind("clusterrolebindings", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1", False),
        Kind("servicemonitors", "ServiceMonitor", "monitoring.coreos.com/v1"),
        Kind("prescalingevents", "PrescalingEvent", "prescaling.bedrock.tech/v1"),
        Kind("apiservices", "APIService", "apiregistration.k8s.io/v1", False),
        Kind(_CRDS, "CustomResourceDefinition", "apiextensions.k8s.io/v1", False, ("crd",)),
    )
}
