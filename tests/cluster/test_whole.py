"""Whole objects of a kind, read once over real HTTP."""

from __future__ import annotations

import pytest

from forecaster.cluster.client import PAGE_SIZE, ClusterClient
from forecaster.cluster.whole import (
    CONFIG_MAPS,
    PRESCALING_EVENTS,
    one_object,
    whole_objects,
)
from forecaster.errors import ClusterAnswerError, ClusterRefused
from tests.cluster.objects import Object
from tests.cluster.standin import Fault, StandIn


def config_map(name: str, namespace: str = "a", **labels: str) -> Object:
    about = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"key": name}}


def names(found: list[Object]) -> list[tuple[str, str]]:
    return [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found]


def test_all_pages_are_read_and_sorted_by_namespace_and_name(
    server: StandIn, client: ClusterClient
) -> None:
    wanted = [(space, f"m{n:03}") for space in ("a", "b") for n in range(PAGE_SIZE - 100)]
    server.put_all([config_map(name, space) for space, name in wanted[::-1]])
    assert names(whole_objects(client, CONFIG_MAPS)) == wanted
    assert len(server.requests("configmaps", "list")) == 2


def test_a_selector_goes_with_every_page(server: StandIn, client: ClusterClient) -> None:
    server.put_all([config_map(f"m{n:03}", app="it") for n in range(PAGE_SIZE + 1)])
    server.put(config_map("other", app="else"))
    found = whole_objects(client, CONFIG_MAPS, selecting={"labelSelector": "app=it"})
    assert len(found) == PAGE_SIZE + 1
    pages = server.requests("configmaps", "list")
    assert [one.query["labelSelector"] for one in pages] == ["app=it", "app=it"]
    by_name = whole_objects(client, CONFIG_MAPS, selecting={"fieldSelector": "metadata.name=other"})
    assert names(by_name) == [("a", "other")]


def test_a_list_that_is_forgotten_between_two_pages_is_read_anew(
    server: StandIn, client: ClusterClient
) -> None:
    server.put_all([config_map(f"m{n:03}") for n in range(PAGE_SIZE + 1)])
    server.fail(Fault("configmaps", "list", status=410, message="too old", after=1))
    assert len(whole_objects(client, CONFIG_MAPS)) == PAGE_SIZE + 1
    assert len(server.requests("configmaps", "list")) == 4


def test_a_kind_that_the_cluster_does_not_know_is_refused_with_404(
    server: StandIn, client: ClusterClient
) -> None:
    del server.store.shelves["prescalingevents"]
    with pytest.raises(ClusterRefused) as refused:
        whole_objects(client, PRESCALING_EVENTS)
    assert refused.value.status == 404


def test_one_object_is_read_by_its_name(server: StandIn, client: ClusterClient) -> None:
    server.put(config_map("mine"))
    assert one_object(client, CONFIG_MAPS, "a", "mine")["data"] == {"key": "mine"}
    with pytest.raises(ClusterRefused, match="404"):
        one_object(client, CONFIG_MAPS, "a", "other")


def test_an_item_without_a_name_is_no_object(server: StandIn, client: ClusterClient) -> None:
    body = b'{"kind":"ConfigMapList","metadata":{},"items":[{"metadata":{}}]}'
    server.fail(Fault("configmaps", "list", body=body))
    with pytest.raises(ClusterAnswerError, match="is no ConfigMap"):
        whole_objects(client, CONFIG_MAPS)
