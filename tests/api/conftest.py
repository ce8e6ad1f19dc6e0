from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from forecaster.planning.snapshot import Snapshot
from tests.api.plans import snapshot, state, untrained
from tests.api.service import Service, serving


def three_workloads() -> Snapshot:
    """One planned, one not trained yet, one with a reason for having no plan."""
    return snapshot(
        state("streaming/player-api"),
        untrained("streaming/chat"),
        untrained("ads/breaks", "20 h of traffic are known, 24 h are needed"),
    )


@pytest.fixture
def service() -> Iterator[Service]:
    """A service whose desk the test may change."""
    with serving(three_workloads()) as running:
        yield running


@pytest.fixture(scope="session")
def steady() -> Iterator[Service]:
    """The same for tests that only read: its desk stays as it is."""
    with serving(three_workloads()) as running:
        yield running


@pytest.fixture
def client(steady: Service) -> Iterator[socket.socket]:
    """A connection to it."""
    with socket.create_connection(("127.0.0.1", steady.port), timeout=5) as connected:
        yield connected
