from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.backtest.hpa import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    AverageValueMetric,
    Fallback,
    FallbackBehavior,
    Feedback,
    HpaSpec,
    Keda,
    PolicyType,
    ResourceMetric,
    ScaleBehavior,
    ScalePolicy,
    ScaleRules,
    SelectPolicy,
    Signal,
    Simulation,
    Source,
    StartUpTime,
    ValueMetric,
    simulate,
)
from forecaster.traffic.history import TrafficSeries
from tests.backtest.hpa_oracle import slow_simulation

AT_ONCE = StartUpTime(0)
FLOOR = HpaSpec((AverageValueMetric(1),), behavior=ScaleBehavior())


def minutes(spec: HpaSpec, *sources: Source, steps: int, initial: int = 1) -> Simulation:
    return simulate(
        spec, sources, steps=steps, step_seconds=60, startup=AT_ONCE, initial_replicas=initial
    )


def at(simulation: Simulation, *seconds: float) -> list[int]:
    return simulation.asked.at(np.array(seconds)).tolist()


def test_a_measured_step_is_seen_once_it_is_complete() -> None:
    simulation = minutes(FLOOR, Signal(np.array([2.0, 5.0, 5.0])), steps=3, initial=2)
    assert at(simulation, 119, 120) == [2, 5]


def test_a_delay_comes_on_top_and_waits_for_the_next_sync() -> None:
    values = np.array([2.0, 5.0, 5.0, 5.0])
    simulation = minutes(FLOOR, Signal(values, delay_seconds=20), steps=4, initial=2)
    assert at(simulation, 149, 150) == [2, 5]


def test_what_is_served_acts_within_its_own_step() -> None:
    simulation = minutes(FLOOR, Signal(np.array([2.0, 5.0]), served=True), steps=2, initial=2)
    assert at(simulation, 59, 60) == [2, 5]


def test_all_syncs_of_a_step_see_the_same_value() -> None:
    values = np.array([1.0, 50.0, 1.0, 1.0])
    spec = HpaSpec((AverageValueMetric(1),))
    simulation = minutes(spec, Signal(values, served=True), steps=4)
    assert at(simulation, 60, 75, 90, 105) == [4, 8, 16, 32]
    assert at(simulation, 120) == [50], "without behavior it climbs on to a peak that has passed"


def test_nothing_changes_before_every_signal_can_be_seen() -> None:
    spec = HpaSpec((AverageValueMetric(1), AverageValueMetric(10)), behavior=ScaleBehavior())
    floor = Signal(np.full(4, 3.0), served=True)
    load = Signal(np.full(4, 10.0), delay_seconds=60)
    simulation = minutes(spec, floor, load, steps=4)
    assert simulation.sync_seconds[0] == 120
    assert at(simulation, 119, 120) == [1, 3]


def test_a_gap_in_the_trace_is_a_failed_metric_and_holds() -> None:
    values = np.array([6.0, np.nan, np.nan, 6.0])
    simulation = minutes(FLOOR, Signal(values, served=True), steps=4, initial=6)
    assert simulation.asked.lowest().tolist() == [6, 6, 6, 6]


def test_cached_metrics_are_as_old_as_kedas_last_poll() -> None:
    values = np.array([2.0, 2.0, 2.0, 8.0, 8.0, 8.0])
    spec = replace(FLOOR, metrics=(AverageValueMetric(1, cached=True),), keda=Keda(100))
    simulation = minutes(spec, Signal(values, served=True), steps=6, initial=2)
    # Polls at 0, 100, 200, 300 s: the value of 180 s is polled at 200 and acted on at 210.
    assert at(simulation, 209, 210, 225) == [2, 6, 8]


def test_the_fallback_speaks_after_more_than_the_threshold_of_polls_and_syncs() -> None:
    values = np.array([5.0, np.nan, np.nan, np.nan])
    slow_polls = Keda(600, Fallback(3, 8))
    simulation = minutes(
        replace(FLOOR, keda=slow_polls), Signal(values, served=True), steps=4, initial=5
    )
    assert at(simulation, 104, 105) == [5, 8], "the fourth failed sync: 60, 75, 90, 105 s"

    own_polls = Keda(30, Fallback(3, 8))
    simulation = minutes(
        replace(FLOOR, keda=own_polls), Signal(values, served=True), steps=4, initial=5
    )
    assert at(simulation, 89, 90) == [5, 8], "failed polls at 60 and 90 s count as well"


def test_a_metric_may_look_at_the_replicas() -> None:
    spec = replace(FLOOR, max_replicas=9)
    one_more = Feedback(lambda step, current: current + step)
    assert minutes(spec, one_more, steps=3).asked.mean().tolist() == [1.0, 3.5, 8.5]


def test_cpu_waits_for_pods_that_are_starting_where_a_total_does_not() -> None:
    usage = Signal(np.full(6, 2.8), served=True)
    spec = HpaSpec((ResourceMetric(70),), behavior=ScaleBehavior())
    simulation = simulate(
        spec, [usage], steps=6, step_seconds=60, startup=StartUpTime(120), initial_replicas=1
    )
    # One pod at 280 % of its request: four wanted, and no more while three of them start.
    assert simulation.asked.seconds.tolist() == [0.0, 0.0]
    assert simulation.asked.replicas.tolist() == [1, 4]
    assert simulation.ready.seconds.tolist() == [0.0, 120.0]


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        pytest.param([], "one source for each of 1 metrics", id="too-few"),
        pytest.param([Signal(np.ones(3))], "needs 4 values", id="another-length"),
    ],
)
def test_sources_that_do_not_fit_are_refused(sources: list[Source], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        minutes(FLOOR, *sources, steps=4)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.array([1.0, -1.0]), id="negative"),
        pytest.param(np.array([1.0, np.inf]), id="infinite"),
        pytest.param(np.ones((2, 2)), id="two-dimensional"),
    ],
)
def test_a_signal_that_is_not_one_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="signal"):
        Signal(values)


def rules(default: ScaleRules) -> st.SearchStrategy[ScaleRules]:
    policies = st.builds(
        ScalePolicy,
        st.sampled_from(PolicyType),
        st.sampled_from([1, 4, 10, 50, 100]),
        st.sampled_from([15, 40, 60, 180]),
    )
    own = st.builds(
        ScaleRules,
        st.lists(policies, min_size=1, max_size=3).map(tuple),
        st.sampled_from([0, 15, 50, 60, 300]),
        st.sampled_from(SelectPolicy),
        st.sampled_from([None, 0.0, 0.05, 0.2]),
    )
    return st.one_of(st.just(default), own)


behaviors = st.one_of(
    st.none(), st.builds(ScaleBehavior, rules(DEFAULT_SCALE_UP), rules(DEFAULT_SCALE_DOWN))
)
metrics = st.one_of(
    st.builds(AverageValueMetric, st.sampled_from([1, 2.5, 10]), st.booleans()),
    st.builds(ValueMetric, st.just(10)),
    st.builds(ResourceMetric, st.sampled_from([50, 70]), st.sampled_from([None, 100, 200])),
)
kedas = st.builds(
    Keda,
    st.sampled_from([20, 30, 100]),
    st.one_of(
        st.none(),
        st.builds(
            Fallback,
            st.integers(0, 4),
            st.integers(0, 20),
            st.sampled_from(FallbackBehavior),
        ),
    ),
)
specs = st.builds(
    HpaSpec,
    st.lists(metrics, min_size=1, max_size=2).map(tuple),
    st.sampled_from([1, 3]),
    st.sampled_from([5, 40]),
    behaviors,
    sync_seconds=st.sampled_from([10, 15]),
    tolerance_ratio=st.sampled_from([0.0, 0.1]),
    downscale_stabilization_seconds=st.sampled_from([0, 60, 300]),
    keda=kedas,
)


def cut_short(spec: HpaSpec, seed: int) -> Feedback:
    """An exporter in the manner of prescaling-exporter: one more tenth until its floor is met."""
    floors = np.random.default_rng(seed).integers(0, 25, 1000).tolist()
    per = spec.metrics[0].target if isinstance(spec.metrics[0], AverageValueMetric) else 1
    return Feedback(lambda step, current: (11.0 if current < floors[step] else 10.0) * per)


@settings(max_examples=200, deadline=None)
@given(
    spec=specs,
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(3, 25),
    step=st.sampled_from([20, 60, 90, 300]),
    delay=st.sampled_from([0, 10, 45]),
    served=st.booleans(),
    startup=st.sampled_from([[0], [40], [90], [10, 35, 200]]),
    initial=st.sampled_from([0, 1, 4, 50]),
    feedback=st.booleans(),
)
def test_short_cuts_change_nothing_a_second_by_second_simulation_says_the_same(
    spec: HpaSpec,
    seed: int,
    steps: int,
    step: int,
    delay: int,
    served: bool,
    startup: list[int],
    initial: int,
    feedback: bool,
) -> None:
    rng = np.random.default_rng(seed)
    sources: list[Source] = []
    for metric in spec.metrics:
        # Runs of the same value, bursts, failures; about as many replicas as the limits span.
        level = np.repeat(rng.integers(0, 30, steps), rng.integers(1, 6, steps))[:steps]
        wiggle = np.round(level * rng.choice([1.0, 1.0, 0.93, 1.08], steps), 3)
        per = metric.target_percent / 100 if isinstance(metric, ResourceMetric) else metric.target
        values = np.round(wiggle * per, 3)
        values[rng.random(steps) < rng.choice([0, 0.3])] = np.nan
        sources.append(Signal(values, delay, served))
    if feedback and spec.keda.fallback is None:
        sources[0] = cut_short(spec, seed)
    simulation = simulate(
        spec,
        sources,
        steps=steps,
        step_seconds=step,
        startup=StartUpTime(startup),
        initial_replicas=initial,
        rng=np.random.default_rng(seed),
    )
    asked, ready = slow_simulation(
        spec,
        sources,
        steps=steps,
        step=step,
        startup=startup,
        initial=initial,
        rng=np.random.default_rng(seed),
    )
    seconds = np.arange(steps * step)
    assert simulation.asked.at(seconds).tolist() == asked
    assert simulation.ready.at(seconds).tolist() == ready
    per_step = np.array(ready).reshape(steps, step)
    needed = rng.random(steps) * 30
    np.testing.assert_allclose(simulation.ready.mean(), per_step.mean(axis=1))
    np.testing.assert_array_equal(simulation.ready.lowest(), per_step.min(axis=1))
    np.testing.assert_allclose(
        simulation.ready.short_of(needed),
        np.maximum(needed[:, None] - per_step, 0).mean(axis=1),
    )


@pytest.mark.parametrize(
    "behavior",
    [
        pytest.param(None, id="without-behavior"),
        pytest.param(
            ScaleBehavior(
                replace(DEFAULT_SCALE_UP, tolerance_ratio=0.0),
                replace(DEFAULT_SCALE_DOWN, stabilization_window_seconds=60),
            ),
            id="with-behavior",
        ),
    ],
)
def test_on_a_real_trace_it_is_the_second_by_second_simulation_too(
    tournament: TrafficSeries, behavior: ScaleBehavior | None
) -> None:
    rates = np.round(np.nan_to_num(tournament.rate_rps[-1440:]), 3)
    capacity = round(float(rates.max()) / 60, 3)
    spec = HpaSpec(
        (AverageValueMetric(1), AverageValueMetric(capacity)), max_replicas=80, behavior=behavior
    )
    floor = np.ceil(np.roll(rates, -10) / capacity)
    sources = [Signal(floor, served=True), Signal(rates, delay_seconds=30)]
    simulation = simulate(
        spec, sources, steps=1440, step_seconds=60, startup=StartUpTime(90), initial_replicas=2
    )
    asked, ready = slow_simulation(
        spec,
        sources,
        steps=1440,
        step=60,
        startup=[90],
        initial=2,
        rng=np.random.default_rng(0),
    )
    seconds = np.arange(1440 * 60)
    assert simulation.asked.at(seconds).tolist() == asked
    assert simulation.ready.at(seconds).tolist() == ready
    assert max(asked) > 40
