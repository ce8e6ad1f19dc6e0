"""What Prometheus reads: every number made anew from a snapshot, so nothing stale lingers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forecaster.errors import NoUsablePlan
from forecaster.planning.capacity import Mode
from forecaster.planning.plan import Plan
from forecaster.planning.snapshot import Snapshot, WorkloadState
from forecaster.planning.target import Source

__all__ = ["SHOWN_QUANTILES", "ServiceCollector", "WorkloadCollector"]

# A band of nine tenths, its middle, and the default risk; a rule's own quantile comes on top.
SHOWN_QUANTILES = (0.05, 0.5, 0.95, 0.98)

_LABELS = ("namespace", "workload")


class WorkloadCollector(Collector):
    """The metrics of some workloads at ``now``; a number that is not known has no sample."""

    def __init__(self, states: Iterable[WorkloadState], now: datetime) -> None:
        self._states = states
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Every family, in a fixed order, with or without samples."""
        families = _Families()
        for state in self._states:
            families.add(state, self._now)
        yield from families.all


class ServiceCollector(Collector):
    """The metrics of the service itself; ``answers`` counts those of the KEDA route by status."""

    def __init__(self, snapshot: Snapshot, ready: bool, answers: Mapping[int, int]) -> None:
        self._snapshot = snapshot
        self._ready = ready
        self._answers = answers

    def collect(self) -> Iterator[Metric]:
        """Readiness, how many workloads there are, and what KEDA was answered."""
        yield GaugeMetricFamily(
            "preroll_ready",
            "1 once every workload has a plan or a stated reason for having none.",
            value=float(self._ready),
        )
        yield GaugeMetricFamily(
            "preroll_workloads", "Configured workloads.", value=len(self._snapshot.workloads)
        )
        answers = CounterMetricFamily(
            "preroll_target_answers", "Answers of /v1/targets, by status.", labels=("code",)
        )
        for status, count in sorted(self._answers.items()):
            answers.add_metric((str(status),), count)
        yield answers


class _Families:
    def __init__(self) -> None:
        self.target = _gauge(
            "preroll_target_replicas",
            "What KEDA gets, 0 for no floor; no sample without a plan.",
        )
        self.planned = _gauge(
            "preroll_planned_replicas", "The target as planned, the same in active and shadow mode."
        )
        self.usable = _gauge(
            "preroll_plan_usable", "1 where KEDA gets a target, 0 where it gets a 503."
        )
        self.source = _gauge(
            "preroll_target_source",
            "1 for who speaks: the lead peak, from live traffic, the outlook, or an event's floor "
            "where neither does; 0 for the others.",
            "source",
        )
        self.lead_peak = _gauge(
            "preroll_lead_peak_rps",
            "The rule's quantile of the highest traffic within the lead time, while it counts.",
            "quantile",
        )
        self.outlook = _gauge(
            "preroll_outlook_rps",
            "Quantiles of traffic forecast for the present step, requests per second.",
            "quantile",
        )
        self.observed = _gauge(
            "preroll_observed_rps",
            "Traffic of the latest complete interval, requests per second.",
        )
        self.observed_age = _gauge(
            "preroll_observed_age_seconds", "Time since the latest complete interval began."
        )
        self.plan_age = _gauge(
            "preroll_plan_age_seconds", "Time since the last traffic that the plan is made from."
        )
        self.plan_end = _gauge(
            "preroll_plan_end_timestamp_seconds",
            "When the plan ends, Unix time: then KEDA gets a 503.",
        )
        self.training = _gauge(
            "preroll_training_seconds", "How long the last training that ended well took."
        )
        self.trained_at = _gauge(
            "preroll_last_training_timestamp_seconds",
            "When training last ended well, Unix time.",
        )
        self.runs = _counter("preroll_training_runs", "Trainings, failed ones included.")
        self.failures = _counter("preroll_training_failures", "Trainings that failed.")

    @property
    def all(self) -> tuple[Metric, ...]:
        return tuple(vars(self).values())

    def add(self, state: WorkloadState, now: datetime) -> None:
        labels = (state.namespace, state.name)
        self._add_target(labels, state, now)
        if state.plan is not None:
            self._add_plan(labels, state.plan, now)
        if state.observed is not None:
            _set(self.observed, labels, state.observed.rate_rps)
            age = (now - state.observed.start).total_seconds()
            _set(self.observed_age, labels, age)
        training = state.training
        _set(self.training, labels, training.seconds)
        if training.trained_at is not None:
            _set(self.trained_at, labels, training.trained_at.timestamp())
        _set(self.runs, labels, training.runs)
        _set(self.failures, labels, training.failures)

    def _add_target(self, labels: Sequence[str], state: WorkloadState, now: datetime) -> None:
        try:
            target = state.target(now)
        except NoUsablePlan:
            _set(self.usable, labels, 0)
            return
        spoken = target.source is not Source.NONE
        _set(self.usable, labels, spoken or state.rule.mode is Mode.OFF)
        _set(self.target, labels, max(0, target.replicas))
        if not spoken:
            return
        _set(self.planned, labels, max(0, target.planned_replicas))
        for source in (Source.LEAD_PEAK, Source.OUTLOOK, Source.EVENT):
            _set(self.source, (*labels, source.value), target.source is source)
        told = state.live.fresh(now)
        if told is not None:
            _set(self.lead_peak, (*labels, repr(float(told.quantile))), told.peak_rps)

    def _add_plan(self, labels: Sequence[str], plan: Plan, now: datetime) -> None:
        _set(self.plan_age, labels, (now - plan.outlook.cutoff).total_seconds())
        _set(self.plan_end, labels, plan.end.timestamp())
        index = plan.outlook.index_of(now)
        if not 0 <= index < len(plan.outlook):
            return
        for row, quantile in enumerate(plan.outlook.quantiles):
            if quantile in SHOWN_QUANTILES or quantile == plan.rule.quantile:
                rate = float(plan.outlook.rate_rps[row, index])
                _set(self.outlook, (*labels, repr(float(quantile))), rate)


def _gauge(name: str, documentation: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=(*_LABELS, *more))


def _counter(name: str, documentation: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, documentation, labels=_LABELS)


def _set(
    family: GaugeMetricFamily | CounterMetricFamily, labels: Sequence[str], value: float | None
) -> None:
    if value is not None and math.isfinite(value):
        family.add_metric(labels, value)
