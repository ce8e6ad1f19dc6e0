"""Servers to fetch traffic from: a scripted stand-in, and real ones filled with the real trace."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd
import pytest

from tests.traffic.certificates import Certificates, make_certificates
from tests.traffic.real_servers import (
    Fleet,
    RealServer,
    binary,
    fleet_of,
    import_samples,
    running_prometheus,
    running_victoriametrics,
    write_openmetrics,
)
from tests.traffic.stand_in import StandIn, serving


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def trace() -> pd.Series:
    resource = files("forecaster.traffic") / "data" / "worldcup98-groupstage-1min.csv.gz"
    with as_file(resource) as path:
        frame = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    return frame["value"]


@pytest.fixture(scope="session")
def fleet(trace: pd.Series) -> Fleet:
    return fleet_of(trace)


@pytest.fixture(scope="session")
def prometheus_server(
    fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    promtool = binary("promtool")
    folder = tmp_path_factory.mktemp("prometheus")
    write_openmetrics(folder / "samples.om", fleet.samples)
    # One block of 1,458 hours instead of 625 of two: promtool reads the file once for each.
    blocks = [promtool, "tsdb", "create-blocks-from", "--max-block-duration=1458h"]
    subprocess.run(
        [*blocks, "openmetrics", "samples.om", "data"], cwd=folder, check=True, capture_output=True
    )
    with running_prometheus(folder) as url:
        yield RealServer(url, 11_000)


@pytest.fixture(scope="session")
def victoriametrics_server(
    fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    folder = tmp_path_factory.mktemp("victoriametrics")
    with running_victoriametrics(folder, "-retentionPeriod=100y") as url:
        import_samples(url, fleet.samples)
        yield RealServer(url, 30_000)


@pytest.fixture
def closed_prometheus(tmp_path: Path, certificates: Certificates) -> Iterator[str]:
    """An empty Prometheus that speaks TLS and wants a client's certificate."""
    (tmp_path / "web.yml").write_text(
        "tls_server_config:\n"
        f"  cert_file: {certificates.server}\n  key_file: {certificates.server_key}\n"
        f"  client_ca_file: {certificates.ca}\n  client_auth_type: RequireAndVerifyClientCert\n"
    )
    tls = ssl.create_default_context(cafile=certificates.ca)
    tls.load_cert_chain(certificates.client, certificates.client_key)
    with running_prometheus(tmp_path, "--web.config.file=web.yml", tls=tls) as url:
        yield url


@pytest.fixture
def forgetful_victoriametrics(tmp_path: Path, fleet: Fleet) -> Iterator[str]:
    """A VictoriaMetrics that keeps a month, asks for a password, and was sent the trace of 1998."""
    options = ("-httpAuth.username=tv", "-httpAuth.password=s3cr3t-kick-off")
    with running_victoriametrics(tmp_path, *options) as url:
        import_samples(url, fleet.samples[:1], auth=("tv", "s3cr3t-kick-off"))
        yield url
