"""The endpoint as KEDA and the HPA feel it, over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forecaster.planning.capacity import Mode
from tests.api.keda_stand_in import Scaler, ScalerError, Trigger, hpa_replicas
from tests.api.plans import NOW, START, snapshot, state, untrained, with_mode
from tests.api.service import Service, serving


def scaler_for(service: Service, workload: str, **more: str) -> Scaler:
    return Scaler(Trigger(f"{service.url}/v1/targets/{workload}", **more))


def test_the_value_is_the_plans_target(service: Service) -> None:
    player = service.desk.snapshot.state("streaming/player-api")
    scaler = scaler_for(service, "streaming/player-api")
    planned = player.target(NOW).replicas
    assert scaler.value() == planned > 2
    assert hpa_replicas(scaler, current=2, maximum=100) == planned
    scaler.close()


def test_a_day_of_polls_on_one_connection_reads_the_day_of_the_plan(service: Service) -> None:
    player = service.desk.snapshot.state("streaming/player-api")
    scaler = scaler_for(service, "streaming/player-api")
    assert player.plan is not None
    for minute in range(0, 24 * 60, 7):
        service.desk.now = START + timedelta(minutes=minute, seconds=11)
        assert scaler.value() == player.plan.replicas[minute]
    assert (scaler.connections, scaler.requests) == (1, 206)
    scaler.close()


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_shadow_and_off_set_no_floor(mode: Mode) -> None:
    with serving(snapshot(state("a/b", with_mode(mode)))) as service:
        scaler = scaler_for(service, "a/b")
        assert scaler.value() == 0.0
        assert hpa_replicas(scaler, current=5, minimum=1) == 1
        scaler.close()


def test_off_needs_no_plan_to_set_no_floor() -> None:
    bare = untrained("a/b")
    off = type(bare)("a", "b", with_mode(Mode.OFF))
    with serving(snapshot(off)) as service:
        scaler = scaler_for(service, "a/b")
        assert scaler.value() == 0.0
        scaler.close()


@pytest.mark.parametrize("workload", ["streaming/chat", "ads/breaks", "no/such"])
def test_without_a_plan_or_a_workload_the_hpa_holds(service: Service, workload: str) -> None:
    scaler = scaler_for(service, workload)
    with pytest.raises(ScalerError, match="status 404" if workload == "no/such" else "status 503"):
        scaler.value()
    assert scaler.connections == 2
    assert hpa_replicas(scaler, current=5) == 5


def test_the_hpa_holds_from_the_plans_end_on_and_before_its_start(service: Service) -> None:
    player = service.desk.snapshot.state("streaming/player-api")
    assert player.plan is not None
    scaler = scaler_for(service, "streaming/player-api")
    service.desk.now = player.plan.end - timedelta(microseconds=1)
    assert scaler.value() == player.plan.replicas[-1]
    for now in (player.plan.end, player.plan.start - timedelta(microseconds=1)):
        service.desk.now = now
        assert hpa_replicas(scaler, current=17) == 17
    service.desk.now = player.plan.start
    assert scaler.value() == player.plan.replicas[0]
    scaler.close()


def test_a_new_snapshot_is_read_at_the_next_poll(service: Service) -> None:
    scaler = scaler_for(service, "streaming/chat")
    with pytest.raises(ScalerError):
        scaler.value()
    trained = state("streaming/chat")
    service.desk.snapshot = snapshot(trained)
    assert scaler.value() == trained.target(NOW).replicas
    service.desk.snapshot = snapshot()
    with pytest.raises(ScalerError, match="404"):
        scaler.value()
    scaler.close()


@pytest.mark.parametrize(
    ("auth_mode", "secret", "admitted"),
    [
        pytest.param("bearer", "wonder-Ünicode", True, id="bearer"),
        pytest.param("apiKey", "second", True, id="apiKey"),
        pytest.param("bearer", "wrong", False, id="wrong token"),
        pytest.param("bearer", "", False, id="empty token"),
        pytest.param(None, "second", False, id="authMode forgotten"),
    ],
)
def test_with_tokens_only_who_sends_one_gets_a_value(
    auth_mode: str | None, secret: str, admitted: bool
) -> None:
    player = state("streaming/player-api")
    with serving(snapshot(player), tokens=("wonder-Ünicode", "second")) as service:
        url = f"{service.url}/v1/targets/streaming/player-api"
        scaler = Scaler(Trigger(url, auth_mode=auth_mode, secret=secret))
        if admitted:
            assert scaler.value() == player.target(NOW).replicas
        else:
            with pytest.raises(ScalerError, match="status 401"):
                scaler.value()
            assert hpa_replicas(scaler, current=5) == 5
        scaler.close()


def test_keda_can_read_the_metrics_page_instead(service: Service) -> None:
    selector = 'preroll_target_replicas{{namespace="streaming",workload="{}"}}'
    page = f"{service.url}/metrics"
    player = service.desk.snapshot.state("streaming/player-api")
    scaler = Scaler(Trigger(page, selector.format("player-api"), "prometheus"))
    assert scaler.value() == player.target(NOW).replicas
    scaler.close()
    without = Scaler(Trigger(page, selector.format("chat"), "prometheus"))
    assert hpa_replicas(without, current=5) == 5
    without.close()
