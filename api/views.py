"""From a workload's state to what the endpoint says of it."""

from __future__ import annotations

from datetime import datetime

from api.cluster_views import cluster_workload_view
from api.schemas import (
    LeadPeakView,
    ObservedView,
    PlanView,
    RuleView,
    TargetSummary,
    TargetView,
    TrainingView,
    WorkloadView,
)
from forecaster.errors import NoUsablePlan
from forecaster.planning.live import ToldPeak
from forecaster.planning.plan import Plan
from forecaster.planning.snapshot import ObservedTraffic, TrainingState, WorkloadState
from forecaster.worker.cluster_view import ClusterWorkload

__all__ = ["target_view", "workload_view"]


def target_view(state: WorkloadState, now: datetime, notices: tuple[str, ...] = ()) -> TargetView:
    """The target at ``now``, with the notices of the workload and those that concern all.

    Raises NoUsablePlan, with the reason. A number below 0 becomes 0: KEDA would take a negative
    one for a wish for the maximum.
    """
    target = state.target(now)
    return TargetView(
        replicas=max(0, target.replicas),
        planned_replicas=max(0, target.planned_replicas),
        namespace=state.namespace,
        name=state.name,
        mode=target.mode,
        source=target.source,
        lead_peak=_lead_peak(state.live.told),
        reasons=list(target.reasons),
        valid_until=target.valid_until,
        notices=[*state.notices, *notices],
    )


def workload_view(
    state: WorkloadState, now: datetime, cluster: ClusterWorkload = ClusterWorkload()
) -> WorkloadView:
    """All that is known of one workload at ``now``, and of it in the cluster."""
    target, reason = None, None
    try:
        view = target_view(state, now)
        target = TargetSummary(
            replicas=view.replicas,
            planned_replicas=view.planned_replicas,
            source=view.source,
            reasons=view.reasons,
            valid_until=view.valid_until,
        )
    except NoUsablePlan as error:
        reason = str(error)
    return WorkloadView(
        namespace=state.namespace,
        name=state.name,
        mode=state.rule.mode,
        rule=_rule(state),
        target=target,
        reason=reason,
        notices=list(state.notices),
        observed=_observed(state.observed),
        lead_peak=_lead_peak(state.live.told),
        plan=_plan(state.plan),
        training=_training(state.training),
        cluster=cluster_workload_view(cluster),
    )


def _lead_peak(told: ToldPeak | None) -> LeadPeakView | None:
    if told is None:
        return None
    return LeadPeakView(
        at=told.at,
        now_rps=told.now_rps,
        quantile=told.quantile,
        peak_rps=told.peak_rps,
        taught=told.taught,
    )


def _rule(state: WorkloadState) -> RuleView:
    rule = state.rule
    return RuleView(
        capacity_rps=None if state.why_off else rule.capacity_rps,
        lead_time_seconds=rule.lead_time.total_seconds(),
        quantile=rule.quantile,
        min_replicas=rule.min_replicas,
        max_replicas=rule.max_replicas,
        hold_down_seconds=rule.hold_down.total_seconds(),
    )


def _observed(observed: ObservedTraffic | None) -> ObservedView | None:
    if observed is None:
        return None
    return ObservedView(start=observed.start, rate_rps=observed.rate_rps)


def _plan(plan: Plan | None) -> PlanView | None:
    if plan is None:
        return None
    return PlanView(
        made_at=plan.outlook.cutoff, start=plan.start, end=plan.end, model=plan.outlook.model
    )


def _training(training: TrainingState) -> TrainingView:
    return TrainingView(
        trained_at=training.trained_at,
        seconds=training.seconds,
        runs=training.runs,
        failures=training.failures,
        last_error=training.last_error,
    )
