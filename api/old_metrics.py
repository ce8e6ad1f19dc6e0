"""prescaling-exporter's metrics, correctly computed, for HPAs that have not moved yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forecaster.events import Calendar
from forecaster.migration.old_metrics import OLD_METRIC_HELP, OLD_METRIC_LABELS, old_metrics
from forecaster.planning.capacity import Mode
from forecaster.planning.snapshot import WorkloadState
from forecaster.worker.cluster_view import ClusterView
from forecaster.worker.programme import Programme

__all__ = ["OldMetricsCollector", "events_near"]

_NEAR = timedelta(days=1)


def events_near(calendar: Calendar, now: datetime) -> Calendar:
    """The events that may say something at ``now``, for all workloads."""
    return Calendar(calendar.within(now - _NEAR, now + _NEAR).events)


class OldMetricsCollector(Collector):
    """What is declared for some workloads at ``now``, under the exporter's names and labels.

    Replicas are those that the cluster has; where it is not read, the metric that needs them has no
    sample, and the HPA holds. ``prescaling_replicas`` needs none. ``near`` are the events around
    ``now``, by ``events_near``.
    """

    def __init__(
        self,
        states: Iterable[WorkloadState],
        events: Programme,
        near: Calendar,
        cluster: ClusterView,
        now: datetime,
    ) -> None:
        self._states = states
        self._events = events
        self._near = near
        self._cluster = cluster
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Every family, in a fixed order, with or without samples."""
        families = {
            name: GaugeMetricFamily(name, text, labels=OLD_METRIC_LABELS)
            for name, text in OLD_METRIC_HELP.items()
        }
        for state in self._states:
            if state.rule.mode is Mode.OFF:
                continue
            self._add(families, state)
        yield from families.values()

    def _add(self, families: dict[str, GaugeMetricFamily], state: WorkloadState) -> None:
        workload, labels = state.workload, self._events.labels(state.workload)
        seen = self._cluster.of(workload).seen
        current = None if seen is None or seen.scaled is None else seen.scaled.replicas
        values = old_metrics(
            workload,
            self._near,
            self._now,
            current_replicas=current,
            ready_replicas=None if seen is None else seen.ready,
            labels=labels,
            lead_time=state.rule.lead_time,
        )
        place = (labels.get("project", ""), state.name, state.namespace)
        if values.metric is not None:
            families["prescaling_metric"].add_metric(place, values.metric)
        families["prescaling_min_replica"].add_metric(place, values.min_replica)
        families["prescaling_multiplier"].add_metric(place, values.multiplier)
        families["prescaling_replicas"].add_metric(place, values.wanted)
