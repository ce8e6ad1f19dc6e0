import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from forecaster.backtest import (
    EXAMPLE_BEHAVIOR,
    DayAhead,
    Exporter,
    Hpa,
    Preroll,
    ReplaySettings,
    ReplaySpan,
    Schedule,
    auto_capacity,
    replay_oracle,
    replay_policy,
)
from forecaster.backtest.hpa import (
    AverageValueMetric,
    HpaSpec,
    PolicyType,
    ScaleBehavior,
    Signal,
)
from forecaster.backtest.policies import Floor
from forecaster.backtest.replay import simulate_floor
from forecaster.backtest.span import lead_peaks
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history
from tests.backtest.hpa_oracle import slow_simulation
from tests.backtest.replay_cases import MINUTE, at_capacity, minutes, wavy

NAN = float("nan")


def foresight(span, settings):
    return lead_peaks(span.rate_rps, settings.lead_steps(span.series.step))


def test_the_hpa_sees_the_step_before_and_its_pods_come_a_lead_time_later():
    span = minutes(20.0, 20.0, 60.0, 60.0, 60.0, 60.0, before=(20.0,))
    replay = replay_policy(span, Hpa(1.0), at_capacity())
    # The minute at 60 rps ends at 3:00: 2, 4, 6 replicas are asked for within 15 s, ready at 5:15.
    assert replay.asked.tolist() == [2, 2, 2, (4 * 15 + 6 * 45) / 60, 6, 6]
    assert replay.ready.tolist() == [2, 2, 2, 2, 2, (4 * 15 + 6 * 45) / 60]
    assert replay.measures.scaling_actions == 2
    (one,) = replay.shortages
    assert one.seconds == 195
    assert one.missing_replicas == 4


def test_a_floor_served_a_lead_window_early_is_ready_in_time():
    rates = (20.0, 20.0, 20.0, 40.0, 40.0, 40.0)
    settings = at_capacity()
    span = minutes(*rates, before=(20.0,))
    replay = replay_policy(span, Preroll(0.98, foresight(span, settings)), settings)
    assert replay.asked.tolist() == [2, 4, 4, 4, 4, 4]
    assert replay.ready.tolist() == [2, 2, 2, 4, 4, 4]
    assert replay.measures.unserved_ratio == 0


def test_a_lead_time_that_is_no_whole_step_ends_within_the_lead_window():
    settings = at_capacity(lead_time=timedelta(seconds=90))
    span = minutes(20.0, 20.0, 20.0, 40.0, 40.0)
    replay = replay_policy(span, Preroll(0.98, foresight(span, settings)), settings)
    assert replay.ready.tolist() == [2, 2, 3, 4, 4], "asked for at 1:00, ready at 2:30"


def test_in_a_gap_the_hpa_holds():
    rates = [50.0, 50.0, NAN, *[NAN] * 8, 20.0]
    replay = replay_policy(minutes(*rates), Hpa(1.0), at_capacity())
    assert set(replay.asked.tolist()) == {5.0}
    assert np.isnan(replay.short[2:11]).all()
    assert not np.isnan(replay.short[[0, 1, 11]]).any()


def test_a_floor_still_scales_up_in_a_gap():
    floor = np.array([20.0, 20.0, 90.0, 90.0, 90.0])
    replay = replay_policy(minutes(20.0, 20.0, NAN, NAN, 20.0), Preroll(0.5, floor), at_capacity())
    assert replay.asked[-1] == 9


def test_a_floor_that_is_not_known_holds_and_one_of_zero_lets_go():
    rates = [80.0, *[20.0] * 29]
    settings = at_capacity()
    asked = {}
    for floor in (0.0, NAN):
        policy = Preroll(0.5, np.full(30, floor), hold_down=timedelta(0))
        asked[str(floor)] = replay_policy(minutes(*rates), policy, settings).asked[-1]
    assert asked == {"0.0": 2, "nan": 8}


def test_everyone_begins_with_what_the_first_observed_step_needs():
    span = minutes(NAN, 35.0, 90.0)
    settings = at_capacity()
    replays = [replay_oracle(span, settings), replay_policy(span, Hpa(), settings)]
    assert [one.ready[0] for one in replays] == [4, 4]


def test_a_metric_delay_makes_the_hpa_see_later():
    span = minutes(20.0, 60.0, 60.0, 60.0, before=(20.0,))
    late = replay_policy(span, Hpa(1.0), at_capacity(metric_delay_seconds=30))
    assert late.asked.tolist() == [2, 2, (2 * 30 + 4 * 15 + 6 * 15) / 60, 6]


def test_start_up_samples_take_the_place_of_the_lead_time():
    span = minutes(20.0, 20.0, 20.0, 20.0, before=(90.0,))
    slow = at_capacity(startup_seconds=(30.0, 90.0), seed=3)
    replay = replay_policy(span, Hpa(1.0), slow)
    assert replay_policy(span, Hpa(1.0), slow).ready.tolist() == replay.ready.tolist()
    assert 2 < replay.ready[0] < 9
    assert replay.ready[2] == 9, "all are there after 30 s of syncs and 90 s of start"


def test_the_oracle_has_what_each_step_needs_and_pays_while_it_starts():
    span = minutes(10.0, 10.0, 10.0, 31.0, 20.0, NAN, 20.0)
    oracle = replay_oracle(span, at_capacity(price_per_replica_hour=60.0))
    assert oracle.ready.tolist() == [1, 1, 1, 4, 2, 2, 2]
    assert oracle.asked.tolist() == [1, 4, 4, 4, 2, 2, 2]
    assert oracle.measures.unserved_ratio == oracle.measures.slack_ratio == 0
    assert oracle.measures.scaling_actions == 2
    assert oracle.measures.replica_hours == pytest.approx(11 / 60)
    assert oracle.measures.paid_replica_hours == pytest.approx(17 / 60)
    assert oracle.measures.cost == pytest.approx(17)


def test_the_oracle_keeps_the_minimum():
    oracle = replay_oracle(minutes(0.0, 0.0), at_capacity(min_replicas=3))
    assert oracle.ready.tolist() == [3, 3]


@pytest.mark.parametrize("tolerance", [0.0, 0.1], ids=["no band", "with its band"])
@pytest.mark.parametrize("behavior", [None, ScaleBehavior()], ids=["plain", "behavior"])
def test_it_runs_as_the_autoscaler_does_second_by_second(tolerance, behavior):
    span = wavy(2, 1, timedelta(minutes=5))
    settings = ReplaySettings(
        10.0, timedelta(minutes=7), 2, 60, tolerance_ratio=tolerance, behavior=behavior
    )
    policy = Preroll(0.9, foresight(span, settings) * 0.9, utilisation=0.8)
    replay = replay_policy(span, policy, settings)
    unknown = np.isnan(policy.lead_peak_rps)
    needed = [
        2 if math.isnan(rate) else min(max(math.ceil(rate / 10 * (1 - 1e-9)), 2), 60)
        for rate in policy.lead_peak_rps.tolist()
    ]
    held = np.array([max(needed[max(i - 1, 0) : i + 1]) for i in range(len(span))], dtype=float)
    assert 0 < unknown.sum() < 5, "the gap is longer than the lead window"
    held[unknown] = NAN
    before = span.series.rate_rps[span.first - 1 : -1]
    asked, ready = slow_simulation(
        HpaSpec(
            (AverageValueMetric(1), AverageValueMetric(800)),
            2,
            60,
            behavior,
            tolerance_ratio=tolerance,
        ),
        (Signal(held, served=True), Signal(before * 100, served=True)),
        steps=len(span),
        step=300,
        startup=[420],
        initial=int(np.ceil(span.rate_rps[0] / 10)),
        rng=np.random.default_rng(1),
    )
    assert replay.asked.tolist() == np.mean(np.reshape(asked, (-1, 300)), axis=1).tolist()
    assert replay.ready.tolist() == np.mean(np.reshape(ready, (-1, 300)), axis=1).tolist()


def all_policies(span):
    naive = span.series.rate_rps[span.first - 96 : -96]
    return [
        Hpa(0.8),
        Schedule(utilisation=1.0),
        Exporter(utilisation=1.0),
        DayAhead("outlook", np.nan_to_num(naive), 1.2, 1.0),
        Preroll(0.9, np.nan_to_num(naive) * 1.5),
    ]


@pytest.mark.parametrize("which", range(5), ids=["hpa", "schedule", "exporter", "outlook", "ours"])
def test_no_policy_looks_ahead(which):
    span = wavy(17, 2, timedelta(minutes=15))
    policy = all_policies(span)[which]
    settings = at_capacity(lead_time=timedelta(minutes=20))
    for step in (17, 96, 140):
        changed = span.series.rate_rps.copy()
        changed[span.first + step :] *= 7
        other = ReplaySpan(
            TrafficSeries("web", span.series.start, span.series.step, changed), span.start
        )
        now = replay_policy(span, policy, settings).asked
        then = replay_policy(other, policy, settings).asked
        assert now[: step + 1].tolist() == then[: step + 1].tolist()
        if which in (0, 1, 2):
            assert now.tolist() != then.tolist(), "what came later mattered later"


def test_what_ran_before_the_counted_span_counts_nowhere_and_is_not_forgotten():
    whole = minutes(50.0, 80.0, 20.0, 60.0, 60.0, before=(50.0,))
    counted = ReplaySpan(whole.series, whole.start + 2 * MINUTE)
    settings = at_capacity(price_per_replica_hour=1.0)
    run = replay_policy(whole, Hpa(1.0), settings)
    part = replay_policy(whole, Hpa(1.0), settings, counted)
    # Pods that were asked for in minute 2, in which 8 were missing, are ready in minute 4.
    assert run.ready.tolist() == [5, 5, 5, 5, 8]
    assert part.ready.tolist() == [5, 5, 8]
    assert part.asked.tolist() == run.asked[2:].tolist()
    assert part.short.tolist() == run.short[2:].tolist() == [0.0, pytest.approx(1.0), 0.0]
    assert part.measures.unserved_ratio == pytest.approx(1 / 14)
    assert part.measures.replica_hours == pytest.approx(18 / 60)
    assert [(one.start, one.seconds) for one in part.shortages] == [
        (whole.start + 3 * MINUTE, pytest.approx(60))
    ]
    assert len(run.shortages) == 2


def test_a_policy_with_neither_floor_nor_hpa_is_refused():
    with pytest.raises(ValueError, match="floor or a utilisation"):
        simulate_floor(minutes(1.0), None, None, at_capacity())


def test_the_worst_shortages_come_first():
    span = minutes(50.0, 90.0, 50.0, 70.0, 50.0, 300.0, 50.0)
    replay = replay_policy(span, Preroll(0.5, np.full(7, 50.0), utilisation=None), at_capacity())
    assert [one.missing_replicas for one in replay.worst(2)] == [25, 4]
    assert len(replay.shortages) == 3


def test_the_example_behavior_is_that_of_the_example_manifest():
    path = Path(__file__).parents[2] / "deploy" / "examples" / "scaledobject.yaml"
    spec = yaml.safe_load(path.read_text())["spec"]
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    up, down = EXAMPLE_BEHAVIOR.scale_up, EXAMPLE_BEHAVIOR.scale_down
    (policy,) = up.policies
    assert behavior["scaleUp"] == {
        "stabilizationWindowSeconds": up.stabilization_window_seconds,
        "policies": [
            {
                "type": policy.type.value,
                "value": policy.value,
                "periodSeconds": policy.period_seconds,
            }
        ],
        "selectPolicy": up.select_policy.value,
        "tolerance": f"{up.tolerance_ratio:g}",
    }
    assert policy.type is PolicyType.PODS
    assert behavior["scaleDown"] == {
        "stabilizationWindowSeconds": down.stabilization_window_seconds,
        "selectPolicy": down.select_policy.value,
    }


def test_preroll_may_have_its_own_behavior():
    span = minutes(*[100.0] * 5)
    settings = at_capacity(min_replicas=10)
    floor = np.full(5, 105.0)
    ignored = replay_policy(span, Preroll(0.5, floor), settings)
    obeyed = replay_policy(span, Preroll(0.5, floor, behavior=EXAMPLE_BEHAVIOR), settings)
    assert (ignored.asked[-1], obeyed.asked[-1]) == (10, 11), "11 wanted with 10: within the band"


def test_a_floor_of_another_length_is_refused():
    with pytest.raises(ValueError, match="one value for each of 2 steps"):
        replay_policy(minutes(1.0, 2.0), Preroll(0.5, np.zeros(3)), at_capacity())
    with pytest.raises(ValueError, match="outlook: one value for each of 2 steps"):
        replay_policy(minutes(1.0, 2.0), DayAhead("outlook", np.zeros(3)), at_capacity())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("capacity_rps", 0.0),
        ("lead_time", timedelta(0)),
        ("min_replicas", 0),
        ("max_replicas", 0),
        ("tolerance_ratio", 1.0),
        ("metric_delay_seconds", -1.0),
        ("price_per_replica_hour", -0.1),
    ],
)
def test_a_bad_setting_is_named(field, value):
    with pytest.raises(ValueError, match=f"^{field}"):
        at_capacity(**{field: value})


def test_the_traffic_of_a_tiny_workload_is_not_rounded_away():
    span = minutes(0.0004, 0.0004, 0.0008, 0.0008, 0.0008, before=(0.0004,))
    replay = replay_policy(span, Hpa(1.0), at_capacity(capacity_rps=0.0001))
    assert replay.asked[[0, -1]].tolist() == [4, 8]


def test_the_automatic_capacity_takes_a_hundred_replicas_at_the_peak():
    span = minutes(10.0, 50.0, NAN, before=(900.0,))
    assert auto_capacity(span) == 0.5
    with pytest.raises(ValueError, match="capacity"):
        auto_capacity(minutes(0.0, 0.0))


def test_on_the_bundled_trace_foresight_beats_the_hpa_and_nobody_beats_the_oracle():
    series = sample_history().series[0]
    span = ReplaySpan(series, series.end - timedelta(days=3))
    settings = ReplaySettings(auto_capacity(span))
    ours = Preroll(0.98, foresight(span, settings), None, behavior=EXAMPLE_BEHAVIOR)
    hpa = replay_policy(span, Hpa(0.7), settings).measures
    replay = replay_policy(span, ours, settings)
    floor = replay.measures
    oracle = replay_oracle(span, settings).measures
    # Pods asked for at the very start are not there within the first lead time.
    assert all(one.end <= span.start + settings.lead_time for one in replay.shortages)
    assert 0 < floor.slack_ratio < hpa.slack_ratio / 2
    assert min(hpa.replica_hours, floor.replica_hours) > oracle.replica_hours
    assert hpa.paid_replica_hours > hpa.replica_hours


def test_a_floor_can_be_any_metric():
    floor = Floor(AverageValueMetric(2), Signal(np.full(3, 12.0), served=True))
    simulation = simulate_floor(minutes(10.0, 10.0, 10.0), floor, None, at_capacity())
    assert simulation.asked.replicas[-1] == 6


def test_the_step_of_the_trace_is_the_clock():
    series = TrafficSeries("web", minutes(1.0).start, 5 * MINUTE, np.full(4, 30.0))
    replay = replay_policy(ReplaySpan(series, series.start), Hpa(1.0), at_capacity())
    assert replay.measures.replica_hours == pytest.approx(1.0)
