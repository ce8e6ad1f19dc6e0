"""Every address in the manifests is asked for, at the service that the manifests' settings make."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from forecaster.planning.capacity import Mode
from forecaster.planning.snapshot import Snapshot, WorkloadState
from forecaster.settings import Settings, load_settings
from tests.api.keda_stand_in import Scaler, ScalerError, Trigger
from tests.api.plans import NOW, plan
from tests.api.service import Service, serving
from tests.deploy.documents import (
    TOKEN,
    container,
    manifest_files,
    the,
    trigger,
    variables,
    write_settings,
)

SERVER = r"http://preroll\.preroll\.svc[^\s\"'`/]*"
ADDRESS = re.compile(SERVER + r"/[^\s\"'`]*")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("etc")
    return load_settings(write_settings(folder, TOKEN), variables(folder))


def planned(settings: Settings, mode: Mode) -> Snapshot:
    """Every workload of the settings with a plan, all in one mode."""
    states = [
        WorkloadState(one.namespace, one.name, rule, plan(one.workload, rule))
        for one in settings.fleet.workloads
        for rule in [dataclasses.replace(one.rule, mode=mode, capacity_rps=2)]
    ]
    return Snapshot({one.workload: one for one in states})


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[Service]:
    with serving(planned(settings, Mode.ACTIVE), tokens=settings.server.tokens) as running:
        yield running


def scaler_of_the_example(service: Service, **changed: str | None) -> Scaler:
    """KEDA's scaler with the example's metadata; only host and port are those of the test."""
    metadata = trigger("metrics-api")["metadata"]
    wanted = Trigger(
        url=service.url + urlsplit(metadata["url"]).path,
        value_location=metadata["valueLocation"],
        format=metadata["format"],
        auth_mode=metadata["authMode"],
        secret=TOKEN,
    )
    return Scaler(dataclasses.replace(wanted, **changed))


def test_the_triggers_host_and_port_are_the_services() -> None:
    parts = urlsplit(trigger("metrics-api")["metadata"]["url"])
    server = the("Service")
    (port,) = server["spec"]["ports"]
    name, namespace = server["metadata"]["name"], server["metadata"]["namespace"]
    assert parts.netloc == f"{name}.{namespace}.svc:{port['port']}"
    assert not parts.query, "KEDA drops it when it asks every endpoint of a service"


def test_nothing_names_another_server_than_the_trigger_does() -> None:
    named = {one for path in manifest_files() for one in re.findall(SERVER, path.read_text())}
    parts = urlsplit(trigger("metrics-api")["metadata"]["url"])
    assert named == {f"http://{parts.netloc}"}


def test_the_trigger_reads_the_plans_target(service: Service) -> None:
    scaler = scaler_of_the_example(service)
    state = service.desk.snapshot.state("streaming/player-api")
    assert scaler.value() == state.target(NOW).replicas > state.rule.min_replicas
    scaler.close()


def test_in_shadow_mode_it_reads_no_floor(settings: Settings) -> None:
    with serving(planned(settings, Mode.SHADOW), tokens=settings.server.tokens) as service:
        scaler = scaler_of_the_example(service)
        assert scaler.value() == 0
        scaler.close()


@pytest.mark.parametrize(
    "changed",
    [{"auth_mode": None}, {"secret": "another"}],
    ids=["without authMode", "with another token"],
)
def test_without_the_token_it_reads_nothing(
    service: Service, changed: dict[str, str | None]
) -> None:
    with pytest.raises(ScalerError, match="status 401"):
        scaler_of_the_example(service, **changed).value()


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_probe_is_answered_without_a_token(service: Service, probe: str) -> None:
    answer = service.client.get(container()[probe]["httpGet"]["path"], follow_redirects=False)
    assert answer.status_code == 200


def test_the_readiness_probe_waits_for_the_first_training_and_the_liveness_probe_does_not(
    settings: Settings,
) -> None:
    waiting = [WorkloadState(one.namespace, one.name, one.rule) for one in settings.fleet.workloads]
    with serving(Snapshot({one.workload: one for one in waiting})) as service:
        statuses = {
            probe: service.client.get(container()[probe]["httpGet"]["path"]).status_code
            for probe in ("livenessProbe", "readinessProbe")
        }
    assert statuses == {"livenessProbe": 200, "readinessProbe": 503}


def test_prometheus_finds_the_metrics_without_a_token(service: Service) -> None:
    annotations = the("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    answer = service.client.get(annotations["prometheus.io/path"], follow_redirects=False)
    assert answer.status_code == 200
    assert "preroll_target_replicas{" in answer.text


def test_every_address_in_the_files_is_served(service: Service) -> None:
    addresses = {
        address for path in manifest_files() for address in ADDRESS.findall(path.read_text())
    }
    assert trigger("metrics-api")["metadata"]["url"] in addresses
    for address in addresses:
        filled = address.replace("{namespace}", "streaming").replace("{name}", "player-api")
        answer = service.client.get(
            urlsplit(filled).path, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.status_code == 200, address
