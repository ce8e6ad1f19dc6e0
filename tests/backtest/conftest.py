from datetime import timedelta
from importlib.resources import as_file, files

import numpy as np
import pytest

from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficSeries


@pytest.fixture(scope="session")
def hourly_trace() -> TrafficSeries:
    """The bundled trace, an hour a step: 52 days that begin and end within a day."""
    bundled = files("forecaster.traffic") / "data" / "worldcup98-groupstage-1min.csv.gz"
    with as_file(bundled) as path:
        minutes = read_traffic(path, ReadOptions(Unit.REQUESTS)).history.series[0]
    hours = len(minutes) // 60
    values = minutes.rate_rps[: hours * 60].reshape(hours, 60)
    return TrafficSeries("web", minutes.start, timedelta(hours=1), np.mean(values, axis=1))
