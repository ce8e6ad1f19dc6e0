"""From what is known of the cluster to what the endpoint says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from api.cluster_schemas import (
    CapacityView,
    ClusterWorkloadView,
    DeliveredView,
    ExcessView,
    LeadTimeView,
    MinutesView,
    SpanView,
    SpreadView,
    WarningKind,
    WarningView,
)
from forecaster.cluster.delivered import DeliveredMinutes, Delivery
from forecaster.cluster.fit_warning import FitWarning, Span
from forecaster.cluster.start_up_summary import Spread
from forecaster.worker.capacity_messages import MeasuredCapacity
from forecaster.worker.cluster_messages import SeenLead, SeenWorkload
from forecaster.worker.cluster_view import ClusterView, ClusterWorkload

__all__ = ["cluster_workload_view", "lead_parts", "warning_views"]


def cluster_workload_view(known: ClusterWorkload) -> ClusterWorkloadView | None:
    """One workload; None where nothing is known of it."""
    if known == ClusterWorkload():
        return None
    seen = known.seen or SeenWorkload()
    scaled, hpa, keda = seen.scaled, seen.autoscaler, seen.scaled_object
    bounds = keda or hpa
    return ClusterWorkloadView(
        ready=None if known.seen is None else seen.ready,
        replicas=scaled.replicas if scaled else hpa.current if hpa else None,
        desired=hpa.desired if hpa else None,
        min_replicas=bounds.min_replicas if bounds else None,
        max_replicas=bounds.max_replicas if bounds else None,
        scaled_object=keda.name if keda else None,
        paused=keda is not None and keda.paused,
        limited=(hpa.limited or hpa.stuck) if hpa else None,
        lead_time=_lead_time(known.lead),
        capacity=_capacity(known.capacity),
        delivered=_delivered(known.delivery),
    )


def warning_views(view: ClusterView) -> Iterator[WarningView]:
    """All warnings: what will not fit, late events, annotations, what cannot be read."""
    for one in view.fit:
        yield _fit(one)
    for late in view.late:
        yield WarningView(kind=WarningKind.LATE_EVENT, text=late.text, workloads=(late.workload,))
    for text in view.problems:
        yield WarningView(kind=WarningKind.ANNOTATION, text=text)
    for text in view.health.problems:
        yield WarningView(kind=WarningKind.CLUSTER, text=text)


def lead_parts(lead: SeenLead) -> dict[str, Spread]:
    """The parts of a start-up that are known."""
    summary = lead.summary
    parts = {
        "scheduling": summary.scheduling,
        "node": summary.node,
        "initialising": summary.initialising,
        "starting": summary.starting,
    }
    return {name: one for name, one in parts.items() if one is not None}


def _fit(one: FitWarning) -> WarningView:
    named = one.workloads or ((f"{one.namespace}/{one.name}",) if one.name else ())
    return WarningView(
        kind=WarningKind.WILL_NOT_FIT,
        text=one.text(),
        workloads=named,
        limit=one.limit.value,
        resource=one.resource,
        wanted=one.wanted,
        allowed=one.allowed,
        hours_ahead=one.hours_ahead,
        fix=one.fix,
        spans=_spans(one.spans),
        also=tuple(
            ExcessView(
                resource=part.resource,
                wanted=part.wanted,
                allowed=part.allowed,
                spans=_spans(part.spans),
            )
            for part in one.also
        ),
    )


def _spans(spans: Iterable[Span]) -> tuple[SpanView, ...]:
    return tuple(SpanView(start=at.start, end=at.end, wanted=at.wanted) for at in spans)


def _lead_time(lead: SeenLead | None) -> LeadTimeView | None:
    if lead is None:
        return None
    measured, summary = lead.measured, lead.summary
    return LeadTimeView(
        seconds=None if measured.measured is None else measured.measured.total_seconds(),
        reason=measured.reason,
        start_ups=summary.count,
        total=_spread(summary.total),
        parts={
            name: SpreadView(p50=one.p50, p95=one.p95) for name, one in lead_parts(lead).items()
        },
    )


def _spread(spread: Spread | None) -> SpreadView | None:
    return None if spread is None else SpreadView(p50=spread.p50, p95=spread.p95)


def _capacity(capacity: MeasuredCapacity | None) -> CapacityView | None:
    if capacity is None:
        return None
    return CapacityView(
        rps=capacity.rps,
        reason=capacity.reason,
        since=capacity.since,
        provisional=capacity.provisional,
    )


def _delivered(delivery: Delivery | None) -> DeliveredView | None:
    if delivery is None:
        return None
    short = delivery.short
    return DeliveredView(
        at=datetime.fromtimestamp(delivery.at, UTC),
        target=delivery.target,
        due=delivery.due,
        short=None if short is None else f"{short.missing} missing, {short.reason}: {short.detail}",
        last_day=_minutes(delivery.last_day),
        total=_minutes(delivery.total),
    )


def _minutes(minutes: DeliveredMinutes) -> MinutesView:
    missed = {reason.value: count for reason, count in minutes.missed.items() if count}
    return MinutesView(on_time=minutes.on_time, missed=missed, share=minutes.share)
