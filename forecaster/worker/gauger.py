"""The gauger: a process that measures capacities from history, tells them, and ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forecaster.errors import TrafficError
from forecaster.planning.measured_capacity import Refused, measure_capacity
from forecaster.planning.measured_capacity_settle import CapacityInUse, settle_capacity
from forecaster.settings import CapacitySettings, PrometheusSettings, WorkloadSettings
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.capacity_messages import Gauged, GaugingFailed, MeasuredCapacity
from forecaster.worker.capacity_source import CapacitySignals, CapacitySource
from forecaster.worker.process import Tell
from forecaster.worker.source import PrometheusFetch

__all__ = ["GaugeOrder", "gauge", "run_gauging"]

LOOKS_BACK = timedelta(days=14)
"""Older history is of other releases; and a fleet's three signals have to fit in memory."""

_STEP = timedelta(minutes=5)
_TOLD_AT_ONCE = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GaugeOrder:
    """Measure the capacity of ``workloads``; ``before`` are the capacities in use."""

    source: PrometheusSettings
    capacity: CapacitySettings
    workloads: tuple[WorkloadSettings, ...]
    before: Mapping[str, CapacityInUse]
    step: timedelta
    history: timedelta
    clock: Callable[[], datetime]


def run_gauging(tell: Tell, order: GaugeOrder) -> None:
    """Ask for traffic, ready replicas and saturation of the last days, and measure."""
    names = frozenset(one.workload for one in order.workloads)
    now = order.clock()
    step = max(order.step, _STEP)
    start = now - min(order.history, LOOKS_BACK)
    try:
        with (
            closing(PrometheusFetch(order.source, names)) as fetch,
            closing(CapacitySource(order.source, order.capacity, names)) as ask,
        ):
            signals = ask(start, now, step)
            fetched = fetch(start, now, step)
    except TrafficError as error:
        _log.warning("capacities not measured", extra={"error": str(error)})
        tell(GaugingFailed(now, str(error)))
        return
    traffic = {one.series_id: one for one in fetched.history or ()}
    refused = {**signals.refused, **{n: f"traffic: {why}" for n, why in fetched.refused.items()}}
    for warning in signals.warnings:
        _log.warning("capacity signals", extra={"warning": warning})
    known = 0
    for first in range(0, len(order.workloads), _TOLD_AT_ONCE):
        some = order.workloads[first : first + _TOLD_AT_ONCE]
        found = gauge(replace(order, workloads=some), traffic, signals, refused, now)
        known += sum(one.rps is not None for one in found.values())
        tell(Gauged(now, found))
    _log.info("capacities measured", extra={"workloads": len(order.workloads), "known": known})


def gauge(
    order: GaugeOrder,
    traffic: Mapping[str, TrafficSeries],
    signals: CapacitySignals,
    refused: Mapping[str, str],
    now: datetime,
) -> dict[str, MeasuredCapacity]:
    """What each workload's capacity is from now on, and why."""
    found = {}
    for workload in order.workloads:
        name, before = workload.workload, order.before.get(workload.workload)
        if name in refused:
            found[name] = _kept(before, refused[name])
            continue
        target = workload.target_utilisation or order.capacity.target_utilisation
        try:
            measured = measure_capacity(traffic.get(name), *signals.of(name), target, now)
        except Exception as error:  # whatever the data is, the others go on
            _log.error("capacity not measured", extra={"workload": name}, exc_info=error)
            found[name] = _kept(before, f"the measurement broke ({type(error).__name__}: {error})")
            continue
        settled = settle_capacity(before, measured, now)
        if settled is None:
            why = str(measured) if isinstance(measured, Refused) else "nothing was measured"
            found[name] = MeasuredCapacity(None, why)
        else:
            found[name] = MeasuredCapacity(
                settled.capacity_rps, settled.reason, settled.since, settled.provisional
            )
    return found


def _kept(before: CapacityInUse | None, why: str) -> MeasuredCapacity:
    if before is None:
        return MeasuredCapacity(None, why)
    return MeasuredCapacity(before.capacity_rps, f"kept: {why}", before.since, before.provisional)
