from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from api.metrics import WorkloadCollector
from forecaster.events import Event
from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.planning.event_floor import Declared
from forecaster.planning.plan import build_plan
from forecaster.planning.snapshot import ObservedTraffic, WorkloadState
from tests.api.plans import (
    NOW,
    START,
    live,
    outlook,
    plan,
    snapshot,
    state,
    untrained,
    with_mode,
)
from tests.api.service import Service, samples

PAGE = """\
# HELP preroll_target_replicas What KEDA gets, 0 for no floor; no sample without a plan.
# TYPE preroll_target_replicas gauge
preroll_target_replicas{namespace="streaming",workload="player-api"} 60.0
# HELP preroll_planned_replicas The target as planned, the same in active and shadow mode.
# TYPE preroll_planned_replicas gauge
preroll_planned_replicas{namespace="streaming",workload="player-api"} 60.0
# HELP preroll_plan_usable 1 where KEDA gets a target, 0 where it gets a 503.
# TYPE preroll_plan_usable gauge
preroll_plan_usable{namespace="streaming",workload="player-api"} 1.0
preroll_plan_usable{namespace="streaming",workload="chat"} 0.0
preroll_plan_usable{namespace="ads",workload="breaks"} 0.0
# HELP preroll_target_source 1 for who speaks: the lead peak, from live traffic, the outlook, or \
an event's floor where neither does; 0 for the others.
# TYPE preroll_target_source gauge
preroll_target_source{namespace="streaming",source="lead_peak",workload="player-api"} 0.0
preroll_target_source{namespace="streaming",source="outlook",workload="player-api"} 1.0
preroll_target_source{namespace="streaming",source="event",workload="player-api"} 0.0
# HELP preroll_lead_peak_rps The rule's quantile of the highest traffic within the lead time, \
while it counts.
# TYPE preroll_lead_peak_rps gauge
# HELP preroll_outlook_rps Quantiles of traffic forecast for the present step, requests per second.
# TYPE preroll_outlook_rps gauge
preroll_outlook_rps{namespace="streaming",quantile="0.05",workload="player-api"} OUTLOOK_005
preroll_outlook_rps{namespace="streaming",quantile="0.5",workload="player-api"} OUTLOOK_050
preroll_outlook_rps{namespace="streaming",quantile="0.95",workload="player-api"} OUTLOOK_095
preroll_outlook_rps{namespace="streaming",quantile="0.98",workload="player-api"} OUTLOOK_098
# HELP preroll_observed_rps Traffic of the latest complete interval, requests per second.
# TYPE preroll_observed_rps gauge
preroll_observed_rps{namespace="streaming",workload="player-api"} 812.25
# HELP preroll_observed_age_seconds Time since the latest complete interval began.
# TYPE preroll_observed_age_seconds gauge
preroll_observed_age_seconds{namespace="streaming",workload="player-api"} 90.0
# HELP preroll_plan_age_seconds Time since the last traffic that the plan is made from.
# TYPE preroll_plan_age_seconds gauge
preroll_plan_age_seconds{namespace="streaming",workload="player-api"} 55770.0
# HELP preroll_plan_end_timestamp_seconds When the plan ends, Unix time: then KEDA gets a 503.
# TYPE preroll_plan_end_timestamp_seconds gauge
preroll_plan_end_timestamp_seconds{namespace="streaming",workload="player-api"} 8.976093e+08
# HELP preroll_training_seconds How long the last training that ended well took.
# TYPE preroll_training_seconds gauge
preroll_training_seconds{namespace="streaming",workload="player-api"} 2.5
# HELP preroll_last_training_timestamp_seconds When training last ended well, Unix time.
# TYPE preroll_last_training_timestamp_seconds gauge
preroll_last_training_timestamp_seconds{namespace="streaming",workload="player-api"} 8.97436803e+08
# HELP preroll_training_runs_total Trainings, failed ones included.
# TYPE preroll_training_runs_total counter
preroll_training_runs_total{namespace="streaming",workload="player-api"} 4.0
preroll_training_runs_total{namespace="streaming",workload="chat"} 0.0
preroll_training_runs_total{namespace="ads",workload="breaks"} 0.0
# HELP preroll_training_failures_total Trainings that failed.
# TYPE preroll_training_failures_total counter
preroll_training_failures_total{namespace="streaming",workload="player-api"} 1.0
preroll_training_failures_total{namespace="streaming",workload="chat"} 0.0
preroll_training_failures_total{namespace="ads",workload="breaks"} 0.0
# HELP preroll_headroom_replicas Placeholder pods that would hold places now, whether KEDA asks \
for them or not.
# TYPE preroll_headroom_replicas gauge
preroll_headroom_replicas{namespace="streaming",workload="player-api"} 0.0
preroll_headroom_replicas{namespace="streaming",workload="chat"} 0.0
preroll_headroom_replicas{namespace="ads",workload="breaks"} 0.0
# HELP preroll_ready 1 once every workload has a plan or a stated reason for having none.
# TYPE preroll_ready gauge
preroll_ready 0.0
# HELP preroll_workloads Configured workloads.
# TYPE preroll_workloads gauge
preroll_workloads 3.0
# HELP preroll_target_answers_total Answers of /v1/targets, by status.
# TYPE preroll_target_answers_total counter
"""


def exposed(*states: WorkloadState, now: object = NOW) -> str:
    registry = CollectorRegistry()
    registry.register(WorkloadCollector(states, now))  # type: ignore[arg-type]
    return generate_latest(registry).decode()


def test_the_page_in_full(steady: Service) -> None:
    minute = 15 * 60 + 29
    page = PAGE
    for quantile in (0.05, 0.5, 0.95, 0.98):
        rate = float(outlook().at(quantile)[minute])
        page = page.replace(f"OUTLOOK_{quantile * 100:03.0f}", repr(rate))
    answer = steady.client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.text
    answers = text.partition("# TYPE preroll_target_answers_total counter\n")[2]
    assert text.removesuffix(answers) == page


@pytest.mark.parametrize(
    ("mode", "target", "planned"),
    [(Mode.ACTIVE, 60.0, 60.0), (Mode.SHADOW, 0.0, 60.0), (Mode.OFF, 0.0, None)],
)
def test_the_target_is_what_keda_gets_in_every_mode(
    mode: Mode, target: float, planned: float | None
) -> None:
    page = exposed(state("a/b", with_mode(mode)))
    assert samples(page, "preroll_target_replicas") == {("a", "b"): target}
    wanted = {} if planned is None else {("a", "b"): planned}
    assert samples(page, "preroll_planned_replicas") == wanted


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_plan_that_does_not_cover_now_has_no_target_sample(when: str) -> None:
    now = START - timedelta(seconds=1) if when == "before" else plan().end
    page = exposed(state("a/b"), now=now)
    assert samples(page, "preroll_target_replicas") == {}
    assert samples(page, "preroll_planned_replicas") == {}
    assert samples(page, "preroll_plan_usable") == {("a", "b"): 0.0}
    assert samples(page, "preroll_plan_end_timestamp_seconds") != {}


def test_the_lead_peak_is_shown_with_who_speaks_while_it_counts() -> None:
    one = replace(state("a/b"), live=live())
    fresh, old = exposed(one), exposed(one, now=NOW + timedelta(minutes=4))
    assert samples(fresh, "preroll_lead_peak_rps") == {("a", "0.98", "b"): 1000.5}
    assert samples(fresh, "preroll_target_replicas") == {("a", "b"): 41.0}

    def speaks(source: str) -> dict[tuple[str, ...], float]:
        return {("a", one, "b"): float(one == source) for one in ("lead_peak", "outlook", "event")}

    assert samples(fresh, "preroll_target_source") == speaks("lead_peak")
    assert samples(old, "preroll_lead_peak_rps") == {}
    assert samples(old, "preroll_target_source") == speaks("outlook")
    show = Event(NOW, NOW + timedelta(hours=1), "show", floor_replicas=7)
    alone = replace(untrained("a/b"), declared=Declared((show,)))
    assert samples(exposed(alone), "preroll_target_source") == speaks("event")
    assert samples(exposed(alone), "preroll_plan_usable") == {("a", "b"): 1.0}


def test_a_workload_without_a_plan_is_usable_while_its_lead_peak_counts() -> None:
    one = replace(untrained("a/b", "5h of traffic"), live=live())
    assert samples(exposed(one), "preroll_plan_usable") == {("a", "b"): 1.0}
    assert samples(exposed(one), "preroll_planned_replicas") == {("a", "b"): 41.0}
    late = exposed(one, now=NOW + timedelta(minutes=4))
    assert samples(late, "preroll_plan_usable") == {("a", "b"): 0.0}


def test_the_rules_own_quantile_is_shown_where_the_outlook_has_it() -> None:
    rule = ScalingRule(capacity_rps=25, quantile=0.9)
    shown = samples(exposed(state("a/b", rule)), "preroll_outlook_rps")
    assert [labels[1] for labels in shown] == ["0.05", "0.5", "0.9", "0.95", "0.98"]


def test_a_workload_that_is_gone_leaves_nothing_behind(service: Service) -> None:
    assert "player-api" in service.client.get("/metrics").text
    service.desk.snapshot = snapshot(state("other/one"))
    after = service.client.get("/metrics").text
    assert "player-api" not in after
    assert samples(after, "preroll_target_replicas") == {("other", "one"): 60.0}


def test_labels_are_escaped() -> None:
    odd = 'q"uote\\back\nline-ü'
    page = exposed(state(f"a/{odd}"))
    assert samples(page, "preroll_target_replicas") == {("a", odd): 60.0}
    line = next(one for one in page.splitlines() if one.startswith("preroll_target_replicas{"))
    assert line == r'preroll_target_replicas{namespace="a",workload="q\"uote\\back\nline-ü"} 60.0'


def test_what_is_no_number_has_no_sample() -> None:
    odd = WorkloadState("a", "b", with_mode(Mode.OFF), observed=ObservedTraffic(NOW, math.nan))
    assert samples(exposed(odd), "preroll_observed_rps") == {}


def test_every_sample_is_unique_even_with_quantiles_that_are_nearly_the_same() -> None:
    rule = ScalingRule(capacity_rps=25, quantile=0.9800001)
    known = outlook()
    quantiles = tuple(sorted({*known.quantiles, rule.quantile}))
    rates = np.vstack([known.at(quantile) for quantile in quantiles])
    near = replace(known, quantiles=quantiles, rate_rps=rates)
    one = replace(state("a/b"), rule=rule, plan=build_plan(near, rule))
    lines = [line for line in exposed(one, state("c/d")).splitlines() if not line.startswith("#")]
    names = [line.rpartition(" ")[0] for line in lines]
    assert len(set(names)) == len(names)
    assert 'preroll_outlook_rps{namespace="a",quantile="0.9800001",workload="b"}' in names
