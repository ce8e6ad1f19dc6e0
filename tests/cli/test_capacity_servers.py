"""The queries of the example, over series as kube-state-metrics and the kubelet name them."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.planning.load_simulation import Load, cached
from tests.traffic.real_servers import (
    Samples,
    binary,
    import_samples,
    running_prometheus,
    running_victoriametrics,
    write_openmetrics,
)

EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "preroll.yaml"
PODS = 4
LOAD = Load(days=4, fixed_replicas=PODS, peak_rps=320.0)


def labels(**given):
    return tuple(sorted(given.items()))


def samples():
    """Counters of requests and of each pod's CPU, scraped by the minute."""
    signals = cached(LOAD)
    ends = signals.traffic.start.timestamp() + 60 * np.arange(1, len(signals.traffic) + 1)
    scraped = ends.astype(np.int64)
    place = {"namespace": "tv", "deployment": "player-api"}
    pods = [f"player-api-7c9d8b5f6-x{number}k2p" for number in range(PODS)]
    every = np.arange(0, len(scraped), 5)
    cpu = np.cumsum(signals.saturation.rate_rps * LOAD.requested * 60)
    yield Samples(
        "container_cpu_usage_seconds_total",
        labels(namespace="tv", pod=pods[0], container=""),  # the sum of the pod: not to be counted
        scraped,
        cpu,
    )
    for number, pod in enumerate(pods):
        uneven = 1 + 0.2 * (number - (PODS - 1) / 2)  # the mean replica is what counts
        yield Samples(
            "container_cpu_usage_seconds_total",
            labels(namespace="tv", pod=pod, container="main"),
            scraped,
            cpu * uneven,
        )
    yield Samples(
        "http_requests_total", labels(**place), scraped, np.cumsum(signals.traffic.rate_rps * 60)
    )
    for pod in pods:
        yield Samples(
            "kube_pod_container_resource_requests",
            labels(namespace="tv", pod=pod, container="main", resource="cpu"),
            scraped[every],
            np.full(len(every), LOAD.requested),
        )
        yield Samples(
            "kube_pod_container_resource_requests",
            labels(namespace="tv", pod=pod, container="main", resource="memory"),
            scraped[every],
            np.full(len(every), 5e8),
        )
    yield Samples(
        "kube_deployment_status_replicas_ready",
        labels(**place),
        scraped[every],
        np.full(len(every), float(PODS)),
    )


@contextmanager
def prometheus(folder):
    write_openmetrics(folder / "samples.om", samples())
    blocks = [binary("promtool"), "tsdb", "create-blocks-from", "--max-block-duration=1458h"]
    command = [*blocks, "openmetrics", "samples.om", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with running_prometheus(folder) as url:
        yield url


@contextmanager
def victoriametrics(folder):
    with running_victoriametrics(folder, "-retentionPeriod=100y") as url:
        import_samples(url, samples())
        yield url


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(prometheus, marks=pytest.mark.prometheus, id="prometheus"),
        pytest.param(victoriametrics, marks=pytest.mark.victoriametrics, id="victoriametrics"),
    ],
)
def test_the_queries_of_the_example_measure_the_capacity_of_the_simulation(
    preroll, server, tmp_path
):
    queries = yaml.safe_load(EXAMPLE.read_text())["capacity"]
    with server(tmp_path) as url:
        document = {
            "source": {
                "prometheus": {
                    "url": url,
                    "query": "sum by (namespace, deployment) (rate(http_requests_total[5m]))",
                }
            },
            "workloads": [{"namespace": "tv", "name": "player-api", "capacity": "auto"}],
            "capacity": queries,
        }
        config = tmp_path / "preroll.yaml"
        config.write_text(yaml.safe_dump(document))
        until = cached(LOAD).now.strftime("%Y-%m-%dT%H:%M:%SZ")
        said = preroll(
            *("capacity", "--config", config, "--days", "4", "--until", until, "--json", "-")
        )
    assert said.code == 0, said.err
    (one,) = json.loads(said.out)["workloads"]
    assert one["low_rps"] <= LOAD.capacity(0.7) <= one["high_rps"]
    assert one["middle_rps"] == pytest.approx(LOAD.capacity(0.7), rel=0.03)
