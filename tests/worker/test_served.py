"""The hold-down across plans: the same as if one plan had known it all."""

from datetime import timedelta

import numpy as np
import pytest

from forecaster.models.outlook import Outlook
from forecaster.planning import Held, ScalingRule, build_plan
from forecaster.planning.snapshot import WorkloadState
from forecaster.worker.served import ServedTargets
from tests.worker.sources import MINUTE, NOW

RULE = ScalingRule(capacity_rps=1, lead_time=MINUTE, hold_down=5 * MINUTE, max_replicas=1000)


def outlook(rates, start=NOW):
    values = np.asarray(rates, dtype=float)[None, :]
    return Outlook("tv/a", start, start, MINUTE, (0.98,), values, "given")


def state(plan):
    return WorkloadState("tv", "a", plan.rule, plan)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("every", [1, 3, 7])
def test_retraining_at_any_pace_serves_what_one_long_plan_would(seed, every):
    """The oracle is a single plan over the whole time, whose own hold-down is tested elsewhere."""
    rng = np.random.default_rng(seed)
    rates = rng.integers(1, 500, 80) * rng.integers(0, 2, 80)
    whole = build_plan(outlook(rates), RULE)
    served, plan = ServedTargets(), None
    for step in range(len(whole)):
        now = NOW + step * MINUTE
        if plan is None or step % every == 0:
            start = max(step, 0)
            plan = build_plan(outlook(rates[start:], now), RULE, served.held("tv/a"))
        assert plan.target(now).planned_replicas == whole.target(now).planned_replicas
        served.note(now, [state(plan)])


def test_a_retrain_within_a_step_does_not_drop_replicas_until_the_hold_down_is_over():
    high, low = build_plan(outlook([90] * 60), RULE), outlook([10] * 60)
    served = ServedTargets()
    served.note(NOW + timedelta(seconds=2), [state(high)])
    plan = build_plan(low, RULE, served.held("tv/a"))  # half a minute later, in the same step
    replicas = [plan.target(NOW + n * MINUTE).planned_replicas for n in range(8)]
    assert replicas == [90] * 6 + [10] * 2
    assert any("held at 90" in reason for reason in plan.target(NOW).reasons)


def test_a_held_number_says_nothing_of_the_time_before_it():
    """After a restart the plan's start is long past; only what follows the held number is held."""
    plan = build_plan(outlook([10] * 60), RULE, [Held(NOW + 20 * MINUTE, 90)])
    replicas = [plan.target(NOW + n * MINUTE).planned_replicas for n in range(30)]
    assert replicas == [10] * 19 + [90] * 6 + [10] * 5


def test_what_is_noted_is_given_back_for_the_store_once():
    plan = build_plan(outlook([90] * 60), RULE)
    served = ServedTargets()
    served.note(NOW, [state(plan)])
    assert served.unsaved() == [("tv/a", Held(NOW + MINUTE, 90))]
    served.note(NOW + timedelta(seconds=30), [state(plan)])
    assert served.unsaved() == []
    served.note(NOW + MINUTE, [state(plan)])
    assert served.unsaved() == [("tv/a", Held(NOW + 2 * MINUTE, 90))]


def test_a_larger_need_in_the_same_step_counts():
    served = ServedTargets()
    served.note(NOW, [state(build_plan(outlook([10] * 60), RULE))])
    served.note(NOW, [state(build_plan(outlook([90] * 60), RULE))])
    assert [one.replicas for _, one in served.unsaved()] == [10, 90]  # the store keeps the last
    served.note(NOW, [state(build_plan(outlook([10] * 60), RULE))])
    assert served.held("tv/a") == (Held(NOW + MINUTE, 90),)
    assert served.unsaved() == []


def test_what_no_hold_down_reaches_is_forgotten():
    plan = build_plan(outlook(range(1, 200)), RULE)
    served = ServedTargets({"tv/a": [Held(NOW - 6 * MINUTE, 7)]})
    for step in range(30):
        served.note(NOW + step * MINUTE, [state(plan)])
    assert len(served.held("tv/a")) <= 6


def test_without_a_hold_down_nothing_is_noted():
    rule = ScalingRule(capacity_rps=1, lead_time=MINUTE, hold_down=timedelta(0))
    served = ServedTargets()
    served.note(NOW, [state(build_plan(outlook([90] * 60), rule))])
    assert served.unsaved() == []


def test_a_plan_that_has_ended_serves_nothing():
    plan = build_plan(outlook([90] * 60), RULE)
    served = ServedTargets()
    served.note(plan.end, [state(plan)])
    assert served.unsaved() == []
