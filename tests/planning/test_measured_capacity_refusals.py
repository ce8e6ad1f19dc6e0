"""Where history cannot tell a capacity, it says why, and what it does know."""

from datetime import timedelta

import numpy as np
import pytest

from forecaster.planning.measured_capacity import Refusal, Refused, measure_capacity
from forecaster.planning.measured_capacity_checks import check_width
from forecaster.planning.measured_capacity_fit import Interval
from forecaster.traffic.history import TrafficSeries
from tests.planning.load_simulation import Load, Signals, cached

FIXED = Load(fixed_replicas=40)


def refused(signals: Signals, target: float = 0.7) -> Refused:
    found = measure_capacity(*signals.each(), target, signals.now)
    assert isinstance(found, Refused), found
    assert found.help
    return found


def with_saturation(signals: Signals, values: np.ndarray) -> Signals:
    old = signals.saturation
    return Signals(
        signals.traffic, signals.replicas, TrafficSeries(old.series_id, old.start, old.step, values)
    )


def test_a_signal_that_is_not_there_is_named():
    signals = cached(FIXED)
    found = measure_capacity(signals.traffic, None, None, 0.7, signals.now)
    assert isinstance(found, Refused)
    assert found.refusal is Refusal.MISSING
    assert "no count of ready replicas and no saturation" in found.reason


def test_signals_of_different_weeks_never_meet():
    signals = cached(FIXED)
    old = signals.saturation
    elsewhen = TrafficSeries(old.series_id, old.start - timedelta(days=60), old.step, old.rate_rps)
    found = refused(Signals(signals.traffic, signals.replicas, elsewhen))
    assert found.refusal is Refusal.MISSING
    assert "same days" in found.help


def test_before_all_history_there_is_nothing():
    signals = cached(FIXED)
    found = measure_capacity(*signals.each(), 0.7, signals.traffic.start)
    assert isinstance(found, Refused)
    assert found.refusal is Refusal.MISSING


def test_two_days_are_too_few():
    found = refused(cached(Load(days=2, fixed_replicas=40)))
    assert found.refusal is Refusal.SHORT
    assert "only 2.0 days on 2 days" in found.reason
    assert "3 days" in found.help


def test_replicas_that_never_rest_leave_too_few_steps():
    signals = cached(Load(days=4, fixed_replicas=40))
    restless = 40.0 + 20 * (np.arange(len(signals.replicas)) // 4 % 2)
    old = signals.replicas
    moving = TrafficSeries(old.series_id, old.start, old.step, restless)
    found = refused(Signals(signals.traffic, moving, signals.saturation))
    assert found.refusal is Refusal.SHORT
    assert "replicas had just changed in 100% of it" in found.reason


def test_replicas_that_were_never_loaded_give_a_bound():
    load = Load(fixed_replicas=120)
    found = refused(cached(load))
    assert found.refusal is Refusal.UNLOADED
    assert found.at_least_rps is not None
    assert 0.25 * load.capacity(0.7) < found.at_least_rps < load.capacity(0.7)
    assert f"at least {found.at_least_rps:.4g}" in found.help


def test_load_that_is_always_the_same_at_another_utilisation_tells_no_slope():
    load = Load(valley=0.3, peak_rps=9000, least=1)
    found = refused(cached(load), target=0.5)
    assert found.refusal is Refusal.SPREAD
    assert "hardly differs" in found.reason
    assert "the target is 0.5" in found.reason
    assert found.at_least_rps is None  # what is seen is beyond the target
    assert refused(cached(load), target=0.95).at_least_rps is not None


def test_a_level_load_that_nothing_answers_tells_nothing():
    load = Load(valley=0.95, fixed_replicas=38)  # near the target by chance
    assert refused(cached(load)).refusal is Refusal.SPREAD


def test_saturation_that_something_else_makes_is_refused():
    found = refused(cached(Load(cpu_seconds=0.00002, idle=0.2, batch_share=0.3)))
    assert found.refusal is Refusal.UNRELATED
    assert "%" in found.reason


def test_saturation_of_other_hours_is_unrelated():
    signals = cached(FIXED)
    shuffled = np.random.default_rng(1).permutation(signals.saturation.rate_rps)
    assert refused(with_saturation(signals, shuffled)).refusal is Refusal.UNRELATED


def test_an_idle_replica_beyond_the_target_has_no_capacity():
    signals = cached(FIXED)
    found = refused(with_saturation(signals, signals.saturation.rate_rps + 0.75))
    assert found.refusal is Refusal.UNRELATED
    assert "idle replica" in found.reason


def test_a_limit_below_the_target_is_found():
    load = Load(limit=0.3, fixed_replicas=30)
    found = refused(cached(load))
    assert found.refusal is Refusal.SATURATED
    assert "stops to grow at 0.6" in found.reason  # 0.3 of the 0.5 that are requested
    assert found.at_most_rps == pytest.approx(load.capacity(0.6), rel=0.05)


def test_a_release_too_short_ago_is_told_with_its_cost():
    found = refused(cached(Load(release_day=12.4, release_factor=1.3)))
    assert found.refusal is Refusal.CHANGED
    assert found.cost_ratio == pytest.approx(1.3, abs=0.04)
    assert found.changed_at is not None
    release = cached(FIXED).traffic.start + timedelta(days=12.4)
    assert abs(found.changed_at - release) < timedelta(hours=6)


def test_per_cent_are_recognised():
    signals = cached(FIXED)
    found = refused(with_saturation(signals, signals.saturation.rate_rps * 100))
    assert found.refusal is Refusal.UNITS
    assert "per cent" in found.reason
    assert "100" in found.help


def test_a_sum_over_replicas_is_recognised():
    signals = cached(Load(least=12))
    total = signals.saturation.rate_rps * signals.replicas.rate_rps / 100
    found = refused(with_saturation(signals, total))
    assert found.refusal is Refusal.UNITS
    assert "sum over replicas" in found.reason


def test_saturation_of_0_is_no_saturation():
    signals = cached(FIXED)
    found = refused(with_saturation(signals, np.zeros(len(signals.saturation))))
    assert found.refusal is Refusal.UNITS


def test_hours_that_disagree_are_too_uncertain():
    signals = cached(Load(days=4, fixed_replicas=40))
    by_chance = np.exp(np.random.default_rng(2).normal(0, 0.6, 24))
    unlike = signals.saturation.rate_rps * np.repeat(by_chance, 240)
    found = refused(with_saturation(signals, unlike))
    assert found.refusal is Refusal.UNCERTAIN
    assert found.at_least_rps is not None
    assert found.at_most_rps is not None
    assert f"{found.at_least_rps:.4g} to {found.at_most_rps:.4g}" in found.reason


def test_an_interval_without_ends_is_told_without_numbers():
    found = check_width(Interval(100.0, 0.0, float("inf")))
    assert found is not None
    assert found.refusal is Refusal.UNCERTAIN
    assert "without ends" in found.reason
    assert found.at_least_rps is None
    assert check_width(Interval(100.0, 76.0, 131.0)) is None


def test_the_reason_reads_as_two_sentences():
    text = str(refused(cached(Load(days=2, fixed_replicas=40))))
    assert text.count(". ") >= 1
    assert ".." not in text
