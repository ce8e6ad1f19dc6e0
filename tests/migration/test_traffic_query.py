"""The traffic query that is written, asked of a real Prometheus and a real VictoriaMetrics."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from forecaster.migration.load import traffic_query
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource
from tests.traffic.real_servers import binary, running_prometheus, running_victoriametrics

pytestmark = pytest.mark.slow

START = datetime(2026, 7, 1, tzinfo=UTC)
SECONDS = 1800
RATES = {"player-api": 240.0, "manifest": 90.0, "login": 1.5}


def samples() -> list[tuple[str, dict[str, str], Callable[[int], float]]]:
    """Counters as they are scraped: two pods of each workload, and neighbours that do not count."""
    found = []
    series = {
        "player-api": ("http_requests_total", "deployment", {"code": "200"}),
        "manifest": ("nginx_http_requests_total", "app", {}),
        "login": ("container_cpu_usage_seconds_total", "job", {"container": "login"}),
    }
    for name, (metric, key, more) in series.items():
        namespace = "accounts" if name == "login" else "streaming"
        for pod in ("7d9f8b6c5d-x2x4z", "7d9f8b6c5d-bbbbb"):
            labels = {"namespace": namespace, key: name, "pod": f"{name}-{pod}", **more}
            found.append((metric, labels, lambda t, half=RATES[name] / 2: half * t))
    whole_pod = {"namespace": "accounts", "pod": "login-7d9f8b6c5d-x2x4z", "container": ""}
    found.append(("container_cpu_usage_seconds_total", whole_pod, lambda t: 99.0 * t))
    other = {"namespace": "streaming", "app": "manifest-v2", "pod": "manifest-v2-7d9f8b6c5d-x2x4z"}
    found.append(("nginx_http_requests_total", other, lambda t: 77.0 * t))
    failed = {"namespace": "streaming", "deployment": "player-api", "pod": "p", "code": "503"}
    found.append(("http_requests_total", failed, lambda t: 55.0 * t))
    return found


def lines(per_second: float = 1.0) -> str:
    """Text exposition with stamps; VictoriaMetrics wants milliseconds, OpenMetrics seconds."""
    begin = int(START.timestamp())
    text = []
    for metric in dict.fromkeys(one for one, _, _ in samples()):
        text.append(f"# TYPE {metric.removesuffix('_total')} counter")
        for name, labels, value in samples():
            if name == metric:
                shown = ",".join(f'{key}="{one}"' for key, one in labels.items() if one)
                text += [
                    f"{name}{{{shown}}} {value(t):.6f} {(begin + t) * per_second:.0f}"
                    for t in range(0, SECONDS + 1, 30)
                ]
    return "\n".join(text) + "\n"


def make_blocks(folder):
    """Prometheus' own store of the samples, in ``folder``/data."""
    (folder / "samples.txt").write_text(lines() + "# EOF\n")
    make = ["tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run([binary("promtool"), *make], cwd=folder, check=True, capture_output=True)


def check(url, moves):
    query = traffic_query(
        (one.old.namespace, one.old.target_name, one.load.promql) for one in moves.workloads
    )
    with PrometheusSource(PrometheusConnection(url), FleetQuery(query)) as source:
        found = source.fetch(
            START + timedelta(minutes=5), START + timedelta(minutes=25), timedelta(minutes=1)
        )
    assert found.history.ids == ("accounts/login", "streaming/manifest", "streaming/player-api")
    for series in found.history:
        expected = RATES[series.series_id.partition("/")[2]]
        assert not np.isnan(series.rate_rps).any()
        assert series.rate_rps == pytest.approx(expected, rel=1e-3)


def test_prometheus_gives_each_workload_its_own_traffic(example_moves, tmp_path):
    (tmp_path / "samples.txt").write_text(lines() + "# EOF\n")
    command = [
        binary("promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "samples.txt",
        "data",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with running_prometheus(tmp_path) as url:
        check(url, example_moves)


def test_victoriametrics_does_too(example_moves, tmp_path):
    with running_victoriametrics(tmp_path, "-retentionPeriod=100y") as url:
        httpx.post(f"{url}/api/v1/import/prometheus", content=lines(1000.0)).raise_for_status()
        httpx.get(f"{url}/internal/force_flush").raise_for_status()
        check(url, example_moves)


def test_each_triggers_query_is_one_number(example_moves, tmp_path):
    (tmp_path / "samples.txt").write_text(lines() + "# EOF\n")
    command = [
        binary("promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "samples.txt",
        "data",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    at = int(START.timestamp()) + 600
    queries = {
        trigger["metadata"]["query"]
        for one in example_moves.workloads
        for trigger in one.triggers
        if trigger["type"] == "prometheus"
    }
    assert len(queries) == 2
    with running_prometheus(tmp_path) as url:
        for query in queries:
            answer = httpx.get(f"{url}/api/v1/query", params={"query": query, "time": at}).json()
            assert len(answer["data"]["result"]) == 1, query
