from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from api.headroom import HeadroomCollector, Headrooms
from api.metrics import ServiceCollector, WorkloadCollector
from tests.api.plans import NOW, snapshot, state, untrained
from tests.api.service import Service, samples


def test_a_page_made_in_slices_is_the_page_made_at_once(service: Service) -> None:
    states = [state(f"n{i % 3}/w{i}") for i in range(23)] + [untrained("x/y")]
    service.desk.snapshot = snapshot(*states)
    text = service.client.get("/metrics").text
    registry = CollectorRegistry()
    registry.register(WorkloadCollector(states, NOW))
    registry.register(HeadroomCollector(Headrooms(), states, NOW))
    registry.register(ServiceCollector(service.desk.snapshot, False, {}))
    assert text == generate_latest(registry).decode()


def test_scrapes_of_the_same_second_share_a_page_but_never_an_old_snapshot(
    service: Service,
) -> None:
    first = service.client.get("/metrics").text
    service.client.get("/v1/targets/no/such")
    service.desk.now = NOW + timedelta(milliseconds=900)
    assert service.client.get("/metrics").text == first
    service.desk.now = NOW + timedelta(seconds=1)
    later = service.client.get("/metrics").text
    assert samples(later, "preroll_target_answers_total") == {("404",): 1.0}
    service.desk.snapshot = snapshot()
    assert samples(service.client.get("/metrics").text, "preroll_workloads") == {(): 0.0}
