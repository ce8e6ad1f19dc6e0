"""Real metrics servers as processes of a test, and samples of the bundled trace for them."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

__all__ = [
    "Fleet",
    "RealServer",
    "Samples",
    "binary",
    "fleet_of",
    "import_samples",
    "running_prometheus",
    "running_victoriametrics",
    "write_openmetrics",
]

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Samples:
    """One series as a scraper would have stored it."""

    metric: str
    labels: Labels
    times: np.ndarray  # Unix seconds
    values: np.ndarray


@dataclass(frozen=True)
class Fleet:
    """What the servers hold, and the bundled trace that it was made from.

    ``requests_per_minute``: a gauge set at the end of each minute. cup/web is the whole trace in
    two pods; cup/api is the trace from day 15 to day 45 with an outage of three hours; news/web is
    a third of it.
    ``http_requests_total``: cup/web's counter scraped every 15 s for three days, each minute's
    requests spread evenly over it; twenty minutes of scrapes are missing.
    The three arrays say for each minute of the trace whether it is in cup/api, whether the counter
    covers it, and whether it belongs to the counter's outage.
    """

    trace: pd.Series
    samples: tuple[Samples, ...]
    api_minutes: np.ndarray
    counter_minutes: np.ndarray
    counter_outage: np.ndarray


@dataclass(frozen=True)
class RealServer:
    """A running server; ``points_limit`` is the most points a series that it gives."""

    url: str
    points_limit: int


def fleet_of(trace: pd.Series) -> Fleet:
    """The fleet that is fed to the servers, made from a trace by the minute."""
    counts = trace.to_numpy()
    starts = trace.index.as_unit("s").asi8
    minutes = np.arange(len(counts))
    ends = starts + 60
    outage = (minutes >= 30_000) & (minutes < 30_180)
    api = (minutes >= 15 * 1440) & (minutes < 45 * 1440) & ~outage
    days = (minutes >= 40 * 1440) & (minutes < 43 * 1440)
    first = int(starts[days][0])
    scrapes = np.arange(0, 3 * 86_400 + 1, 15)
    counter = np.concatenate([[0.0], np.cumsum(np.repeat(counts[days] / 4.0, 4))])
    away = (scrapes > 90_000) & (scrapes < 91_200)
    lost = (minutes >= 40 * 1440 + 1500) & (minutes < 40 * 1440 + 1520)

    def gauge(
        namespace: str, name: str, pod: str, values: np.ndarray, times: np.ndarray
    ) -> Samples:
        labels = (("deployment", name), ("namespace", namespace), ("pod", pod))
        return Samples("requests_per_minute", labels, times, values)

    return Fleet(
        trace=trace,
        samples=(
            gauge("cup", "web", "web-0", counts // 2, ends),
            gauge("cup", "web", "web-1", counts - counts // 2, ends),
            gauge("cup", "api", "api-0", counts[api], ends[api]),
            gauge("news", "web", "web-0", counts // 3, ends),
            Samples(
                "http_requests_total",
                (("deployment", "web"), ("namespace", "cup"), ("pod", "web-0")),
                first + scrapes[~away],
                counter[~away],
            ),
        ),
        api_minutes=api,
        counter_minutes=days,
        counter_outage=lost,
    )


def binary(name: str) -> str:
    """The path of an installed binary; skips the test where there is none."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} binary on this machine")
    return path


@contextmanager
def running_prometheus(
    folder: Path, *options: str, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """The url of a Prometheus over the blocks in ``folder``/data; ``tls`` where it speaks TLS."""
    (folder / "prometheus.yml").write_text("global: {}\n")
    port = _free_port()
    command = [
        binary("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
        *options,
    ]
    url = f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"
    with _process(command, folder):
        _wait_until_ready(f"{url}/-/ready", folder, tls)
        yield url


@contextmanager
def running_victoriametrics(folder: Path, *options: str) -> Iterator[str]:
    """The url of an empty VictoriaMetrics whose data live in ``folder``/data."""
    port = _free_port()
    command = [
        binary("victoria-metrics"),
        f"-httpListenAddr=127.0.0.1:{port}",
        "-storageDataPath=data",
        "-memory.allowedBytes=256MB",
        "-loggerLevel=WARN",
        *options,
    ]
    url = f"http://127.0.0.1:{port}"
    with _process(command, folder):
        _wait_until_ready(f"{url}/health", folder)
        yield url


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(url: str, folder: Path, tls: ssl.SSLContext | None = None) -> None:
    deadline = time.monotonic() + 60
    with httpx.Client(verify=tls or True) as client:
        while time.monotonic() < deadline:
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    pytest.fail(f"the server was not ready in a minute: {(folder / 'log.txt').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_openmetrics(path: Path, samples: Iterable[Samples]) -> None:
    """Write samples as the OpenMetrics text that promtool makes blocks from."""
    lines, declared = [], ""
    for one in samples:
        family = one.metric.removesuffix("_total")
        if family != declared:
            lines.append(f"# TYPE {family} {'counter' if family != one.metric else 'gauge'}")
            declared = family
        labels = ",".join(f'{name}="{value}"' for name, value in one.labels)
        name = f"{one.metric}{{{labels}}}"
        lines += [
            f"{name} {value} {stamp}"
            for value, stamp in zip(one.values.tolist(), one.times.tolist(), strict=True)
        ]
    path.write_text("\n".join([*lines, "# EOF", ""]))


def import_samples(
    url: str, samples: Iterable[Samples], auth: tuple[str, str] | None = None
) -> None:
    """Send samples to VictoriaMetrics and wait until queries see them."""
    with httpx.Client(base_url=url, auth=auth) as client:
        for one in samples:
            line = {
                "metric": {"__name__": one.metric, **dict(one.labels)},
                "values": one.values.tolist(),
                "timestamps": (one.times * 1000).tolist(),
            }
            client.post("/api/v1/import", content=json.dumps(line)).raise_for_status()
        client.get("/internal/force_flush").raise_for_status()
