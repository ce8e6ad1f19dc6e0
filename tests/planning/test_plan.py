from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import NoUsablePlan
from forecaster.models.outlook import Outlook
from forecaster.planning import Held, Mode, ScalingRule, build_plan

EIGHT = datetime(2026, 6, 14, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def outlook(rates: list[float], step: timedelta = MINUTE) -> Outlook:
    high = np.array(rates, dtype=float)
    return Outlook(
        "streaming/player-api", EIGHT, EIGHT, step, (0.5, 0.98), np.vstack([high / 2, high]), "test"
    )


def rule(**changes: object) -> ScalingRule:
    values: dict[str, object] = {
        "capacity_rps": 120.0,
        "lead_time": 5 * MINUTE,
        "hold_down": timedelta(0),
    }
    return ScalingRule(**(values | changes))  # type: ignore[arg-type]


def test_a_target_carries_the_peak_of_its_lead_window() -> None:
    rates = [1000.0] * 4 + [4120.0] + [1000.0] * 15
    plan = build_plan(outlook(rates), rule())
    assert plan.replicas[:6].tolist() == [35, 35, 35, 35, 35, 9]
    assert len(plan) == len(rates) - 5


def test_a_target_says_why() -> None:
    rates = [1000.0] * 4 + [4120.0] + [1000.0] * 15
    target = build_plan(outlook(rates), rule()).target(EIGHT + timedelta(seconds=30))
    assert target.replicas == target.planned_replicas == 35
    assert target.reasons == (
        "outlook 0.98 quantile 4,120 rps at 20:04 UTC within the next 5m ÷ 120 rps = 35",
    )


def test_a_higher_target_is_held_and_says_so() -> None:
    rates = [4120.0] + [100.0] * 30
    plan = build_plan(outlook(rates), rule(lead_time=MINUTE, hold_down=10 * MINUTE))
    assert plan.replicas[:12].tolist() == [35] * 11 + [1]
    held = plan.target(EIGHT + 3 * MINUTE)
    assert held.replicas == 35
    assert held.reasons[-1] == "held at 35: needed within the last 10m"


def test_the_maximum_limits_and_the_reason_names_what_was_wanted() -> None:
    target = build_plan(outlook([4120.0] * 10), rule(max_replicas=20)).target(EIGHT)
    assert target.replicas == 20
    assert target.reasons[-1] == "limited to the maximum of 20, 35 wanted"


def test_the_minimum_lifts_and_says_so() -> None:
    target = build_plan(outlook([10.0] * 10), rule(min_replicas=3)).target(EIGHT)
    assert target.replicas == 3
    assert target.reasons[-1] == "raised to the minimum of 3"


def test_shadow_gives_keda_no_floor_and_shows_the_plan() -> None:
    target = build_plan(outlook([4120.0] * 10), rule(mode=Mode.SHADOW)).target(EIGHT)
    assert target.replicas == 0
    assert target.planned_replicas == 35
    assert "shadow" in target.reasons[-1]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(EIGHT - timedelta(seconds=1), id="before"),
        pytest.param(EIGHT + 5 * MINUTE, id="from its end on"),
    ],
)
def test_outside_of_the_plan_there_is_no_target(now: datetime) -> None:
    plan = build_plan(outlook([100.0] * 10), rule())
    assert plan.end == EIGHT + 5 * MINUTE
    with pytest.raises(NoUsablePlan, match="covers 2026-06-14 20:00 UTC to 2026-06-14 20:05 UTC"):
        plan.target(now)


def test_an_outlook_shorter_than_the_lead_window_makes_no_plan() -> None:
    with pytest.raises(NoUsablePlan, match="fewer than one lead window"):
        build_plan(outlook([100.0] * 5), rule())


def test_a_retrain_does_not_drop_what_was_served_within_the_hold_down() -> None:
    held = [Held(EIGHT - 4 * MINUTE, 30)]
    plan = build_plan(outlook([100.0] * 30), rule(hold_down=10 * MINUTE), held)
    assert plan.replicas[:8].tolist() == [30] * 6 + [1, 1]


def test_what_was_served_long_ago_is_forgotten() -> None:
    held = [Held(EIGHT - 11 * MINUTE, 30)]
    plan = build_plan(outlook([100.0] * 30), rule(hold_down=10 * MINUTE), held)
    assert plan.replicas.max() == 1


@given(
    st.lists(st.floats(0, 5000), min_size=12, max_size=60),
    st.integers(1, 8),
    st.integers(0, 9),
)
@settings(max_examples=60)
def test_the_plan_is_what_a_loop_over_the_definition_gives(
    rates: list[float], lead: int, hold: int
) -> None:
    plan = build_plan(outlook(rates), rule(lead_time=lead * MINUTE, hold_down=hold * MINUTE))
    needed = []
    for i in range(len(rates) - lead):
        peak = max(rates[i : i + lead + 1])
        needed.append(min(100, max(1, int(np.ceil(peak / 120 * (1 - 1e-9))))))
    expected = [max(needed[max(0, i - hold) : i + 1]) for i in range(len(needed))]
    assert plan.replicas.tolist() == expected
