from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.planning import ScalingRule, replicas_for
from forecaster.planning.capacity import wanted_replicas


def rule(**changes: object) -> ScalingRule:
    return ScalingRule(**({"capacity_rps": 120.0} | changes))  # type: ignore[arg-type]


def test_traffic_over_capacity_is_rounded_up() -> None:
    rates = np.array([0.0, 119.0, 120.0, 120.5, 4120.0])
    assert replicas_for(rates, rule()).tolist() == [1, 1, 1, 2, 35]


def test_the_last_bit_of_a_float_does_not_cost_a_replica() -> None:
    # 0.1 * 3 / 0.1 is 3.0000000000000004
    assert replicas_for(np.array([0.1 * 3]), rule(capacity_rps=0.1)).tolist() == [3]


@given(
    st.floats(0, 1e7, allow_subnormal=False),
    st.floats(0.01, 1e5),
    st.integers(0, 50),
    st.integers(1, 500),
)
def test_replicas_lie_within_the_limits_and_carry_the_traffic(
    rate: float, capacity: float, least: int, more: int
) -> None:
    scaling = rule(capacity_rps=capacity, min_replicas=least, max_replicas=least + more)
    replicas = int(replicas_for(np.array([rate]), scaling)[0])
    assert least <= replicas <= least + more
    if replicas < least + more:
        assert replicas * capacity >= rate * (1 - 1e-8)
    if replicas > least:
        assert (replicas - 1) * capacity < rate


@pytest.mark.parametrize("rate", [1.0, 1e300, math.inf])
def test_an_absurd_capacity_gives_the_maximum_and_never_a_negative_number(rate: float) -> None:
    absurd = rule(capacity_rps=1e-30, max_replicas=1_000_000)
    assert replicas_for(np.array([0.0, rate]), absurd).tolist() == [1, 1_000_000]
    assert wanted_replicas(np.array([rate]), absurd).tolist() == [2**62]


@pytest.mark.parametrize(
    ("lead", "step", "steps"),
    [
        pytest.param(timedelta(minutes=5), timedelta(minutes=1), 5, id="whole steps"),
        pytest.param(timedelta(minutes=5), timedelta(minutes=2), 3, id="rounded up"),
        pytest.param(timedelta(minutes=5), timedelta(hours=1), 1, id="at least one"),
        pytest.param(timedelta(seconds=90), timedelta(seconds=10), 9, id="seconds"),
    ],
)
def test_the_lead_window_reaches_over_the_lead_time(
    lead: timedelta, step: timedelta, steps: int
) -> None:
    assert rule(lead_time=lead).lead_steps(step) == steps
    assert steps == max(1, math.ceil(lead / step))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param({"capacity_rps": 0.0}, "capacity_rps", id="no capacity"),
        pytest.param({"capacity_rps": math.nan}, "capacity_rps", id="nan capacity"),
        pytest.param({"quantile": 1.0}, "quantile", id="certainty"),
        pytest.param({"lead_time": timedelta(0)}, "lead_time", id="no lead time"),
        pytest.param({"hold_down": timedelta(seconds=-1)}, "hold_down", id="negative hold"),
        pytest.param(
            {"hold_down": timedelta(days=3650)},
            "hold_down must be at most 1d, not 3650d",
            id="long hold",
        ),
        pytest.param({"max_replicas": 2**63 - 1}, "max_replicas.*1,000,000", id="absurd maximum"),
        pytest.param({"min_replicas": -1}, "min_replicas must be 0 or more", id="negative"),
        pytest.param({"min_replicas": 5, "max_replicas": 4}, "min_replicas", id="crossed"),
        pytest.param({"min_replicas": 0, "max_replicas": 0}, "max_replicas", id="no maximum"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(bad: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rule(**bad)
