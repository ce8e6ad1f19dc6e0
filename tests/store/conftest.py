from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.store import PlanStore
from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficSeries

NOW = datetime(2026, 5, 4, 18, 0, tzinfo=UTC)

MakeOutlook = Callable[..., Outlook]


@pytest.fixture(scope="session")
def trace() -> TrafficSeries:
    """The bundled trace: real requests, minute by minute."""
    bundled = files("forecaster.traffic") / "data" / "worldcup98-groupstage-1min.csv.gz"
    with as_file(bundled) as path:
        return read_traffic(path, ReadOptions(Unit.REQUESTS)).history.series[0]


@pytest.fixture(scope="session")
def make_outlook(trace: TrafficSeries) -> MakeOutlook:
    """An outlook over two real days; ``first`` chooses which ones."""

    def make(workload: str = "tv/api", first: int = 70_000, steps: int = 2885) -> Outlook:
        base = np.nan_to_num(trace.rate_rps[first : first + steps]) + 0.01
        rates = np.vstack([base * np.exp(0.3 * ndtri(one)) for one in DEFAULT_QUANTILES])
        step = timedelta(minutes=1)
        return Outlook(
            workload, NOW, NOW, step, DEFAULT_QUANTILES, rates, "seasonal", ("best of 5 × 7",)
        )

    return make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "preroll.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[PlanStore]:
    """A new store."""
    with PlanStore(path) as opened:
        yield opened
