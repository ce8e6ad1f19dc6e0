"""Cuts of the bundled trace, small enough to train on in a second or two."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from forecaster.models import train_outlook
from forecaster.models.day_path import DayAheadPath
from forecaster.models.peak import PeakConfig
from forecaster.models.peak.boosting import BoostingConfig
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history

QUICK = PeakConfig(
    rows=6000,
    location=BoostingConfig(rounds=30),
    scale=BoostingConfig(rounds=20),
    least_past=((300, timedelta(0)),),
)
LEAD_STEPS = 5


@pytest.fixture(scope="session")
def trace() -> TrafficSeries:
    """The last twelve days of the bundled trace, at one minute."""
    whole = next(iter(sample_history()))
    recent = whole.since(whole.end - timedelta(days=12))
    assert recent is not None
    return recent


@pytest.fixture(scope="session")
def cutoff(trace: TrafficSeries) -> datetime:
    """Two days before its end."""
    return trace.end - timedelta(days=2)


@pytest.fixture(scope="session")
def path(trace: TrafficSeries, cutoff: datetime) -> DayAheadPath:
    """The day-ahead path as it was known at the cutoff."""
    return train_outlook(trace, cutoff).path
