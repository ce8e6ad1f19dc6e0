"""What the HPA sees of the trace at each sync.

The clock of a replay is the trace's step: a measured value is the mean of the last complete step,
all syncs until the next step is complete see the same, and a delay comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.backtest.hpa.keda import falls_back
from forecaster.backtest.hpa.metrics import FAILED, AverageValueMetric, Metric
from forecaster.backtest.hpa.spec import HpaSpec
from forecaster.planning.capacity import IntArray
from forecaster.traffic.history import FloatArray

__all__ = ["FALLS_BACK", "Feedback", "Signal", "Source", "first_value_seconds", "seen"]

FALLS_BACK = -2
"""Stands for a value that KEDA's fallback gives, which depends on the replicas."""


@dataclass(frozen=True, eq=False)
class Signal:
    """One value per step, shape (steps,), in the metric's unit; NaN: the metric fails.

    Measured (the default): the mean of step i, seen once the step is complete. ``served``: what is
    answered from the start of step i on, such as a target that was computed before. Either is seen
    ``delay_seconds`` later: scraping, aggregation, the metrics server. ValueError where a value is
    negative or infinite.
    """

    values: FloatArray
    delay_seconds: float = 0.0
    served: bool = False

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != 1 or len(values) == 0:
            raise ValueError(f"a signal has one value per step, not the shape {values.shape}")
        with np.errstate(invalid="ignore"):
            bad = np.flatnonzero((values < 0) | np.isinf(values))
        if len(bad):
            raise ValueError(f"a signal's values are 0 or more; step {bad[0]}: {values[bad[0]]}")
        if not 0 <= self.delay_seconds < math.inf:
            raise ValueError(f"delay_seconds is not negative, not {self.delay_seconds}")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, eq=False)
class Feedback:
    """A metric that looks at the replicas: ``answer(step, current)`` is its value at a sync.

    prescaling-exporter is one: 11 while fewer replicas run than its window wants, 10 when enough.
    The answer depends on its two arguments alone; NaN: it fails. No KEDA in between.
    """

    answer: Callable[[int, int], float]


Source = Signal | Feedback


def first_value_seconds(signal: Signal, step_seconds: float) -> float:
    """When the first value can be seen."""
    return signal.delay_seconds + (0.0 if signal.served else step_seconds)


def seen(
    signal: Signal, metric: Metric, spec: HpaSpec, sync_seconds: FloatArray, step_seconds: float
) -> IntArray:
    """What each sync sees: thousandths, FAILED, or FALLS_BACK; shape as ``sync_seconds``.

    No sync may come before the first value can be seen.
    """
    codes = _thousandths(signal.values)
    if not isinstance(metric, AverageValueMetric):
        return codes[_visible(signal, sync_seconds, step_seconds)]
    keda = spec.keda
    read_at = keda.last_poll_seconds(sync_seconds) if metric.cached else sync_seconds
    read_at = np.maximum(read_at, first_value_seconds(signal, step_seconds))
    values = codes[_visible(signal, read_at, step_seconds)]
    if keda.fallback is None or not (values == FAILED).any():
        return values
    polls = keda.polls(sync_seconds[0], sync_seconds[-1])
    polled = codes[_visible(signal, polls, step_seconds)]
    order = np.argsort(np.concatenate([polls, sync_seconds]), kind="stable")
    failed = np.concatenate([polled, values]) == FAILED
    speaks = np.empty(len(failed), dtype=bool)
    speaks[order] = falls_back(failed[order], keda.fallback.failure_threshold)
    return np.where(speaks[len(polls) :], FALLS_BACK, values)


def _visible(signal: Signal, at_seconds: FloatArray, step_seconds: float) -> NDArray[np.intp]:
    """The step whose value is seen at each instant."""
    passed = at_seconds - first_value_seconds(signal, step_seconds)
    # A float's last bit must not make a step late; a nanosecond early is not seen.
    return np.floor(passed / step_seconds + 1e-9).astype(np.intp)


def _thousandths(values: FloatArray) -> IntArray:
    """As ``metrics.thousandths``, for an array without negative values."""
    failed = np.isnan(values)
    return np.where(failed, FAILED, np.where(failed, 0.0, values) * 1000 + 0.5).astype(np.int64)
