"""Capacity measured of simulated requests, whose capacity is known by arithmetic."""

import doctest
from datetime import timedelta
from importlib import import_module

import numpy as np
import pytest

from forecaster.planning.measured_capacity import Measured, measure_capacity
from forecaster.traffic.history import TrafficSeries
from tests.planning.load_simulation import Load, Signals, cached, capacity_by_search

NOT_EXACT = 0.02  # of the middle: the simulated cost of a request wanders by 3 %


def measured(signals: Signals, target: float = 0.7) -> Measured:
    found = measure_capacity(*signals.each(), target, signals.now)
    assert isinstance(found, Measured), found
    return found


def scaled(series: TrafficSeries, factor: float) -> TrafficSeries:
    return TrafficSeries(series.series_id, series.start, series.step, series.rate_rps * factor)


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(Load(fixed_replicas=40), id="a fixed number of replicas"),
        pytest.param(Load(least=12), id="an autoscaler with quiet nights"),
        pytest.param(Load(), id="an autoscaler that keeps it near the target"),
        pytest.param(Load(fixed_replicas=25), id="more load than is good"),
        pytest.param(Load(fixed_replicas=40, batch_share=0.1), id="batch work in a tenth of hours"),
        pytest.param(Load(fixed_replicas=40, noise=0.15), id="noisy saturation"),
        pytest.param(Load(wander=0.08), id="dear and cheap hours that an autoscaler answers"),
        pytest.param(Load(days=5, fixed_replicas=40), id="five days"),
    ],
)
def test_the_interval_holds_the_capacity_of_the_simulation(load: Load):
    found = measured(cached(load))
    truth = load.capacity(0.7)
    assert found.low_rps <= truth <= found.high_rps
    assert found.capacity_rps == pytest.approx(truth, rel=NOT_EXACT)
    assert found.planned_rps == found.low_rps


def test_a_lower_target_is_a_lower_capacity():
    load = Load(fixed_replicas=40)
    for target in (0.45, 0.9):
        assert measured(cached(load), target).capacity_rps == pytest.approx(
            load.capacity(target), rel=NOT_EXACT
        )


def test_where_contention_bends_the_line_the_part_at_the_target_counts():
    load = Load(fixed_replicas=30, contention=1.0)
    found = measured(cached(load))
    assert found.capacity_rps == pytest.approx(capacity_by_search(load, 0.7), rel=NOT_EXACT)
    assert found.capacity_rps < 0.9 * load.capacity(0.7)  # what a line from below would say
    assert any("steeper" in note for note in found.notes)


def test_a_limit_above_the_target_changes_nothing():
    load = Load(fixed_replicas=25, limit=0.42)
    found = measured(cached(load))
    assert found.low_rps <= load.capacity(0.7) <= found.high_rps
    assert any("flatter" in note for note in found.notes)


def test_after_a_release_only_what_is_after_it_counts():
    load = Load(release_day=7.4, release_factor=1.3, fixed_replicas=40)
    found = measured(cached(load))
    assert found.capacity_rps == pytest.approx(load.capacity(0.7, released=True), rel=0.03)
    release = cached(load).traffic.start + timedelta(days=7.4)
    assert abs(found.since - release) <= timedelta(hours=12)
    assert any("a request costs" in note and "more since" in note for note in found.notes)


def test_a_release_is_seen_behind_an_autoscaler_too():
    load = Load(release_day=8.3, release_factor=1.35)
    found = measured(cached(load))
    assert found.capacity_rps == pytest.approx(load.capacity(0.7, released=True), rel=NOT_EXACT)


def test_of_a_way_that_nobody_saw_it_says_so():
    found = measured(cached(Load(fixed_replicas=58)))
    assert found.reached < 0.6
    assert any("nobody saw it" in note for note in found.notes)


def test_k_times_the_traffic_is_k_times_the_capacity():
    signals = cached(Load(fixed_replicas=40))
    plain = measured(signals)
    more = measure_capacity(
        scaled(signals.traffic, 8.0), signals.replicas, signals.saturation, 0.7, signals.now
    )
    assert isinstance(more, Measured)
    assert more.capacity_rps == pytest.approx(8 * plain.capacity_rps)
    assert more.low_rps == pytest.approx(8 * plain.low_rps)


def test_k_times_the_replicas_is_a_kth_of_the_capacity():
    signals = cached(Load(fixed_replicas=40))
    more = measure_capacity(
        signals.traffic, scaled(signals.replicas, 4.0), signals.saturation, 0.7, signals.now
    )
    assert isinstance(more, Measured)
    assert more.capacity_rps == pytest.approx(measured(signals).capacity_rps / 4)


def test_another_unit_of_saturation_changes_nothing():
    signals = cached(Load(fixed_replicas=40))
    halved = measure_capacity(
        signals.traffic, signals.replicas, scaled(signals.saturation, 0.5), 0.35, signals.now
    )
    assert isinstance(halved, Measured)
    assert halved.capacity_rps == pytest.approx(measured(signals).capacity_rps)


def test_what_comes_after_now_is_not_looked_at():
    signals = cached(Load(fixed_replicas=40))
    now = signals.now - timedelta(days=3)
    other = signals.saturation.rate_rps.copy()
    other[-3 * 1440 :] *= 5
    spoilt = TrafficSeries(
        signals.saturation.series_id, signals.saturation.start, signals.saturation.step, other
    )
    kept = measure_capacity(signals.traffic, signals.replicas, signals.saturation, 0.7, now)
    assert kept == measure_capacity(signals.traffic, signals.replicas, spoilt, 0.7, now)


def test_the_same_history_gives_the_same_numbers():
    signals = cached(Load(days=5, fixed_replicas=40))
    assert measured(signals) == measured(signals)


def test_gaps_cost_their_steps_alone():
    signals = cached(Load(fixed_replicas=40))
    holes = np.random.default_rng(3).random(len(signals.traffic)) < 0.2
    series = [
        TrafficSeries(
            one.series_id,
            one.start,
            one.step,
            np.where(np.roll(holes, 7 * number), np.nan, one.rate_rps),
        )
        for number, one in enumerate(signals.each())
    ]
    found = measure_capacity(series[0], series[1], series[2], 0.7, signals.now)
    assert isinstance(found, Measured)
    assert found.capacity_rps == pytest.approx(measured(signals).capacity_rps, rel=0.01)


def test_signals_of_other_steps_and_spans_are_laid_over_each_other():
    signals = cached(Load(fixed_replicas=40))
    five = signals.saturation.rate_rps.reshape(-1, 5).mean(axis=1)
    coarse = TrafficSeries(
        signals.saturation.series_id, signals.saturation.start, timedelta(minutes=5), five
    )
    later = signals.replicas.since(signals.replicas.start + timedelta(hours=7, minutes=2))
    assert later is not None
    found = measure_capacity(signals.traffic, later, coarse, 0.7, signals.now)
    assert isinstance(found, Measured)
    assert found.capacity_rps == pytest.approx(measured(signals).capacity_rps, rel=0.005)


@pytest.mark.parametrize("minutes", [-1, 2, 3])
def test_saturation_that_comes_late_is_moved_back(minutes):
    load = Load(fixed_replicas=40, traffic_lag=minutes)
    found = measured(cached(load))
    assert found.lag_seconds == 60 * minutes
    assert found.capacity_rps == pytest.approx(load.capacity(0.7), rel=NOT_EXACT)


@pytest.mark.parametrize("target", [0.0, -1.0, float("inf"), float("nan")])
def test_a_target_is_a_number_above_0(target):
    signals = cached(Load(days=5, fixed_replicas=40))
    with pytest.raises(ValueError, match=r"for example 0\.7"):
        measure_capacity(*signals.each(), target, signals.now)


def test_the_worked_examples_in_the_docstrings_hold():
    for name in (
        "",
        "_result",
        "_points",
        "_fit",
        "_bend",
        "_change",
        "_checks",
        "_steady",
        "_settle",
    ):
        module = import_module(f"forecaster.planning.measured_capacity{name}")
        assert doctest.testmod(module).failed == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "released"),
    [
        pytest.param({"fixed_replicas": 40}, False, id="fixed"),
        pytest.param({}, False, id="autoscaled"),
        pytest.param({"least": 12}, False, id="quiet nights"),
        pytest.param({"days": 5, "fixed_replicas": 40}, False, id="five days"),
        pytest.param({"release_day": 8.3, "release_factor": 1.35}, True, id="released"),
    ],
)
def test_of_twenty_intervals_nine_in_ten_hold_the_truth(load, released):
    inside = 0
    for seed in range(200, 220):
        one = Load(seed=seed, **load)
        found = measured(cached(one))
        inside += found.low_rps <= one.capacity(0.7, released) <= found.high_rps
    assert inside >= 15  # of 20; were they 90 % intervals, fewer would have a chance of 1.1 %
