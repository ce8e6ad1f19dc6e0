from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.planning.measured_capacity_points import load_points, load_steps
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def series(values, step=MINUTE, start=START):
    return TrafficSeries("tv/api", start, step, np.asarray(values, dtype=float))


def steps_of(traffic, replicas, saturation):
    end = START + timedelta(days=900)
    return load_steps(series(traffic), series(replicas), series(saturation), end)


def test_traffic_is_divided_by_the_replicas_that_are_ready():
    steps = steps_of([120.0, 240.0, 360.0], [4, 4, 4], [0.1, 0.2, 0.3])
    assert steps.rate_rps.tolist() == [30.0, 60.0, 90.0]
    assert steps.saturation.tolist() == [0.1, 0.2, 0.3]


def test_without_a_ready_replica_there_is_no_point():
    steps = steps_of([120.0] * 3, [4, 0, 4], [0.1] * 3)
    assert steps.position.tolist() == [0, 2]


def test_five_minutes_after_a_change_of_replicas_and_one_before_are_left_out():
    replicas = [10] * 20 + [12] * 20
    steps = steps_of([100.0] * 40, replicas, [0.5] * 40)
    assert np.flatnonzero(~steps.steady).tolist() == [19, 20, 21, 22, 23, 24]


def test_one_replica_of_many_makes_no_difference():
    steps = steps_of([100.0] * 40, [100] * 20 + [104] * 20, [0.5] * 40)
    assert steps.steady.all()


def test_a_gap_in_replicas_is_no_change():
    steps = steps_of([100.0] * 30, [10.0] * 15 + [np.nan] + [10.0] * 14, [0.5] * 30)
    assert len(steps.position) == 29
    assert steps.steady.all()


def test_a_point_is_the_mean_of_five_minutes_on_the_clock():
    traffic = np.arange(1.0, 13.0)
    points = load_points(steps_of(traffic, [1] * 12, traffic / 100))
    assert points.rate_rps.tolist() == [3.0, 8.0, 11.5]
    assert points.at_seconds.tolist() == [START.timestamp() + 300 * n for n in range(3)]
    assert points.span == timedelta(minutes=5)


def test_hours_stay_hours():
    hour = timedelta(hours=1)
    signals = [series(np.arange(1.0, 25.0), hour) for _ in range(3)]
    points = load_points(load_steps(*signals, START + timedelta(days=2)))
    assert points.span == hour
    assert points.replicas.tolist() == list(range(1, 25))
    assert len(points) == 24


def test_series_are_cut_to_the_time_that_all_have():
    late = series([4.0] * 30, start=START + timedelta(minutes=10))
    early = series([100.0] * 30)
    steps = load_steps(early, late, early, START + timedelta(days=1))
    assert steps.start == START + timedelta(minutes=10)
    assert len(steps.position) == 20


@pytest.mark.parametrize("minutes", [-1, 0, 1, 4])
def test_how_late_saturation_comes_is_found(minutes):
    random = np.random.default_rng(4)
    traffic = np.exp(np.cumsum(random.normal(0, 0.05, 3000)) * 0.2) * 100
    saturation = np.roll(traffic, minutes) / 200
    assert steps_of(traffic, [1] * 3000, saturation).lag == minutes


def test_points_expect_what_the_traffic_of_the_hour_brings():
    hours = np.repeat(np.tile([100.0, 400.0], 40), 60)
    chance = np.exp(np.random.default_rng(2).normal(0, 0.2, len(hours)))
    points = load_points(steps_of(hours * chance, [2.0] * len(hours), hours / 1000)).expecting()
    middle = points.at_seconds % 3600 == 1800
    expected = points.expected_rps[middle]
    assert np.corrcoef(points.rate_rps[middle], expected)[0, 1] > 0.9
    chance_of_it = points.rate_rps[middle] / np.where(expected > 100, 200, 50)
    assert abs(np.corrcoef(expected, chance_of_it)[0, 1]) < 0.3
    assert points.expected_rps.mean() == pytest.approx(points.rate_rps.mean())
