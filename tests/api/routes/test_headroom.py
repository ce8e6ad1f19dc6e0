"""What KEDA reads for placeholder pods: its values, and the contract that it must meet."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.headroom import HeadroomCollector, Headrooms
from forecaster.cluster.seen import Scaled, TargetRef
from forecaster.planning import Mode
from forecaster.planning.snapshot import WorkloadState
from forecaster.worker.cluster_messages import SeenWorkload
from forecaster.worker.cluster_view import ClusterView, ClusterWorkload
from tests.api.keda_stand_in import json_value
from tests.api.plans import NOW, RULE, START, snapshot, state, untrained
from tests.api.routes.test_targets import arbitrary_states, refuse
from tests.api.service import Service, samples, serving

PATH = "/v1/headroom/streaming/player-api"
SHORT = replace(RULE, lead_time=timedelta(minutes=2))
NODE_LEAD = timedelta(minutes=30)
PODS = SeenWorkload(
    Scaled("streaming", TargetRef("Deployment", "player-api"), 36, 36), ready=35, pods=36
)
VIEW = ClusterView(True, {"streaming/player-api": ClusterWorkload(PODS)})


@pytest.fixture(scope="module")
def held() -> Iterator[Service]:
    """One workload before a kick-off, one in shadow mode, one without a plan."""
    seen = snapshot(
        state("streaming/player-api", SHORT),
        state("streaming/epg", replace(SHORT, mode=Mode.SHADOW)),
        untrained("streaming/chat", "3h of traffic"),
    )
    with serving(seen, cluster=lambda: VIEW, node_lead_time=NODE_LEAD) as running:
        running.desk.now = NOW - timedelta(minutes=150)
        yield running


def test_the_body_is_the_number_and_its_reasons(held: Service) -> None:
    """By the plan's own targets of the next 28 minutes, less the 36 pods that exist."""
    now = held.desk.now
    one = held.desk.snapshot.state("streaming/player-api")
    targets = [one.target(now + timedelta(seconds=at)).replicas for at in range(0, 28 * 60 + 1, 5)]
    answer = held.client.get(PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert set(body) == {"replicas", "reasons"}
    assert body["replicas"] == max(targets) - max(36, targets[0])
    assert type(body["replicas"]) is int
    assert body["replicas"] > 0
    assert json_value(answer.text, "replicas") == body["replicas"]
    assert "a new node takes 30m (kubernetes.node_lead_time)" in body["reasons"][1]


@pytest.mark.parametrize(
    ("workload", "reason"),
    [("streaming/epg", "shadow: no target is served"), ("streaming/chat", "no plan: 3h of")],
)
def test_what_is_not_to_be_held_is_0_and_no_error(
    held: Service, workload: str, reason: str
) -> None:
    answer = held.client.get(f"/v1/headroom/{workload}")
    assert (answer.status_code, answer.json()["replicas"]) == (200, 0)
    assert reason in answer.json()["reasons"][0]


def test_an_unknown_workload_is_404(held: Service) -> None:
    for path in ("/v1/headroom/no/such", "/v1/headroom/a", "/v1/headroom/", "/v1/headroom/a/b/c"):
        answer = held.client.get(path)
        assert answer.status_code == 404
        assert "replicas" not in answer.json()


def test_a_body_is_whole_with_its_length_and_no_cache_keeps_it(held: Service) -> None:
    with socket.create_connection(("127.0.0.1", held.port), timeout=5) as client:
        client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert b"cache-control: no-store" in head.lower()
    assert json.loads(body)["replicas"] > 0


def test_head_slashes_and_other_methods_are_as_with_targets(held: Service) -> None:
    got = held.client.get(PATH)
    head = held.client.head(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert held.client.get(f"{PATH}/", follow_redirects=False).content == got.content
    assert held.client.post(PATH, content=b"x").status_code == 405


def test_the_metric_is_what_keda_would_get(held: Service) -> None:
    found = samples(held.client.get("/metrics").text, "preroll_headroom_replicas")
    assert found == {
        ("streaming", "player-api"): held.client.get(PATH).json()["replicas"],
        ("streaming", "epg"): 0.0,
        ("streaming", "chat"): 0.0,
    }


def test_it_asks_for_a_token_as_all_below_v1() -> None:
    with serving(snapshot(state("streaming/player-api")), tokens=("s3cret",)) as service:
        assert service.client.get(PATH).status_code == 401
        answer = service.client.get(PATH, headers={"authorization": "Bearer s3cret"})
        assert answer.status_code == 200


def test_what_cannot_be_computed_is_0_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    good = state("streaming/player-api", SHORT)
    assert good.plan is not None
    broken = replace(good, plan=replace(good.plan, replicas=np.full(len(good.plan), np.nan)))
    headrooms = Headrooms(lambda: VIEW, NODE_LEAD)
    with caplog.at_level(logging.ERROR, logger="api"):
        views = [headrooms.view(NOW, broken) for _ in range(3)]
        list(HeadroomCollector(headrooms, [broken], NOW).collect())
    assert [one.replicas for one in views] == [0, 0, 0]
    assert "log says why" in views[0].reasons[0]
    assert len(caplog.records) == 1
    assert not headrooms.view(NOW, replace(good)).reasons[0].startswith("it could not")


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@settings(max_examples=200, deadline=None)
@given(
    one=arbitrary_states(),
    minutes=st.floats(-2, 7),
    hours=st.integers(0, 10**4),
    pods=st.none() | st.integers(0, 10**7),
)
def test_whatever_the_plan_holds_it_is_a_whole_number_that_fits_below_the_maximum(
    one: WorkloadState, minutes: float, hours: int, pods: int | None
) -> None:
    seen = ClusterWorkload(SeenWorkload(ready=pods, pods=pods))
    headrooms = Headrooms(
        lambda: ClusterView(True, {one.workload: seen}), timedelta(hours=hours, minutes=1)
    )
    logging.disable(logging.ERROR)
    try:
        view = headrooms.view(START + timedelta(minutes=minutes), one)
    finally:
        logging.disable(logging.NOTSET)
    body = json.loads(view.model_dump_json(), parse_constant=refuse)
    assert type(body["replicas"]) is int
    assert body["reasons"]
    assert 0 <= body["replicas"] <= max(one.rule.max_replicas - (pods or 0), 0)
