"""The cluster, for Prometheus: replicas, lead times, deliveries, what will not fit, the watches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.cluster_views import lead_parts
from forecaster.worker.cluster_view import ClusterView, ClusterWorkload

__all__ = ["ClusterCollector", "ClusterWorkloadCollector"]

_WORKLOAD = ("namespace", "workload")


class ClusterWorkloadCollector(Collector):
    """What is known of some workloads in the cluster; what is not known has no sample."""

    def __init__(self, workloads: Mapping[str, ClusterWorkload]) -> None:
        self._workloads = workloads

    def collect(self) -> Iterator[Metric]:
        """Every family, in a fixed order, with or without samples."""
        yield from _Workloads(self._workloads).all


class ClusterCollector(Collector):
    """What is known of the cluster as a whole, and the families of its workloads, empty."""

    def __init__(self, view: ClusterView, now: datetime) -> None:
        self._view = view
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Every family, in a fixed order, with or without samples."""
        yield from _Workloads({}).all
        yield from self._service()

    def _service(self) -> Iterator[Metric]:
        view, now = self._view, self._now
        fit = _gauge(
            "preroll_will_not_fit_ahead_seconds",
            "Time until more is planned than a maximum, a quota or the nodes allow.",
            ("limit", "namespace", "name", "resource"),
        )
        excess = _gauge(
            "preroll_will_not_fit_ratio",
            "The most that is planned ÷ what is allowed, of what will not fit.",
            ("limit", "namespace", "name", "resource"),
        )
        for one in view.fit:
            for part in one.parts:
                labels = (*one.key, part.resource)
                fit.add_metric(labels, max(0.0, (part.start - now).total_seconds()))
                if part.allowed > 0:
                    excess.add_metric(labels, part.wanted / part.allowed)
        yield from (fit, excess)
        yield GaugeMetricFamily(
            "preroll_late_events",
            "Events that go on or come, and were announced later than the lead time allows.",
            value=len(view.late),
        )
        if not view.watched:
            return
        yield GaugeMetricFamily(
            "preroll_annotation_problems",
            "Annotations of ScaledObjects that cannot be used; GET /v1/warnings names them.",
            value=len(view.problems),
        )
        yield GaugeMetricFamily(
            "preroll_cluster_problems",
            "Reasons why something of the cluster cannot be read or written.",
            value=len(view.health.problems),
        )
        objects = _gauge("preroll_cluster_objects", "Objects that are known, by kind.", ("kind",))
        for kind, count in sorted(view.health.known.items()):
            objects.add_metric((kind,), count)
        age = _gauge(
            "preroll_cluster_age_seconds",
            "How old what is known of a kind is: 0 while it is followed; none if never read.",
            ("kind",),
        )
        for kind, at in sorted(view.health.as_of.items()):
            age.add_metric((kind,), 0.0 if at is None else max(0.0, now.timestamp() - at))
        yield from (objects, age)


class _Workloads:
    def __init__(self, workloads: Mapping[str, ClusterWorkload]) -> None:
        self.ready = _gauge("preroll_ready_replicas", "Pods that are ready.", _WORKLOAD)
        self.desired = _gauge(
            "preroll_hpa_desired_replicas", "What the workload's HPA last decided.", _WORKLOAD
        )
        self.due = _gauge(
            "preroll_due_replicas",
            "What was asked for a lead time ago and since: so many should be ready by now.",
            _WORKLOAD,
        )
        self.short = _gauge(
            "preroll_short_replicas",
            "Replicas that are due and not ready, by the reason; no sample where all are.",
            (*_WORKLOAD, "reason"),
        )
        self.share = _gauge(
            "preroll_delivered_on_time_ratio",
            "Share of the last day's minutes with a target in which all that was due was ready.",
            _WORKLOAD,
        )
        self.minutes = CounterMetricFamily(
            "preroll_delivered_minutes",
            "Minutes in which a target was due, by what came of it: on time, or why not.",
            labels=(*_WORKLOAD, "result"),
        )
        self.start_ups = _gauge(
            "preroll_start_up_seconds",
            "What recent start-ups of pods took, by part; part total is the whole.",
            (*_WORKLOAD, "part", "quantile"),
        )
        self.lead = _gauge(
            "preroll_measured_lead_time_seconds",
            "p95 of start-ups and the HPA's delay, before bounds; what lead_time: auto goes by.",
            _WORKLOAD,
        )
        self.capacity = _gauge(
            "preroll_measured_capacity_rps",
            "Traffic that one replica serves at the target utilisation, as measured.",
            _WORKLOAD,
        )
        for name, known in workloads.items():
            namespace, _, workload = name.partition("/")
            self._add((namespace, workload), known)

    @property
    def all(self) -> tuple[Metric, ...]:
        return tuple(vars(self).values())

    def _add(self, labels: tuple[str, str], known: ClusterWorkload) -> None:
        if known.seen is not None:
            if known.seen.ready is not None:
                self.ready.add_metric(labels, known.seen.ready)
            if known.seen.autoscaler is not None:
                self.desired.add_metric(labels, known.seen.autoscaler.desired)
        if known.delivery is not None:
            delivery = known.delivery
            if delivery.due is not None:
                self.due.add_metric(labels, delivery.due)
            short = delivery.short
            if short is not None:
                self.short.add_metric((*labels, short.reason.value), short.missing)
            if delivery.last_day.share is not None:
                self.share.add_metric(labels, delivery.last_day.share)
            self.minutes.add_metric((*labels, "on time"), delivery.total.on_time)
            for reason, count in delivery.total.missed.items():  # from 0 on: rates need the first
                self.minutes.add_metric((*labels, reason.value), count)
        if known.lead is not None:
            self._add_lead(labels, known)
        if known.capacity is not None and known.capacity.rps is not None:
            self.capacity.add_metric(labels, known.capacity.rps)

    def _add_lead(self, labels: tuple[str, str], known: ClusterWorkload) -> None:
        assert known.lead is not None  # noqa: S101
        parts = lead_parts(known.lead)
        if known.lead.summary.total is not None:
            parts["total"] = known.lead.summary.total
        for part, spread in parts.items():
            self.start_ups.add_metric((*labels, part, "0.5"), spread.p50)
            self.start_ups.add_metric((*labels, part, "0.95"), spread.p95)
        if known.lead.measured.measured is not None:
            self.lead.add_metric(labels, known.lead.measured.measured.total_seconds())


def _gauge(name: str, documentation: str, labels: Sequence[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=labels)
