import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.backtest import ReplaySettings, ReplaySpan
from forecaster.backtest.hpa import ReplicaTimeline
from forecaster.backtest.measures import find_shortages, measure
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 6, 1, tzinfo=UTC)
NAN = float("nan")
STEP = 20


def span_of(rates, step_seconds=STEP):
    series = TrafficSeries("web", START, timedelta(seconds=step_seconds), np.array(rates))
    return ReplaySpan(series, START)


def timeline(changes, steps, step_seconds=STEP):
    seconds, replicas = zip(*changes, strict=True)
    return ReplicaTimeline(np.array(seconds, float), np.array(replicas), step_seconds, steps)


def measured(rates, ready, asked=None, step_seconds=STEP, **settings):
    span = span_of(rates, step_seconds)
    known = ReplaySettings(**{"capacity_rps": 10.0, **settings})
    ready = timeline(ready, len(rates), step_seconds)
    asked = ready if asked is None else timeline(asked, len(rates), step_seconds)
    shortages = find_shortages(ready, span, known)
    return measure(asked, ready, span, known, shortages), shortages


def test_half_a_minute_short_by_hand():
    # 45 rps need 4.5 replicas: 4 for 30 s, then 5; then 20 rps for a minute, of which 3 are spare.
    measures, shortages = measured(
        [45.0, 20.0], ready=[(0, 4), (30, 5)], asked=[(0, 5)], step_seconds=60
    )
    assert measures.unserved_ratio == pytest.approx(5 * 30 / (45 * 60 + 20 * 60), rel=1e-6)
    assert measures.underprovisioned_seconds == 30
    assert measures.longest_shortage_seconds == 30
    assert measures.replica_hours == pytest.approx((4 * 30 + 5 * 90) / 3600)
    assert measures.slack_ratio == pytest.approx((4 * 30 + 5 * 90) / (5 * 60 + 2 * 60) - 1)
    assert measures.paid_replica_hours == pytest.approx(5 * 120 / 3600)
    assert measures.scaling_actions == 0
    assert measures.cost is None
    (one,) = shortages
    assert (one.start, one.end) == (START, START + timedelta(seconds=30))
    assert one.unserved_requests == pytest.approx(150, rel=1e-6)
    assert one.missing_replicas == 1


def test_money_is_paid_for_pods_that_are_still_starting():
    measures, _ = measured(
        [10.0, 10.0],
        ready=[(0, 1)],
        asked=[(0, 1), (60, 3)],
        step_seconds=60,
        price_per_replica_hour=3.0,
    )
    assert measures.cost == pytest.approx((1 * 60 + 3 * 60) / 3600 * 3.0)
    assert measures.scaling_actions == 1


def test_shortages_that_touch_are_one_and_a_gap_ends_one():
    _, shortages = measured([30.0, 50.0, NAN, 50.0, 10.0, 30.0], ready=[(0, 2), (25, 3), (90, 2)])
    assert [
        ((one.start - START).total_seconds(), (one.end - START).total_seconds())
        for one in shortages
    ] == [(0, 40), (60, 80), (100, 120)]
    assert [one.missing_replicas for one in shortages] == [3, 2, 1]


def test_the_last_bit_of_a_float_is_no_shortage():
    capacity = 7.3 / 100
    measures, shortages = measured([7.3], ready=[(0, 100)], capacity_rps=capacity)
    assert (measures.unserved_ratio, measures.slack_ratio, shortages) == (0.0, 0.0, ())


def test_without_any_traffic_nothing_is_unserved_and_the_minimum_is_no_slack():
    measures, _ = measured([0.0, 0.0], ready=[(0, 2)], min_replicas=2)
    assert (measures.unserved_ratio, measures.slack_ratio) == (0.0, 0.0)


steps = st.lists(
    st.one_of(st.integers(0, 80).map(float), st.just(NAN)), min_size=1, max_size=8
).filter(lambda rates: not all(math.isnan(rate) for rate in rates))
changes = st.dictionaries(st.integers(1, 8 * STEP), st.integers(0, 8), max_size=12)


@given(steps, st.integers(0, 8), changes)
def test_all_measures_agree_with_a_count_of_seconds(rates, initial, later):
    ready = [(0, initial), *sorted(later.items())]
    measures, shortages = measured(rates, ready)
    total = lost = short = hours = oracle = 0.0
    runs, run = [], 0
    replicas = initial
    for second in range(len(rates) * STEP):
        replicas = later.get(second, replicas)
        rate = rates[second // STEP]
        is_short = not math.isnan(rate) and rate > replicas * 10
        if not math.isnan(rate):
            total += rate
            lost += max(rate - replicas * 10, 0)
            short += is_short
            hours += replicas / 3600
            oracle += max(math.ceil(rate / 10), 1) / 3600
        if is_short:
            run += 1
        elif run:
            runs.append(run)
            run = 0
    runs = [*runs, run] if run else runs
    assert measures.unserved_ratio == pytest.approx(lost / total if total else 0, abs=1e-7)
    assert measures.underprovisioned_seconds == short
    assert [one.seconds for one in shortages] == runs
    assert measures.longest_shortage_seconds == max(runs, default=0)
    assert sum(one.unserved_requests for one in shortages) == pytest.approx(lost, abs=1e-4)
    assert measures.replica_hours == pytest.approx(hours)
    assert measures.slack_ratio == pytest.approx(hours / oracle - 1)
