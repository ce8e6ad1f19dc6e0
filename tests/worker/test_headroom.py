"""Placeholders of a workload: by hand, minute by minute, and never more than is of use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from forecaster.cluster.lead_time import MeasuredLead
from forecaster.cluster.seen import AutoscalerSeen, Scaled, ScaledObjectSeen, TargetRef
from forecaster.cluster.start_up_summary import Spread, StartUpSummary
from forecaster.models.peak import Taught
from forecaster.planning import Mode
from forecaster.planning.live import Live, ToldPeak
from forecaster.planning.snapshot import WorkloadState
from forecaster.worker.cluster_messages import SeenLead, SeenWorkload
from forecaster.worker.cluster_view import ClusterWorkload
from forecaster.worker.headroom import Headroom, headroom_of
from tests.cluster.plan_cases import EIGHT, MINUTE, plan_of

SIX = 6 * MINUTE
PLAYER = TargetRef("Deployment", "player-api")
# With a lead time of 2 minutes it asks for 35 from 20:58 to 21:30, and for 10 otherwise.
PLAN = plan_of([10] * 60 + [35] * 30 + [10] * 30, lead_time=2 * MINUTE)
STATE = WorkloadState("streaming", "player-api", PLAN.rule, PLAN)


def seen(pods: int | None = 10, ready: int | None = None, **more: object) -> ClusterWorkload:
    told = SeenWorkload(
        Scaled("streaming", PLAYER, 10, 10), ready=pods if ready is None else ready, pods=pods
    )
    return ClusterWorkload(replace(told, **more))  # type: ignore[arg-type]


def held(minute: float, known: ClusterWorkload | None = None, state: WorkloadState = STATE) -> int:
    known = seen() if known is None else known
    return headroom_of(EIGHT + minute * MINUTE, state, known, SIX).replicas


def bounded(most: int, *, paused: bool = False) -> ScaledObjectSeen:
    return ScaledObjectSeen("streaming", "p", "u", "1", PLAYER, 1, most, paused=paused)


def test_the_plan_is_the_one_that_the_figures_are_counted_from() -> None:
    asked = [PLAN.target(EIGHT + minute * MINUTE).replicas for minute in (57, 58, 87, 91)]
    assert asked == [10, 35, 35, 10]


def test_places_are_held_for_as_long_as_a_node_takes_longer() -> None:
    """6 − 2 minutes before 20:58; and they go just before the pods come, not after."""
    clock = (0, 53, 54, 56, 57.5, 57.8, 58, 60, 95)
    assert [held(minute) for minute in clock] == [0, 0, 25, 25, 25, 0, 0, 0, 0]


def test_pods_that_exist_have_their_places_ready_or_not() -> None:
    assert held(56, seen(20, ready=20)) == 15
    assert held(56, seen(20, ready=10)) == 15
    assert held(56, seen(None, ready=16)) == 19
    assert held(56, seen(50)) == 0


def test_where_pods_are_not_known_what_is_asked_for_now_counts() -> None:
    for known in (ClusterWorkload(), seen(None), seen(0)):
        found = headroom_of(EIGHT + 56 * MINUTE, STATE, known, SIX)
        assert found.replicas == 25
        assert "10 asked for now (no pod is known)" in found.reasons[0]


def test_what_live_traffic_asks_for_already_is_not_held_for() -> None:
    told = ToldPeak(EIGHT + 56 * MINUTE, MINUTE, 2, 100.0, 0.98, 305.0, Taught.OWN)
    state = replace(STATE, live=Live(told, 4 * MINUTE))
    assert state.target(EIGHT + 56 * MINUTE).replicas == 31
    assert held(56, state=state) == 4


def test_with_the_pods_there_are_never_more_than_the_maximum() -> None:
    rule = replace(PLAN.rule, max_replicas=30)
    assert held(56, state=replace(STATE, rule=rule)) == 20
    assert held(56, seen(scaled_object=bounded(28))) == 18
    hpa = AutoscalerSeen("streaming", "p", PLAYER, 1, 26, 10, 10)
    assert held(56, seen(autoscaler=hpa, scaled_object=bounded(28))) == 16
    assert held(56, seen(scaled_object=bounded(8))) == 0
    found = headroom_of(EIGHT + 56 * MINUTE, STATE, seen(scaled_object=bounded(28)), SIX)
    assert found.reasons[-1] == "limited to 18: the maximum is 28"


def test_the_time_on_a_new_node_is_measured_or_else_the_settings() -> None:
    spread = Spread(100.0, 222.0)  # + 18 s of HPA and KEDA: 4 minutes, 2 more than the lead time
    lead = SeenLead(MeasuredLead(2 * MINUTE, ""), StartUpSummary(count=9, new_node=spread))
    known = replace(seen(), lead=lead)
    assert [held(minute, known) for minute in (55.9, 56, 57)] == [0, 25, 25]
    found = headroom_of(EIGHT + 56 * MINUTE, STATE, known, SIX)
    assert found == Headroom(
        25,
        (
            "highest target until 2026-06-14 20:58:00 UTC 35 − 10 asked for now (10 pods exist) "
            "= 25",
            "a new node takes 4m (measured), 2m more than the lead time",
        ),
    )
    unmeasured = replace(seen(), lead=replace(lead, summary=StartUpSummary(count=9)))
    assert [held(minute, unmeasured) for minute in (53.9, 54)] == [0, 25]


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_nothing_is_held_for_a_target_that_nobody_is_given(mode: Mode) -> None:
    state = replace(STATE, rule=replace(PLAN.rule, mode=mode))
    found = headroom_of(EIGHT + 56 * MINUTE, state, seen(), SIX)
    assert found == Headroom(0, (f"{mode.value}: no target is served, so nothing is held for it",))


def test_without_a_plan_nothing_is_held_and_the_reason_says_why() -> None:
    now = EIGHT + 56 * MINUTE
    found = headroom_of(now, replace(STATE, plan=None, reason="3h of traffic"), seen(), SIX)
    assert found == Headroom(0, ("no plan: 3h of traffic",))
    for off in (-1, 600):
        found = headroom_of(EIGHT + off * MINUTE, STATE, seen(), SIX)
        assert found.replicas == 0
        assert "not now" in found.reasons[0]


def test_a_lead_time_that_covers_a_new_node_needs_none() -> None:
    found = headroom_of(EIGHT + 56 * MINUTE, STATE, seen(), 2 * MINUTE)
    told = "the lead time of 2m covers a new node (2m, kubernetes.node_lead_time)"
    assert found == Headroom(0, (told,))


def test_a_workload_that_is_paused_gets_none() -> None:
    assert held(56, seen(scaled_object=bounded(200))) == 25
    assert held(56, seen(scaled_object=bounded(200, paused=True))) == 0


def test_at_the_plans_end_there_is_nothing_beyond_it() -> None:
    last = PLAN.end - timedelta(seconds=1)
    assert headroom_of(last, STATE, seen(0), SIX).replicas == 0
