"""The whole beside a cluster: a real service, the client's real HTTP, a stand-in API server."""

import asyncio
import dataclasses
from datetime import timedelta

import httpx
import pytest

from api.app import create_app
from forecaster.settings import Fleet, KubernetesSettings
from forecaster.worker import Service, open_store, utc_now
from tests.cluster.objects import autoscaler, pod, scaled, scaled_object
from tests.cluster.reading import write_kubeconfig
from tests.cluster.standin import StandIn
from tests.worker.sources import STEP, TraceSource, fleet
from tests.worker.test_service import until

pytestmark = pytest.mark.slow

DECLARED = {
    "preroll.io/enabled": "true",
    "preroll.io/capacity": "1",
    "preroll.io/lead-time": "auto",
}


@pytest.fixture
def cluster():
    with StandIn(tokens={"right"}) as server:
        yield server


@pytest.fixture
def make_service(tmp_path, cluster):
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", cluster.url)

    def make(of=None, **settings):
        store = open_store(tmp_path / "preroll.sqlite", utc_now())
        known = of or Fleet((), step=STEP)
        source = TraceSource(("streaming/player-api", "streaming/login"))
        kubernetes = KubernetesSettings(watch=True, kubeconfig=kubeconfig, **settings)
        return Service(known, source, store, kubernetes=kubernetes, tick_seconds=0.05)

    return make


def asked(service, path):
    """What the endpoint answers."""
    app = create_app(
        service.snapshot, clock=utc_now, events=service.events, cluster=service.cluster.view
    )
    transport = httpx.ASGITransport(app)

    async def ask():
        async with httpx.AsyncClient(transport=transport, base_url="http://preroll") as client:
            return await client.get(path)

    return asyncio.run(ask())


def workload(service, name="player-api"):
    rows = asked(service, "/v1/workloads").json()["workloads"]
    return next((one for one in rows if one["name"] == name), None)


def put_player(cluster, ready=10, annotations=DECLARED, bounds=(2, 100)):
    now = utc_now()
    cluster.put(scaled("player-api", namespace="streaming", replicas=10, ready=ready))
    cluster.put(autoscaler("player-api", namespace="streaming", bounds=bounds))
    cluster.put(
        scaled_object("player-api", namespace="streaming", annotations=annotations, bounds=bounds)
    )
    for place in range(ready):
        name = f"player-api-6d9f7c5b8-{place:05}"
        born = now - timedelta(hours=1, minutes=place)
        cluster.put(pod(name, namespace="streaming", workload="player-api", created=born))


def test_a_team_brings_its_workload_and_everything_is_known_of_it(cluster, make_service):
    put_player(cluster)
    with make_service() as service:
        assert service.snapshot().workloads == {}
        until(lambda: workload(service) is not None)
        until(lambda: workload(service)["target"] is not None)
        until(lambda: workload(service)["cluster"] and workload(service)["cluster"]["lead_time"])
        until(lambda: service.roster.lead_time_of("streaming/player-api"))
        found = workload(service)
        seen = found["cluster"]
        assert (seen["ready"], seen["replicas"], seen["desired"]) == (10, 10, 10)
        assert (seen["min_replicas"], seen["max_replicas"]) == (2, 100)
        assert (found["rule"]["min_replicas"], found["rule"]["max_replicas"]) == (2, 100)
        # 42 s to be ready, as all of its pods, and 18 s for HPA and KEDA
        assert seen["lead_time"]["total"] == {"p50": 42.0, "p95": 42.0}
        assert seen["lead_time"]["seconds"] == 60.0
        until(lambda: workload(service)["rule"]["lead_time_seconds"] == 60.0)
        until(lambda: (workload(service)["cluster"]["delivered"] or {"target": 0})["target"])

        metrics = asked(service, "/metrics").text
        labels = '{namespace="streaming",workload="player-api"}'
        assert f"preroll_ready_replicas{labels} 10.0" in metrics
        assert f"preroll_measured_lead_time_seconds{labels} 60.0" in metrics
        assert 'preroll_cluster_objects{kind="Pod"} 10.0' in metrics
        assert 'preroll_cluster_age_seconds{kind="Pod"} 0.0' in metrics

        # The traffic wants more than 100 replicas: the maximum is in the way, hours ahead.
        until(lambda: asked(service, "/v1/warnings").json()["warnings"])
        (warning,) = asked(service, "/v1/warnings").json()["warnings"]
        assert (warning["kind"], warning["limit"]) == ("will_not_fit", "maximum")
        assert warning["workloads"] == ["streaming/player-api"]
        assert "100 allowed" in warning["text"] and warning["fix"] in warning["text"]
        until(lambda: cluster.created())
        (event,) = cluster.created()
        assert event["reason"] == "PrerollWillNotFit"
        assert event["regarding"]["name"] == "player-api"

        put_player(cluster, annotations=DECLARED | {"preroll.io/max-replicas": "7"})
        until(lambda: workload(service)["rule"]["max_replicas"] == 7, seconds=30)
        put_player(cluster, annotations=DECLARED | {"preroll.io/quantile": "98"})
        until(lambda: len(cluster.created()) > 1)
        event = cluster.created()[-1]
        assert event["reason"] == "PrerollInvalidAnnotation"
        assert "98 must lie between" in event["note"]
        until(lambda: "annotation" in asked(service, "/v1/warnings").text)  # a second later
        assert workload(service)["rule"]["max_replicas"] == 7  # what it said before holds

        cluster.delete("ScaledObject", "streaming", "player-api")
        until(lambda: workload(service) is None)


def test_a_restart_without_an_api_server_plans_for_the_same_workloads(cluster, make_service):
    put_player(cluster)
    with make_service() as service:
        until(lambda: workload(service) and workload(service)["rule"]["lead_time_seconds"] == 60.0)
        until(lambda: workload(service)["target"] is not None)
    cluster.down()
    with make_service() as service:
        found = workload(service)
        assert found["rule"]["lead_time_seconds"] == 60.0
        assert found["target"]["replicas"] > 0
        until(lambda: service.cluster.view().health.problems)
        warnings = asked(service, "/v1/warnings").json()["warnings"]
        told = [one["text"] for one in warnings if one["kind"] == "cluster"]
        assert told and all("cannot connect" in one for one in told)
        cluster.up()
        until(lambda: workload(service)["cluster"] and workload(service)["cluster"]["ready"] == 10)
        until(lambda: not service.cluster.view().health.problems)


def test_a_mistake_takes_no_floor_away_over_a_restart_either(cluster, make_service):
    put_player(cluster)
    mistaken = DECLARED | {"preroll.io/capacity": "lots"}
    with make_service() as service:
        until(lambda: workload(service) and workload(service)["target"] is not None)
        put_player(cluster, annotations=mistaken)
        until(lambda: "what it said before holds" in asked(service, "/v1/warnings").text)
    with make_service() as service:
        until(lambda: "what it said before holds" in asked(service, "/v1/warnings").text)
        assert "'lots' is not a number" in asked(service, "/v1/warnings").text
        assert workload(service)["target"]["replicas"] > 0
        until(lambda: workload(service)["cluster"] and workload(service)["cluster"]["ready"] == 10)
        cluster.delete("ScaledObject", "streaming", "player-api")
        until(lambda: workload(service) is None)


def test_workloads_of_the_settings_are_found_in_the_cluster_by_their_name(cluster, make_service):
    put_player(cluster, annotations={})
    known = dataclasses.replace(fleet("streaming/player-api"))
    with make_service(known) as service:
        until(lambda: workload(service)["cluster"] and workload(service)["cluster"]["ready"] == 10)
        assert workload(service)["cluster"]["scaled_object"] == "player-api"
        assert workload(service)["rule"]["lead_time_seconds"] == 300.0  # it is written down


def test_an_event_that_comes_too_late_is_told(cluster, make_service):
    known = fleet("streaming/player-api")
    with make_service(known) as service:
        until(lambda: service.snapshot().ready)
        start = utc_now() + timedelta(minutes=2)
        body = {
            "start": start.isoformat(),
            "end": (start + timedelta(hours=2)).isoformat(),
            "kind": "football",
            "name": "Extra",
        }
        service.events.desk.create(body, utc_now())
        until(lambda: asked(service, "/v1/warnings").json()["warnings"])
        (warning,) = asked(service, "/v1/warnings").json()["warnings"]
        assert warning["kind"] == "late_event"
        assert "Extra (streaming/player-api): announced " in warning["text"]
