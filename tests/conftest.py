from __future__ import annotations

import os
import signal

# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Two cores: a test that waits for spinning BLAS threads waits for the other worker.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from datetime import UTC, datetime, timedelta

import freezegun
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history

# Stopping the clock looks at every attribute of every module; those of kubernetes load on a look.
freezegun.configure(extend_ignore_list=["kubernetes"])

# Whether an example holds is tested, not how fast a machine is that others use too.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: workers take each other's tests from the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    grouped = {item.path for item in items if item.get_closest_marker("xdist_group")}
    items.sort(key=lambda item: (item.path not in grouped, item.path not in slow))


@pytest.fixture(scope="session")
def tournament() -> TrafficSeries:
    """The bundled trace: seven and a half weeks of a tournament's web site, by the minute."""
    return next(iter(sample_history()))


@pytest.fixture(scope="session")
def tournament_quarters(tournament: TrafficSeries) -> TrafficSeries:
    """The same at 15-minute steps, where speed matters more than the minute."""
    whole = len(tournament) // 15 * 15
    rates = tournament.rate_rps[:whole].reshape(-1, 15).mean(axis=1)
    return TrafficSeries(tournament.series_id, tournament.start, timedelta(minutes=15), rates)


def make_series(
    rates: np.ndarray, *, step: timedelta = timedelta(minutes=30), end: datetime = NOON
) -> TrafficSeries:
    return TrafficSeries("streaming/player-api", end - len(rates) * step, step, rates)
