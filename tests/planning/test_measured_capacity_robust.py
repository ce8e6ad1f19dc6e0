"""Whatever history holds, there is an answer: a capacity with its interval, or a reason."""

from datetime import timedelta

import numpy as np
import pytest

from forecaster.planning.measured_capacity import Measured, Refused, measure_capacity
from forecaster.traffic.history import TrafficSeries
from tests.planning.load_simulation import START

KINDS = {
    "level": lambda random, n: np.full(n, random.choice([0, 1, 1e-300, 1e9])),
    "chance": lambda random, n: random.random(n) * 10.0 ** random.integers(-9, 12),
    "counts": lambda random, n: np.abs(random.normal(size=n)).round(0),
    "waves": lambda random, n: 1 + 0.9 * np.sin(np.arange(n) / n * 20),
    "holes": lambda random, n: np.where(random.random(n) < 0.5, np.nan, random.random(n)),
    "a step": lambda random, n: np.where(np.arange(n) < n / 2, 0.0, 1.0),
    "gaps alone": lambda random, n: np.full(n, np.nan),
    "stairs": lambda random, n: np.floor(np.arange(n) / 200) % 7,
    "wild": lambda random, n: random.pareto(0.5, size=n),
}


@pytest.mark.parametrize("seed", range(60))
def test_there_is_always_an_answer(seed):
    random = np.random.default_rng(seed)
    length = int(random.choice([1, 5, 2000, 4000]))

    def series(kind):
        values = KINDS[kind](random, length)
        step = timedelta(seconds=int(random.choice([7, 60, 300, 3600])))
        return TrafficSeries("tv/api", START, step, values)

    names = list(KINDS)
    traffic = series(random.choice(names))
    replicas = TrafficSeries("tv/api", START, traffic.step, np.full(length, 3.0))
    if random.random() < 0.5:
        replicas = series(random.choice(names))
    values = np.nan_to_num(traffic.rate_rps * 10.0 ** random.integers(-9, 2))
    saturation = TrafficSeries("tv/api", START, traffic.step, values + 0.3 * random.random(length))
    if random.random() < 0.3:
        saturation = series(random.choice(names))
    found = measure_capacity(traffic, replicas, saturation, 0.7, traffic.end)
    if isinstance(found, Measured):
        assert 0 < found.low_rps <= found.capacity_rps <= found.high_rps < np.inf
    else:
        assert isinstance(found, Refused)
        assert found.reason
        assert found.help
