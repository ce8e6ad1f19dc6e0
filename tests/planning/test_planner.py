"""Who speaks, and what is asked: scenarios by the clock, and the replay's functions as oracle."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import NoUsablePlan
from forecaster.models.outlook import Outlook
from forecaster.models.peak import Taught
from forecaster.planning import Held, Mode, ScalingRule, Source, build_plan, replicas_for
from forecaster.planning.hold import hold
from forecaster.planning.live import Live, ToldPeak
from forecaster.planning.plan import Plan
from forecaster.planning.planner import Known, decide
from forecaster.planning.snapshot import WorkloadState
from forecaster.planning.target import Target

EIGHT = datetime(2026, 6, 14, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
AGE = 4 * MINUTE
RULE = ScalingRule(capacity_rps=50.0)


def plan(rate: float = 4000.0, rule: ScalingRule = RULE, hours: int = 48) -> Plan:
    rates = np.vstack([np.full(hours * 60 + 5, rate / 2), np.full(hours * 60 + 5, rate)])
    return build_plan(Outlook("tv/api", EIGHT, EIGHT, MINUTE, (0.5, 0.98), rates, "given"), rule)


def told(at: datetime = EIGHT, peak: float = 2310.0, **changes: object) -> ToldPeak:
    given = ToldPeak(at, MINUTE, 5, 1900.0, 0.98, peak, Taught.OWN)
    return dataclasses.replace(given, **changes)  # type: ignore[arg-type]


def live(one: ToldPeak | None = None, **changes: object) -> Live:
    return Live(one, AGE, **changes)  # type: ignore[arg-type]


def target(now: datetime, of: Live, by: Plan | None = None, rule: ScalingRule = RULE) -> Target:
    return decide(Known("tv/api", rule, by, of), now)


def test_the_lead_peak_speaks_while_it_is_fresh_and_the_outlook_does_not_count() -> None:
    wide = plan(4000.0)
    assert wide.target(EIGHT).replicas == 80
    said = target(EIGHT + 20 * SECOND, live(told()), wide)
    assert said.replicas == said.planned_replicas == 47
    assert said.source is Source.LEAD_PEAK
    assert said.reasons == (
        "lead peak 0.98 quantile 2,310 rps within the next 5m ÷ 50 rps = 47; "
        "traffic was 1,900 rps up to 20:00 UTC",
    )


def test_traffic_that_is_too_old_leaves_the_word_to_the_outlook_and_that_is_said() -> None:
    one = live(told())
    assert target(EIGHT + AGE - SECOND, one, plan()).source is Source.LEAD_PEAK
    said = target(EIGHT + 6 * MINUTE, one, plan())
    assert (said.source, said.replicas) == (Source.OUTLOOK, 80)
    assert said.reasons[1:] == (
        "outlook speaks: latest traffic ended 2026-06-14 20:00 UTC, 6m ago",
    )


def test_a_lead_peak_from_after_now_does_not_count() -> None:
    """The clock was set back by 40 minutes. Half a step ahead is a source's clock."""
    one = live(told())
    assert target(EIGHT - MINUTE / 2, one).source is Source.LEAD_PEAK
    before = dataclasses.replace(one, told=told(EIGHT + 41 * MINUTE))
    said = target(EIGHT + MINUTE, before, plan())
    assert said.source is Source.OUTLOOK
    assert said.reasons[-1] == (
        "outlook speaks: latest traffic ends 2026-06-14 20:41 UTC, 40m from now"
    )
    with pytest.raises(NoUsablePlan, match="40m from now"):
        target(EIGHT + MINUTE, before)


def test_before_anything_was_told_the_outlook_speaks_and_says_why() -> None:
    said = target(EIGHT, live(silence="there is no lead-peak model yet"), plan())
    assert said.source is Source.OUTLOOK
    assert said.reasons[-1] == "outlook speaks: there is no lead-peak model yet"


def test_the_lead_peak_needs_no_plan_and_says_whose_model_it_is() -> None:
    borrowed = told(taught=Taught.STARTER, why_taught="5h of own history")
    said = target(EIGHT, live(borrowed))
    assert said.replicas == 47
    assert said.reasons[-1] == "starter model: 5h of own history, no outlook yet"
    fleet = told(taught=Taught.FLEET, why_taught="30h of own history")
    assert target(EIGHT, live(fleet), plan()).reasons[-1] == "fleet model: 30h of own history"
    assert target(EIGHT, live(told())).reasons[-1] == "no outlook stands behind it"


@pytest.mark.parametrize("old", [None, told(EIGHT - timedelta(hours=1))], ids=["none", "old"])
def test_with_neither_there_is_no_target(old: ToldPeak | None) -> None:
    with pytest.raises(NoUsablePlan, match="tv/api: there is no plan, and "):
        target(EIGHT, live(old))
    with pytest.raises(NoUsablePlan, match="covers 2026-06-14 20:00 UTC to"):
        target(EIGHT + timedelta(days=3), live(old), plan())


def test_the_limits_hold_for_the_lead_peak_as_well() -> None:
    rule = ScalingRule(capacity_rps=50.0, min_replicas=3, max_replicas=20)
    high, low = target(EIGHT, live(told()), plan(), rule), target(EIGHT, live(told(peak=9.0)))
    assert (high.replicas, high.reasons[1]) == (20, "limited to the maximum of 20, 47 wanted")
    assert low.replicas == 1
    assert target(EIGHT, live(told(peak=9.0)), plan(), rule).replicas == 3


def test_shadow_shows_the_lead_peaks_target_and_asks_for_no_floor() -> None:
    rule = ScalingRule(capacity_rps=50.0, mode=Mode.SHADOW)
    said = target(EIGHT, live(told()), plan(rule=rule), rule)
    assert (said.replicas, said.planned_replicas, said.source) == (0, 47, Source.LEAD_PEAK)


@pytest.mark.parametrize(
    ("stale_after", "until"),
    [
        pytest.param(4 * MINUTE, EIGHT + 3 * MINUTE, id="to the end of the step"),
        pytest.param(timedelta(seconds=150), EIGHT + timedelta(seconds=150), id="to its old age"),
    ],
)
def test_a_target_says_until_when_it_stays(stale_after: timedelta, until: datetime) -> None:
    said = target(EIGHT + timedelta(seconds=130), Live(told(), stale_after), plan())
    assert said.valid_until == until


def test_what_the_lead_peak_asked_for_is_held_when_the_outlook_takes_over() -> None:
    rule = dataclasses.replace(RULE, hold_down=10 * MINUTE)
    held = (Held(EIGHT + MINUTE, 60),)
    of = live(told(), held=held)
    low = plan(500.0, rule)
    minutes = {n: target(EIGHT + n * MINUTE, of, low, rule).replicas for n in (1, 3, 5, 10, 11)}
    assert minutes == {1: 60, 3: 60, 5: 60, 10: 60, 11: 10}
    assert "held at 60: needed within the last 10m" in target(EIGHT + MINUTE, of, low, rule).reasons


@given(
    st.lists(st.floats(0, 5000), min_size=3, max_size=40),
    st.integers(0, 9),
    st.integers(0, 59),
)
@settings(max_examples=60, deadline=None)
def test_from_step_to_step_it_serves_what_the_replay_counts(
    peaks: list[float], minutes: int, second: int
) -> None:
    """The replay takes a whole row through replicas_for and hold; serving goes step by step."""
    rule = dataclasses.replace(RULE, hold_down=minutes * MINUTE)
    whole = hold(replicas_for(np.array(peaks), rule), rule.hold_steps(MINUTE))
    held: list[Held] = []
    for step, peak in enumerate(peaks):
        at = EIGHT + step * MINUTE
        of = live(told(at, peak), held=tuple(held))
        state = WorkloadState("tv", "api", rule, live=of)
        now = at + second * SECOND
        assert state.target(now).replicas == whole[step]
        need = state.need(now)
        assert need is not None
        held.append(need)


def test_a_held_number_never_exceeds_the_present_maximum() -> None:
    rule = dataclasses.replace(RULE, hold_down=10 * MINUTE, max_replicas=50)
    assert target(EIGHT, live(told(), held=(Held(EIGHT, 90),)), rule=rule).replicas == 50


@pytest.mark.parametrize("peak", [float("nan"), float("inf"), -1.0])
def test_what_is_no_traffic_is_no_lead_peak(peak: float) -> None:
    with pytest.raises(ValueError, match="is no traffic"):
        told(peak=peak)


def test_a_workload_with_a_lead_peak_is_settled_and_one_whose_traffic_stopped_says_so() -> None:
    state = WorkloadState("tv", "api", RULE, reason="3h of traffic", live=live(told()))
    assert state.settled
    assert state.target(EIGHT).replicas == 47
    with pytest.raises(NoUsablePlan, match=r"tv/api: 3h of traffic; latest traffic ended .* ago"):
        state.target(EIGHT + timedelta(hours=1))
    assert state.need(EIGHT + timedelta(hours=1)) is None
