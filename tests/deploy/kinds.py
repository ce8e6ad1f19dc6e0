"""The fields of objects that Kubernetes has no schema for, and what a pod may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.deploy.documents import Document
from tests.deploy.keda_fields import NAME, Shape, faults, text

_META: Shape = {"name!": NAME, "namespace!": NAME, "labels!": dict, "annotations": dict}
TRIGGER_AUTHENTICATION: Shape = {
    "apiVersion!": text("keda.sh/v1alpha1"),
    "kind!": text("TriggerAuthentication"),
    "metadata!": _META,
    "spec!": {
        "secretTargetRef!": [{"parameter!": text("token"), "name!": NAME, "key!": NAME}],
    },
}
_RELABELING: Shape = {
    "sourceLabels": list,
    "separator": NAME,
    "targetLabel": NAME,
    "regex": NAME,
    "replacement": NAME,
    "action": text("replace", "keep", "drop", "labelmap", "labeldrop", "labelkeep"),
}
SERVICE_MONITOR: Shape = {
    "apiVersion!": text("monitoring.coreos.com/v1"),
    "kind!": text("ServiceMonitor"),
    "metadata!": _META,
    "spec!": {
        "namespaceSelector!": {"matchNames!": list},
        "selector!": {"matchLabels!": dict},
        "endpoints!": [
            {
                "port!": text("http"),
                "path!": text("/metrics"),
                "honorLabels!": lambda value: value is True,
                "interval": NAME,
                "scrapeTimeout": NAME,
                "relabelings": [_RELABELING],
                "metricRelabelings": [_RELABELING],
            }
        ],
    },
}
CUSTOM = {"TriggerAuthentication": TRIGGER_AUTHENTICATION, "ServiceMonitor": SERVICE_MONITOR}


def custom_faults(document: Document) -> list[str]:
    """What is wrong with an object of KEDA's or of the Prometheus operator's."""
    return list(faults(CUSTOM[document["kind"]], document))


_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip


def restricted_faults(spec: dict[str, Any]) -> Iterator[str]:
    """What the pod security standard "restricted" refuses in a pod's specification."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield key
    for volume in spec["volumes"]:
        if not set(volume) - {"name"} <= _VOLUMES:
            yield f"volume {volume['name']}"
    context = spec["securityContext"]
    if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
        yield "runAsNonRoot"
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield "allowPrivilegeEscalation"
        if own.get("capabilities", {}).get("drop") != ["ALL"]:
            yield "capabilities.drop"
        if not set(own.get("capabilities", {}).get("add", [])) <= {"NET_BIND_SERVICE"}:
            yield "capabilities.add"
        if own.get("privileged"):
            yield "privileged"
        if own.get("runAsNonRoot") is False or own.get("runAsUser") == 0:
            yield "runAsNonRoot"
