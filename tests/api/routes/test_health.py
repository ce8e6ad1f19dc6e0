from __future__ import annotations

from forecaster.planning.capacity import Mode
from forecaster.planning.snapshot import Snapshot, WorkloadState
from tests.api.plans import snapshot, state, untrained, with_mode
from tests.api.service import Service


def test_healthz_says_that_the_process_answers(steady: Service) -> None:
    answer = steady.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_waits_for_every_workload_to_have_a_plan_or_a_reason(service: Service) -> None:
    waiting = service.client.get("/readyz")
    assert waiting.status_code == 503
    assert waiting.json() == {"status": "starting", "workloads": 3, "waiting": 1}

    reason = untrained("streaming/chat", "the source is down")
    off = WorkloadState("a", "b", with_mode(Mode.OFF))
    service.desk.snapshot = snapshot(state("streaming/player-api"), reason, off)
    ready = service.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "workloads": 3, "waiting": 0}


def test_a_service_with_no_workloads_is_ready(service: Service) -> None:
    service.desk.snapshot = Snapshot()
    assert service.client.get("/readyz").status_code == 200


def test_readiness_agrees_with_the_snapshot(service: Service) -> None:
    for seen in (service.desk.snapshot, snapshot(state("a/b")), snapshot(untrained("a/b"))):
        service.desk.snapshot = seen
        assert (service.client.get("/readyz").status_code == 200) is seen.ready
