from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forecaster.cluster.client import ClusterClient
from tests.cluster.reading import client_of
from tests.cluster.standin import StandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(tokens={"right"}) as standing_in:
        yield standing_in


@pytest.fixture
def client(server: StandIn, tmp_path: Path) -> Iterator[ClusterClient]:
    made = client_of(server, tmp_path)
    yield made
    made.close()
