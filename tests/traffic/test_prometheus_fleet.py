"""What is held of a cluster in which few workloads are configured."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.traffic.prometheus import FleetQuery
from forecaster.traffic.prometheus.answer import RangeAnswer, RangeSeries
from forecaster.traffic.prometheus.fleet import FleetTraffic
from forecaster.traffic.prometheus.grid import StepGrid

START = datetime(1998, 4, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_series_that_nobody_asked_for_takes_no_memory():
    grid = StepGrid.within(START, START + timedelta(days=28), MINUTE)
    first = grid.count - 10
    times = np.array([grid.evaluated_ms(index) for index in range(first, grid.count)])
    answer = RangeAnswer(
        tuple(
            RangeSeries({"namespace": "tv", "deployment": f"w{n}"}, times, np.ones(10))
            for n in range(100)
        ),
        (),
    )

    def peak(workloads):
        fleet = FleetTraffic(FleetQuery("q"), grid, workloads)
        tracemalloc.start()
        fleet.place(answer, first, grid.count)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak_bytes / (grid.count * 8), len(fleet.take_history())

    arrays, series = peak(None)
    assert (int(arrays), series) == (100, 100)
    arrays, series = peak(frozenset({"tv/w3", "tv/w7", "tv/gone"}))
    assert series == 2
    assert arrays < 3
