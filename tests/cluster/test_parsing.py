from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from forecaster.cluster.parsing import seen_of
from forecaster.cluster.placing import Requirement
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    NODES,
    QUOTAS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
)
from forecaster.cluster.seen import (
    AutoscalerSeen,
    NodeSeen,
    QuotaSeen,
    Scaled,
    ScaledObjectSeen,
    TargetRef,
)
from tests.cluster.objects import CREATED, autoscaler, node, quota, scaled, scaled_object

BEGAN = CREATED.timestamp()


def versioned(item: dict[str, Any]) -> dict[str, Any]:
    item["metadata"]["resourceVersion"] = "7"
    return item


def test_a_scaled_object_keeps_our_annotations_alone() -> None:
    item = versioned(scaled_object(annotations={"preroll.io/capacity": "120", "x": "y"}))
    assert seen_of(SCALED_OBJECTS, item) == ScaledObjectSeen(
        namespace="streaming",
        name="player-api",
        uid=item["metadata"]["uid"],
        resource_version="7",
        target=TargetRef("Deployment", "player-api"),
        min_replicas=2,
        max_replicas=100,
        annotations={"preroll.io/capacity": "120"},
        labels=item["metadata"]["labels"],
        autoscaler="keda-hpa-player-api",
    )


def test_a_scaled_object_has_kedas_defaults_and_may_scale_another_kind() -> None:
    item = versioned(scaled_object(bounds=None))
    item["spec"]["scaleTargetRef"] = {"kind": "StatefulSet", "name": "sessions"}
    seen = seen_of(SCALED_OBJECTS, item)
    assert isinstance(seen, ScaledObjectSeen)
    assert (seen.min_replicas, seen.max_replicas) == (0, 100)
    assert seen.target == TargetRef("StatefulSet", "sessions")


def test_what_kedas_status_says_is_no_difference() -> None:
    before, after = versioned(scaled_object()), versioned(scaled_object())
    after["metadata"]["resourceVersion"] = "8"
    after["status"]["lastActiveTime"] = "2026-06-11T19:00:00Z"
    assert seen_of(SCALED_OBJECTS, before) == seen_of(SCALED_OBJECTS, after)


@pytest.mark.parametrize(
    ("annotations", "paused"),
    [
        ({}, False),
        ({"autoscaling.keda.sh/paused": "true"}, True),
        ({"autoscaling.keda.sh/paused": "false"}, False),
        ({"autoscaling.keda.sh/paused": "yes"}, True),
        ({"autoscaling.keda.sh/paused-replicas": "3"}, True),
    ],
)
def test_a_paused_scaled_object_is_told(annotations: dict[str, str], paused: bool) -> None:
    seen = seen_of(SCALED_OBJECTS, versioned(scaled_object(annotations=annotations)))
    assert isinstance(seen, ScaledObjectSeen)
    assert seen.paused is paused


def test_an_autoscaler_tells_its_bounds_and_what_it_decided() -> None:
    assert seen_of(AUTOSCALERS, autoscaler(bounds=(2, 50), replicas=(10, 14))) == AutoscalerSeen(
        namespace="streaming",
        name="keda-hpa-player-api",
        target=TargetRef("Deployment", "player-api"),
        min_replicas=2,
        max_replicas=50,
        current=10,
        desired=14,
        tolerance_up=0.0,
    )


@pytest.mark.parametrize(
    ("conditions", "limited", "stuck"),
    [
        (
            {"ScalingLimited": ("True", "TooManyReplicas", "more than the maximum")},
            "TooManyReplicas: more than the maximum",
            None,
        ),
        (
            {"ScalingActive": ("False", "FailedGetExternalMetric", "no metrics")},
            None,
            "FailedGetExternalMetric: no metrics",
        ),
        (
            {"AbleToScale": ("False", "FailedGetScale", "not found")},
            None,
            "FailedGetScale: not found",
        ),
        ({"ScalingActive": ("False", "ScalingDisabled", "0 replicas")}, None, None),
    ],
    ids=["limited", "no metrics", "no target", "at 0 replicas"],
)
def test_an_autoscaler_tells_what_stands_in_its_way(
    conditions: dict[str, tuple[str, str, str]], limited: str | None, stuck: str | None
) -> None:
    seen = seen_of(AUTOSCALERS, autoscaler(conditions=conditions))
    assert isinstance(seen, AutoscalerSeen)
    assert (seen.limited, seen.stuck) == (limited, stuck)


def test_a_deployment_tells_what_one_of_its_pods_asks_for() -> None:
    item = scaled(replicas=12, ready=9, failure='exceeded quota: compute, requested: "cpu"')
    pod_spec = item["spec"]["template"]["spec"]
    container = pod_spec["containers"][0]
    pod_spec["containers"].append({"name": "no-requests"})
    pod_spec["containers"].append({**container, "resources": {"limits": {"cpu": "250m"}}})
    pod_spec["initContainers"] = [
        {**container, "name": "migrate"},
        {**container, "name": "proxy", "restartPolicy": "Always"},
    ]
    assert seen_of(DEPLOYMENTS, item) == Scaled(
        namespace="streaming",
        ref=TargetRef("Deployment", "player-api"),
        replicas=12,
        ready=9,
        pod=PodShape(
            cpu=0.5 + 0.25 + 0.5,
            memory=2 * 512.0 * 1024**2,
            limit_cpu=0.25,
            limit_memory=2 * 512.0 * 1024**2,
            unset=("requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
        ),
        refused='FailedCreate: exceeded quota: compute, requested: "cpu"',
    )


def test_a_stateful_set_that_says_nothing_of_its_replicas_has_one() -> None:
    item = scaled("sessions", kind="StatefulSet")
    del item["spec"]["replicas"], item["status"]["readyReplicas"]
    seen = seen_of(STATEFUL_SETS, item)
    assert isinstance(seen, Scaled)
    assert (seen.ref, seen.replicas, seen.ready) == (TargetRef("StatefulSet", "sessions"), 1, 0)


def test_a_quota_is_told_in_cores_bytes_and_pieces() -> None:
    seen = seen_of(QUOTAS, quota())
    assert isinstance(seen, QuotaSeen)
    assert seen.hard["requests.memory"] == 200.0 * 1024**3
    assert (seen.hard["requests.cpu"], seen.used["requests.cpu"]) == (100.0, 15.5)
    assert (seen.hard["pods"], seen.used["pods"]) == (200.0, 31.0)
    assert seen.scopes == ()


def test_both_ways_to_state_the_scopes_of_a_quota_are_read() -> None:
    item = quota()
    item["spec"]["scopes"] = ["NotBestEffort", "NotTerminating"]
    item["spec"]["scopeSelector"] = {
        "matchExpressions": [
            {"scopeName": "PriorityClass", "operator": "In", "values": ["live", "vod"]}
        ]
    }
    seen = seen_of(QUOTAS, item)
    assert isinstance(seen, QuotaSeen)
    assert seen.scopes == (
        Requirement("NotBestEffort", "Exists"),
        Requirement("NotTerminating", "Exists"),
        Requirement("PriorityClass", "In", ("live", "vod")),
    )


def test_a_node_tells_its_room_and_when_it_came() -> None:
    assert seen_of(NODES, node()) == NodeSeen(
        name="node-1.example.internal",
        created=BEGAN,
        ready=BEGAN + timedelta(seconds=55).total_seconds(),
        cpu=15.89,
        memory=63414284.0 * 1024,
        pods=110,
    )


def tainted(key: str, effect: str) -> dict[str, Any]:
    return {"taints": [{"key": key, "effect": effect}]}


@pytest.mark.parametrize(
    ("spec", "schedulable", "taints"),
    [
        ({"unschedulable": True}, False, []),
        (tainted("node.kubernetes.io/not-ready", "NoExecute"), False, []),
        (tainted("node.kubernetes.io/flaky", "PreferNoSchedule"), True, []),
        (tainted("team", "NoSchedule"), True, ["team:NoSchedule"]),
        (
            tainted("node-role.kubernetes.io/control-plane", "NoSchedule"),
            True,
            ["node-role.kubernetes.io/control-plane:NoSchedule"],
        ),
    ],
    ids=["cordoned", "not ready", "better not", "a pool of a team", "control plane"],
)
def test_what_keeps_pods_off_a_node_is_told(
    spec: dict[str, Any], schedulable: bool, taints: list[str]
) -> None:
    seen = seen_of(NODES, node(**spec))
    assert isinstance(seen, NodeSeen)
    assert (seen.schedulable, [str(one) for one in seen.taints]) == (schedulable, taints)


def test_the_labels_of_a_node_are_kept_for_selectors() -> None:
    item = node()
    item["metadata"]["labels"] = {"kubernetes.io/arch": "arm64"}
    seen = seen_of(NODES, item)
    assert isinstance(seen, NodeSeen)
    assert seen.labels == {"kubernetes.io/arch": "arm64"}
