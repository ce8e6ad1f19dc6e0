"""Kubernetes objects as an API server of 1.36 sends them, with their managed fields.

Names, stamps and numbers are made up; keys, order and size are a real cluster's.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

Object = dict[str, Any]

NAMESPACE, WORKLOAD = "streaming", "player-api"
CREATED = datetime(2026, 6, 11, 17, 58, tzinfo=UTC)
_APP = "app.kubernetes.io/"


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uid_of(*words: str) -> str:
    h = hashlib.md5("/".join(words).encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-9{h[17:20]}-{h[20:]}"


def hash_of(workload: str) -> str:
    return "bcdfghjklmnpqrstvwxz2456789"[: len(workload) % 3 + 5] + "7c"


def _about(kind: str, namespace: str | None, name: str, **more: Any) -> Object:
    place = {} if namespace is None else {"namespace": namespace}
    return {
        "name": name,
        **place,
        "uid": uid_of(kind, namespace or "", name),
        "resourceVersion": "1",
        "creationTimestamp": stamp(CREATED - timedelta(days=90)),
        **more,
    }


def _managed(manager: str, api: str, fields: Object, subresource: str = "") -> Object:
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api,
        "time": stamp(CREATED),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **({"subresource": subresource} if subresource else {}),
    }


def _labels(workload: str) -> Object:
    return {
        f"{_APP}name": workload,
        f"{_APP}instance": f"{workload}-production",
        f"{_APP}part-of": "streaming-platform",
        f"{_APP}version": "2026.06.11-3",
    }


def _container(name: str, cpu: str, memory: str) -> Object:
    return {
        "name": name,
        "image": f"registry.example.com/streaming/{name}:2026.06.11-3",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [
            {"name": "ENVIRONMENT", "value": "production"},
            {"name": "LOG_LEVEL", "value": "info"},
            {
                "name": "POD_IP",
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
            },
            {
                "name": "DATABASE_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": f"{name}-database", "key": "password"}},
            },
        ],
        "resources": {"limits": {"memory": memory}, "requests": {"cpu": cpu, "memory": memory}},
        "volumeMounts": [
            {"name": "config", "readOnly": True, "mountPath": "/etc/app"},
        ],
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
            "initialDelaySeconds": 10,
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"},
            "timeoutSeconds": 1,
            "periodSeconds": 5,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
        },
    }


def _managed_pod_spec(name: str) -> Object:
    empty: Object = {}
    probe = {
        ".": empty,
        "f:failureThreshold": empty,
        "f:httpGet": {".": empty, "f:path": empty, "f:port": empty, "f:scheme": empty},
        "f:periodSeconds": empty,
        "f:successThreshold": empty,
        "f:timeoutSeconds": empty,
    }
    names = ("ENVIRONMENT", "LOG_LEVEL", "POD_IP", "DATABASE_PASSWORD")
    return {
        "f:containers": {
            f'k:{{"name":"{name}"}}': {
                ".": empty,
                "f:env": {
                    ".": empty,
                    **{
                        f'k:{{"name":"{one}"}}': {".": empty, "f:name": empty, "f:value": empty}
                        for one in names
                    },
                },
                "f:image": empty,
                "f:imagePullPolicy": empty,
                "f:livenessProbe": {**probe, "f:initialDelaySeconds": empty},
                "f:name": empty,
                "f:ports": {
                    ".": empty,
                    'k:{"containerPort":8080,"protocol":"TCP"}': {
                        ".": empty,
                        "f:containerPort": empty,
                        "f:name": empty,
                        "f:protocol": empty,
                    },
                },
                "f:readinessProbe": probe,
                "f:resources": {
                    ".": empty,
                    "f:limits": {".": empty, "f:memory": empty},
                    "f:requests": {".": empty, "f:cpu": empty, "f:memory": empty},
                },
                "f:securityContext": {
                    ".": empty,
                    "f:allowPrivilegeEscalation": empty,
                    "f:capabilities": {".": empty, "f:drop": empty},
                    "f:readOnlyRootFilesystem": empty,
                },
                "f:terminationMessagePath": empty,
                "f:terminationMessagePolicy": empty,
            }
        },
        "f:dnsPolicy": empty,
        "f:enableServiceLinks": empty,
        "f:restartPolicy": empty,
        "f:schedulerName": empty,
        "f:securityContext": empty,
        "f:terminationGracePeriodSeconds": empty,
    }


def pod(
    name: str = f"{WORKLOAD}-x7b2k",
    *,
    namespace: str = NAMESPACE,
    workload: str = WORKLOAD,
    owner: tuple[str, str] | None = None,
    created: datetime = CREATED,
    ready_after: float | None = 42.0,
    unschedulable: str | None = None,
    phase: str | None = None,
    number: int = 0,
) -> Object:
    """A Deployment's pod; ``owner`` is another kind and name of what controls it."""
    digest = hash_of(workload)
    kind, above = owner or ("ReplicaSet", f"{workload}-{digest}")
    scheduled = unschedulable is None
    ready = ready_after is not None and scheduled

    def condition(kind: str, holds: bool, seconds: float, **more: str) -> Object:
        return {
            "type": kind,
            "observedGeneration": 1,
            "status": "True" if holds else "False",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(created + timedelta(seconds=seconds)),
            **more,
        }

    if not scheduled:
        conditions = [
            condition("PodScheduled", False, 0, reason="Unschedulable", message=str(unschedulable))
        ]
    else:
        waiting = {} if ready else {"reason": "ContainersNotReady", "message": "not ready"}
        until = ready_after or 3.0
        conditions = [
            condition("PodReadyToStartContainers", True, 4),
            condition("Initialized", True, 2),
            condition("Ready", ready, until, **waiting),
            condition("ContainersReady", ready, until, **waiting),
            condition("PodScheduled", True, 1),
        ]
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    empty: Object = {}
    about = _about(
        "Pod",
        namespace,
        name,
        generateName=f"{above}-",
        creationTimestamp=stamp(created),
        labels={**_labels(workload), "pod-template-hash": digest},
        annotations={
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "8080",
            "checksum/config": hashlib.sha256(workload.encode()).hexdigest(),
        },
        ownerReferences=[
            {
                "apiVersion": "apps/v1",
                "kind": kind,
                "name": above,
                "uid": uid_of(kind, namespace, above),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
        managedFields=[
            _managed(
                "kube-controller-manager",
                "v1",
                {
                    "f:metadata": {
                        "f:annotations": {
                            ".": empty,
                            "f:checksum/config": empty,
                            "f:prometheus.io/port": empty,
                            "f:prometheus.io/scrape": empty,
                        },
                        "f:generateName": empty,
                        "f:labels": {".": empty, **{f"f:{key}": empty for key in _labels("")}},
                        "f:ownerReferences": {
                            ".": empty,
                            f'k:{{"uid":"{uid_of(kind, namespace, above)}"}}': empty,
                        },
                    },
                    "f:spec": _managed_pod_spec(workload),
                },
            ),
            _managed(
                "kubelet",
                "v1",
                {
                    "f:status": {
                        "f:conditions": {
                            f'k:{{"type":"{one["type"]}"}}': {
                                ".": empty,
                                "f:lastProbeTime": empty,
                                "f:lastTransitionTime": empty,
                                "f:observedGeneration": empty,
                                "f:status": empty,
                                "f:type": empty,
                            }
                            for one in conditions
                        },
                        "f:containerStatuses": empty,
                        "f:hostIP": empty,
                        "f:hostIPs": empty,
                        "f:phase": empty,
                        "f:podIP": empty,
                        "f:podIPs": {".": empty, f'k:{{"ip":"{address}"}}': {".": empty}},
                        "f:startTime": empty,
                    }
                },
                "status",
            ),
        ],
    )
    spec = {
        "volumes": [
            {"name": "config", "configMap": {"name": f"{workload}-config", "defaultMode": 420}},
            {
                "name": "kube-api-access-7xk2p",
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {
                            "configMap": {
                                "name": "kube-root-ca.crt",
                                "items": [{"key": "ca.crt", "path": "ca.crt"}],
                            }
                        },
                    ],
                    "defaultMode": 420,
                },
            },
        ],
        "containers": [_container(workload, "500m", "512Mi")],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": workload,
        "serviceAccount": workload,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{key}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for key in ("not-ready", "unreachable")
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    status: Object = {
        "observedGeneration": 1,
        "phase": phase or ("Running" if scheduled else "Pending"),
        "conditions": conditions,
        "qosClass": "Burstable",
    }
    if scheduled:
        spec["nodeName"] = f"node-{number % 400}.example.internal"
        status |= {
            "hostIP": "192.168.3.17",
            "hostIPs": [{"ip": "192.168.3.17"}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": stamp(created + timedelta(seconds=1)),
            "containerStatuses": [
                {
                    "name": workload,
                    "state": {"running": {"startedAt": stamp(created + timedelta(seconds=9))}},
                    "lastState": {},
                    "ready": ready,
                    "restartCount": 0,
                    "image": f"registry.example.com/streaming/{workload}:2026.06.11-3",
                    "imageID": "registry.example.com/streaming/app@sha256:" + "ab" * 32,
                    "containerID": "containerd://" + "cd" * 32,
                    "started": True,
                    "allocatedResources": {"cpu": "500m", "memory": "512Mi"},
                    "resources": {
                        "limits": {"memory": "512Mi"},
                        "requests": {"cpu": "500m", "memory": "512Mi"},
                    },
                }
            ],
        }
    return {"kind": "Pod", "apiVersion": "v1", "metadata": about, "spec": spec, "status": status}


def scaled(
    name: str = WORKLOAD,
    *,
    namespace: str = NAMESPACE,
    kind: str = "Deployment",
    replicas: int = 10,
    ready: int | None = None,
    failure: str | None = None,
    containers: list[Object] | None = None,
) -> Object:
    labels = _labels(name)
    empty: Object = {}
    conditions = [
        {
            "type": "Available",
            "status": "True",
            "lastUpdateTime": stamp(CREATED),
            "lastTransitionTime": stamp(CREATED),
            "reason": "MinimumReplicasAvailable",
            "message": "Deployment has minimum availability.",
        }
    ]
    if failure is not None:
        conditions.append(
            {
                "type": "ReplicaFailure",
                "status": "True",
                "lastUpdateTime": stamp(CREATED),
                "lastTransitionTime": stamp(CREATED),
                "reason": "FailedCreate",
                "message": failure,
            }
        )
    return {
        "kind": kind,
        "apiVersion": "apps/v1",
        "metadata": _about(
            kind,
            namespace,
            name,
            generation=17,
            labels=labels,
            annotations={"deployment.kubernetes.io/revision": "12"},
            managedFields=[
                _managed(
                    "helm",
                    "apps/v1",
                    {
                        "f:metadata": {"f:labels": {f"f:{key}": empty for key in labels}},
                        "f:spec": {"f:template": {"f:spec": _managed_pod_spec(name)}},
                    },
                )
            ],
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {f"{_APP}name": name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [_container(name, "500m", "512Mi")]
                    if containers is None
                    else containers,
                    "restartPolicy": "Always",
                    "terminationGracePeriodSeconds": 30,
                    "dnsPolicy": "ClusterFirst",
                    "schedulerName": "default-scheduler",
                },
            },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
            },
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
        "status": {
            "observedGeneration": 17,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": replicas if ready is None else ready,
            "availableReplicas": replicas if ready is None else ready,
            "conditions": conditions,
        },
    }


def autoscaler(
    workload: str = WORKLOAD,
    *,
    namespace: str = NAMESPACE,
    name: str | None = None,
    bounds: tuple[int, int] = (2, 100),
    current: int = 10,
    desired: int = 10,
    conditions: list[Object] | None = None,
    tolerance: str | None = "0",
) -> Object:
    """The HPA that KEDA makes for a ScaledObject."""
    metric = {
        "metric": {
            "name": "s0-metric-api-replicas",
            "selector": {"matchLabels": {"scaledobject.keda.sh/name": workload}},
        }
    }
    scale_up: Object = {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 1000, "periodSeconds": 15}],
    }
    if tolerance is not None:
        scale_up["tolerance"] = tolerance
    fine = [
        ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
        ("ScalingActive", "True", "ValidMetricFound", "the HPA was able to calculate a count"),
        ("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within range"),
    ]
    told = [
        {
            "type": kind,
            "status": status,
            "lastTransitionTime": stamp(CREATED),
            "reason": reason,
            "message": message,
        }
        for kind, status, reason, message in fine
    ]
    owner = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "name": workload,
        "uid": uid_of("ScaledObject", namespace, workload),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    keys = ("f:labels", "f:ownerReferences", "f:behavior", "f:maxReplicas", "f:metrics")
    return {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": _about(
            "HorizontalPodAutoscaler",
            namespace,
            name or f"keda-hpa-{workload}",
            labels={
                f"{_APP}managed-by": "keda-operator",
                f"{_APP}name": f"keda-hpa-{workload}",
                f"{_APP}part-of": workload,
                f"{_APP}version": "2.20.1",
                "scaledobject.keda.sh/name": workload,
            },
            ownerReferences=[owner],
            managedFields=[
                _managed("keda", "autoscaling/v2", {key: {"f:x": {}} for key in keys}),
                _managed(
                    "kube-controller-manager",
                    "autoscaling/v2",
                    {"f:status": {"f:conditions": {}, "f:currentMetrics": {}}},
                    "status",
                ),
            ],
        ),
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": workload, "apiVersion": "apps/v1"},
            "minReplicas": bounds[0],
            "maxReplicas": bounds[1],
            "metrics": [
                {
                    "type": "External",
                    "external": {**metric, "target": {"type": "AverageValue", "averageValue": "1"}},
                }
            ],
            "behavior": {
                "scaleUp": scale_up,
                "scaleDown": {
                    "stabilizationWindowSeconds": 300,
                    "selectPolicy": "Max",
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
                },
            },
        },
        "status": {
            "lastScaleTime": stamp(CREATED),
            "currentReplicas": current,
            "desiredReplicas": desired,
            "currentMetrics": [
                {"type": "External", "external": {**metric, "current": {"averageValue": "1"}}}
            ],
            "conditions": told if conditions is None else conditions,
        },
    }


def scaled_object(
    name: str = WORKLOAD,
    *,
    namespace: str = NAMESPACE,
    target: str | None = None,
    annotations: Object | None = None,
    labels: Object | None = None,
    bounds: tuple[int, int] | None = (2, 100),
) -> Object:
    limits = {} if bounds is None else {"minReplicaCount": bounds[0], "maxReplicaCount": bounds[1]}
    target = target or name
    told = annotations or {}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": _about(
            "ScaledObject",
            namespace,
            name,
            annotations={"meta.helm.sh/release-name": name, **told},
            finalizers=["finalizer.keda.sh"],
            generation=3,
            labels={**_labels(name), "scaledobject.keda.sh/name": name, **(labels or {})},
            managedFields=[
                _managed(
                    "helm",
                    "keda.sh/v1alpha1",
                    {
                        "f:metadata": {
                            "f:annotations": {f"f:{key}": {} for key in told},
                            "f:labels": {f"f:{key}": {} for key in _labels("")},
                        },
                        "f:spec": {
                            ".": {},
                            "f:advanced": {"f:horizontalPodAutoscalerConfig": {}},
                            "f:fallback": {"f:failureThreshold": {}, "f:replicas": {}},
                            "f:maxReplicaCount": {},
                            "f:minReplicaCount": {},
                            "f:scaleTargetRef": {"f:name": {}},
                            "f:triggers": {},
                        },
                    },
                ),
                _managed(
                    "keda",
                    "keda.sh/v1alpha1",
                    {
                        "f:status": {
                            "f:conditions": {},
                            "f:externalMetricNames": {},
                            "f:health": {},
                            "f:hpaName": {},
                            "f:lastActiveTime": {},
                            "f:originalReplicaCount": {},
                            "f:scaleTargetGVKR": {},
                            "f:scaleTargetKind": {},
                        }
                    },
                    "status",
                ),
            ],
        ),
        "spec": {
            "advanced": {
                "horizontalPodAutoscalerConfig": {
                    "behavior": {
                        "scaleUp": {
                            "policies": [{"periodSeconds": 15, "type": "Pods", "value": 1000}],
                            "tolerance": "0",
                        }
                    }
                }
            },
            "fallback": {
                "behavior": "currentReplicasIfHigher",
                "failureThreshold": 3,
                "replicas": 10,
            },
            **limits,
            "scaleTargetRef": {"name": target},
            "triggers": [
                {
                    "authenticationRef": {"name": "preroll"},
                    "metadata": {
                        "authMode": "bearer",
                        "targetValue": "1",
                        "url": f"http://preroll.preroll.svc:8080/v1/targets/{namespace}/{target}",
                        "valueLocation": "replicas",
                    },
                    "metricType": "AverageValue",
                    "name": "preroll",
                    "type": "metrics-api",
                }
            ],
        },
        "status": {
            "conditions": [
                {
                    "message": "ScaledObject is defined correctly and is ready for scaling",
                    "reason": "ScaledObjectReady",
                    "status": "True",
                    "type": "Ready",
                },
                {"message": "", "reason": "ScalerActive", "status": "True", "type": "Active"},
                {"status": "False", "type": "Fallback"},
                {"status": "Unknown", "type": "Paused"},
            ],
            "externalMetricNames": ["s0-metric-api-replicas"],
            "hpaName": f"keda-hpa-{name}",
            "lastActiveTime": stamp(CREATED),
            "originalReplicaCount": 2,
            "scaleTargetGVKR": {
                "group": "apps",
                "kind": "Deployment",
                "resource": "deployments",
                "version": "v1",
            },
            "scaleTargetKind": "apps/v1.Deployment",
        },
    }


def quota(name: str = "compute", *, namespace: str = NAMESPACE) -> Object:
    hard = {
        "pods": "200",
        "requests.cpu": "100",
        "requests.memory": "200Gi",
        "count/jobs.batch": "5",
    }
    used = {"pods": "31", "requests.cpu": "15500m", "requests.memory": "15872Mi"}
    return {
        "kind": "ResourceQuota",
        "apiVersion": "v1",
        "metadata": _about("ResourceQuota", namespace, name),
        "spec": {"hard": hard},
        "status": {"hard": hard, "used": used | {"count/jobs.batch": "0"}},
    }


def node(name: str = "node-1.example.internal", *, taints: list[Object] | None = None) -> Object:
    room = {"cpu": "15890m", "ephemeral-storage": "95551679124", "memory": "63414284Ki"}
    closed = {} if taints is None else {"taints": taints}
    kinds = ("MemoryPressure", "DiskPressure", "PIDPressure")
    conditions = [(kind, "False") for kind in kinds] + [("Ready", "True")]
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": _about("Node", None, name, creationTimestamp=stamp(CREATED)),
        "spec": {"podCIDR": "10.0.1.0/24", "providerID": "example:///zone-a/i-1", **closed},
        "status": {
            "capacity": {**room, "cpu": "16", "pods": "110"},
            "allocatable": {**room, "pods": "110"},
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "lastHeartbeatTime": stamp(CREATED + timedelta(minutes=5)),
                    "lastTransitionTime": stamp(CREATED + timedelta(seconds=55)),
                    "reason": f"Kubelet{kind}",
                    "message": "kubelet says so",
                }
                for kind, status in conditions
            ],
        },
    }
