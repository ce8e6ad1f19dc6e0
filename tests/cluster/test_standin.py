"""The stand-in is judged by the official client's own models and watches."""

from __future__ import annotations

import gc
import json
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

import kubernetes_validate
import pytest
from kubernetes import client as official
from kubernetes import config, watch

from tests.cluster import objects
from tests.cluster.reading import write_kubeconfig
from tests.cluster.standin import StandIn


@pytest.fixture
def api(server: StandIn, tmp_path: Path) -> official.ApiClient:
    path = write_kubeconfig(tmp_path / "kubeconfig", server.url)
    return config.new_client_from_config(str(path))


def test_the_official_client_reads_its_lists(server: StandIn, api: official.ApiClient) -> None:
    server.put_all([objects.pod(f"p-{at}") for at in range(7)])
    core = official.CoreV1Api(api)
    first = core.list_namespaced_pod("streaming", limit=5)
    assert len(first.items) == 5
    assert first.metadata.remaining_item_count == 2
    second = core.list_namespaced_pod("streaming", limit=5, _continue=first.metadata._continue)
    assert {one.metadata.name for one in (*first.items, *second.items)} == {
        f"p-{at}" for at in range(7)
    }
    assert first.items[0].status.conditions[0].type == "PodReadyToStartContainers"


def test_the_official_client_reads_its_watches(server: StandIn, api: official.ApiClient) -> None:
    server.put(objects.scaled())
    apps, stream = official.AppsV1Api(api), watch.Watch()
    seen = []
    version = apps.list_deployment_for_all_namespaces().metadata.resource_version
    server.put(objects.scaled(replicas=11))
    server.delete("Deployment", "streaming", "player-api")
    for event in stream.stream(
        apps.list_deployment_for_all_namespaces, resource_version=version, timeout_seconds=2
    ):
        seen.append((event["type"], event["object"].spec.replicas))
        if len(seen) == 2:
            stream.stop()
    assert seen == [("MODIFIED", 11), ("DELETED", 11)]


def test_an_annotation_is_patched_as_kubectl_does(server: StandIn, api: official.ApiClient) -> None:
    server.put(objects.scaled_object())
    custom = official.CustomObjectsApi(api)
    place = ("keda.sh", "v1alpha1", "streaming", "scaledobjects", "player-api")
    patch = {"metadata": {"annotations": {"preroll.io/capacity": "120"}}}
    custom.patch_namespaced_custom_object(*place, patch)
    found = custom.get_namespaced_custom_object(*place)
    assert found["metadata"]["annotations"]["preroll.io/capacity"] == "120"
    assert found["spec"]["scaleTargetRef"]["name"] == "player-api"


@pytest.mark.parametrize(
    "item",
    [
        objects.pod(),
        objects.pod(unschedulable="0/400 nodes are available: 400 Insufficient cpu."),
        objects.scaled(),
        objects.autoscaler(),
        objects.quota(),
        objects.node(),
    ],
    ids=["pod", "pending pod", "deployment", "hpa", "quota", "node"],
)
def test_its_objects_are_those_of_kubernetes(item: objects.Object) -> None:
    item["metadata"]["resourceVersion"] = "1"
    kubernetes_validate.validate(item, "1.36", strict=True)


@pytest.mark.parametrize(
    ("item", "least"),
    [(objects.pod(), 6000), (objects.scaled(), 4000), (objects.autoscaler(), 3500)],
    ids=["pod", "deployment", "hpa"],
)
def test_its_objects_are_as_large_as_real_ones(item: objects.Object, least: int) -> None:
    assert len(json.dumps(item, separators=(",", ":"))) >= least
    assert item["metadata"]["managedFields"]


def test_going_down_while_clients_knock_leaves_no_socket_behind(server: StandIn) -> None:
    lost: list[object] = []
    done = threading.Event()

    def knock() -> None:
        while not done.is_set():
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", server.port), 1).close()

    before, sys.unraisablehook = sys.unraisablehook, lambda told: lost.append(told.exc_value)
    knocking = [threading.Thread(target=knock) for _ in range(2)]
    try:
        for one in knocking:
            one.start()
        for _ in range(200):
            server.down()
            server.up()
        done.set()
        for one in knocking:
            one.join()
        gc.collect()
    finally:
        done.set()
        sys.unraisablehook = before
    assert not lost
