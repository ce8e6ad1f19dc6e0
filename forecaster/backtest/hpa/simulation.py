"""A whole trace under an HPA: signals in, replicas asked for and ready out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.backtest.hpa.controller import HpaController
from forecaster.backtest.hpa.metrics import AverageValueMetric, thousandths
from forecaster.backtest.hpa.pods import Pods, StartUpTime
from forecaster.backtest.hpa.signals import (
    FALLS_BACK,
    Feedback,
    Signal,
    Source,
    first_value_seconds,
    seen,
)
from forecaster.backtest.hpa.spec import HpaSpec
from forecaster.backtest.hpa.timeline import ReplicaTimeline
from forecaster.planning.capacity import IntArray
from forecaster.traffic.history import FloatArray

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """What came of it: ``asked`` is what is paid, ``ready`` is what serves.

    ``sync_seconds`` are the instants of the syncs, shape (syncs,): ``asked.at(sync_seconds)`` is
    what each decided.
    """

    asked: ReplicaTimeline
    ready: ReplicaTimeline
    sync_seconds: FloatArray


def simulate(
    spec: HpaSpec,
    sources: Sequence[Source],
    *,
    steps: int,
    step_seconds: float,
    startup: StartUpTime,
    initial_replicas: int = 1,
    rng: np.random.Generator | None = None,
) -> Simulation:
    """Run an HPA over ``steps`` steps of ``step_seconds``, from ``initial_replicas`` ready ones.

    ``sources`` has one for each metric of ``spec``, a ``Signal`` with ``steps`` values or a
    ``Feedback``. Syncs are at multiples of ``spec.sync_seconds`` and begin as soon as every signal
    has a value that can be seen; until then nothing changes. ``rng`` is needed where start-up
    times are drawn; the same generator state gives the same result. ValueError where the sources
    do not fit the metrics or the steps.

    Where reality is harder on the HPA: syncs fall on the very second at which a step is complete
    (``Signal.delay_seconds`` moves what they see), and the usage that a ``ResourceMetric`` sees is
    that of the last complete step shared by the replicas ready **now**, those that became ready a
    moment ago included.

    Syncs that cannot change anything are not made but stood for (``HpaController.repeat``): the
    result is that of making each one.
    """
    _check(spec, sources, steps, step_seconds)
    horizon_seconds = steps * step_seconds
    sync_seconds = _sync_instants(spec, sources, step_seconds, horizon_seconds)
    pods = Pods(initial_replicas, startup, rng)
    if len(sync_seconds):
        starts, rows = _runs(spec, sources, sync_seconds, step_seconds)
        _run(spec, sources, pods, sync_seconds, starts, rows)
    return Simulation(
        pods.asked_timeline(step_seconds, steps),
        pods.ready_timeline(step_seconds, steps),
        sync_seconds,
    )


def _check(spec: HpaSpec, sources: Sequence[Source], steps: int, step_seconds: float) -> None:
    if steps < 1 or not 0 < step_seconds < math.inf:
        raise ValueError(
            f"steps and step_seconds are above 0, for example 1440 and 60, "
            f"not {steps} and {step_seconds}"
        )
    if len(sources) != len(spec.metrics):
        raise ValueError(
            f"one source for each of {len(spec.metrics)} metrics is needed, not {len(sources)}"
        )
    for source in sources:
        if isinstance(source, Signal) and len(source.values) != steps:
            raise ValueError(f"a signal needs {steps} values, one a step, not {len(source.values)}")


def _sync_instants(
    spec: HpaSpec, sources: Sequence[Source], step_seconds: float, horizon_seconds: float
) -> FloatArray:
    """Multiples of the sync period from when all signals can be seen, before the horizon."""
    seen_from = max(
        (first_value_seconds(one, step_seconds) for one in sources if isinstance(one, Signal)),
        default=0.0,
    )
    first = math.ceil(seen_from / spec.sync_seconds - 1e-9)
    last = math.ceil(horizon_seconds / spec.sync_seconds - 1e-9)
    return np.arange(first, last, dtype=np.float64) * spec.sync_seconds


def _runs(
    spec: HpaSpec, sources: Sequence[Source], sync_seconds: FloatArray, step_seconds: float
) -> tuple[IntArray, list[list[int]]]:
    """The runs of syncs that see the same: the first sync of each, and what is seen.

    For a ``Feedback`` the step stands in for what is seen.
    """
    step = np.floor(sync_seconds / step_seconds + 1e-9).astype(np.int64)
    codes = np.stack(
        [
            step
            if isinstance(source, Feedback)
            else seen(source, metric, spec, sync_seconds, step_seconds)
            for source, metric in zip(sources, spec.metrics, strict=True)
        ],
        axis=1,
    )
    changed = np.any(codes[1:] != codes[:-1], axis=1)
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    return starts, codes[starts].tolist()


def _run(
    spec: HpaSpec,
    sources: Sequence[Source],
    pods: Pods,
    sync_seconds: FloatArray,
    starts: IntArray,
    rows: list[list[int]],
) -> None:
    controller = HpaController(spec)
    instants = sync_seconds.tolist()
    ends = [*starts[1:].tolist(), len(instants)]
    ready_matters = not all(isinstance(metric, AverageValueMetric) for metric in spec.metrics)
    depends = spec.keda.fallback is not None or any(isinstance(one, Feedback) for one in sources)
    current = ready = pods.asked
    for row, start, end in zip(rows, starts.tolist(), ends, strict=True):
        sync = start
        while sync < end:
            now = instants[sync]
            if ready_matters:
                ready = pods.ready(now)
            values = _values(spec, sources, row, current) if depends else row
            recommended = controller.recommend(current, ready, values)
            desired = controller.decide(now, current, recommended)
            sync += 1
            if desired != current:
                pods.scale_to(now, desired)
                current = desired
            elif sync < end:
                until = controller.quiet_until(now)
                if ready_matters:
                    until = min(until, pods.next_ready_seconds)
                if until > instants[sync]:
                    # Rounded down: a sync too many changes nothing, one too few might.
                    first = instants[0]
                    later = min((until - first) / spec.sync_seconds, float(end))
                    sync = max(sync, min(int(later), end))
                    controller.repeat(instants[sync - 1])


def _values(spec: HpaSpec, sources: Sequence[Source], row: list[int], current: int) -> list[int]:
    """What is seen, with what depends on the replicas filled in."""
    values = []
    for metric, source, code in zip(spec.metrics, sources, row, strict=True):
        if isinstance(source, Feedback):
            values.append(thousandths(source.answer(code, current)))
        elif code == FALLS_BACK and isinstance(metric, AverageValueMetric) and spec.keda.fallback:
            values.append(thousandths(spec.keda.fallback.replicas_at(current) * metric.target))
        else:
            values.append(code)
    return values
