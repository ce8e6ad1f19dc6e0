from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.errors import NoUsablePlan, UnknownWorkload
from forecaster.models.outlook import Outlook
from forecaster.planning import Mode, ScalingRule, Source, build_plan
from forecaster.planning.snapshot import Snapshot, WorkloadState

NOW = datetime(2026, 6, 14, 20, 0, tzinfo=UTC)
RULE = ScalingRule(capacity_rps=100.0)


def state(**changes: object) -> WorkloadState:
    values: dict[str, object] = {"namespace": "tv", "name": "api", "rule": RULE}
    return WorkloadState(**(values | changes))  # type: ignore[arg-type]


def planned() -> WorkloadState:
    rates = np.full((1, 60), 750.0)
    outlook = Outlook("tv/api", NOW, NOW, timedelta(minutes=1), (0.98,), rates, "test")
    return state(plan=build_plan(outlook, RULE))


def test_a_workload_with_a_plan_has_a_target() -> None:
    snapshot = Snapshot({"tv/api": planned()})
    assert snapshot.target("tv/api", NOW).replicas == 8
    assert snapshot.ready


def test_without_a_plan_the_reason_is_given() -> None:
    snapshot = Snapshot({"tv/api": state(reason="3h of traffic; an outlook needs at least 24 h")})
    assert snapshot.ready
    with pytest.raises(NoUsablePlan, match="needs at least 24 h"):
        snapshot.target("tv/api", NOW)


def test_a_workload_that_was_never_trained_is_not_ready_and_says_so() -> None:
    snapshot = Snapshot({"tv/api": planned(), "tv/web": state(name="web")})
    assert not snapshot.ready
    with pytest.raises(NoUsablePlan, match="tv/web: not trained yet"):
        snapshot.target("tv/web", NOW)


def test_a_workload_that_is_off_asks_for_no_floor_and_waits_for_no_plan() -> None:
    off = state(rule=ScalingRule(capacity_rps=100.0, mode=Mode.OFF))
    snapshot = Snapshot({"tv/api": off})
    assert snapshot.ready
    assert snapshot.target("tv/api", NOW).replicas == 0


def test_a_workload_that_is_not_configured_is_unknown() -> None:
    with pytest.raises(UnknownWorkload, match="'tv/nope'"):
        Snapshot({"tv/api": planned()}).target("tv/nope", NOW)


def test_a_snapshot_does_not_change_with_the_mapping_it_was_made_from() -> None:
    states = {"tv/api": planned()}
    snapshot = Snapshot(states)
    states.clear()
    assert "tv/api" in snapshot.workloads


@pytest.mark.parametrize(
    "shadow",
    [
        pytest.param(state(rule=ScalingRule(100.0, mode=Mode.SHADOW)), id="not trained yet"),
        pytest.param(
            WorkloadState(
                "tv",
                "api",
                ScalingRule(100.0, mode=Mode.SHADOW),
                plan=build_plan(planned().plan.outlook, ScalingRule(100.0, mode=Mode.SHADOW)),  # type: ignore[union-attr]
            ),
            id="the plan has ended",
        ),
    ],
)
def test_shadow_without_a_plan_asks_for_no_floor_and_never_for_a_hold(
    shadow: WorkloadState,
) -> None:
    later = NOW + timedelta(days=3)
    target = Snapshot({"tv/api": shadow}).target("tv/api", later)
    assert target.replicas == 0
    assert target.mode is Mode.SHADOW
    assert "no plan to show" in target.reasons[0]
    assert target.source is Source.NONE
