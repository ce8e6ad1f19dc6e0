"""What a replay comes to: traffic not served, time short, replica-hours, slack, money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecaster.backtest.hpa import ReplicaTimeline
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.planning.capacity import IntArray
from forecaster.traffic.history import FloatArray

__all__ = ["Measures", "Shortage", "find_shortages", "measure", "slack_ratio", "unserved_ratio"]


@dataclass(frozen=True)
class Shortage:
    """A stretch of time with too few ready replicas, without a break.

    ``unserved_requests`` is the traffic above ready capacity, rate × seconds; ``missing_replicas``
    is how many more would have been enough at its worst instant.
    """

    start: datetime
    end: datetime
    unserved_requests: float
    missing_replicas: int

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Measures:
    """One policy over one span; steps that were not observed count nowhere.

    ``unserved_ratio``: traffic above ready capacity over all traffic, exact within steps.
    ``slack_ratio``: ready replica-hours over the oracle's, minus 1. ``replica_hours`` counts ready
    replicas, ``paid_replica_hours`` all that were asked for, those still starting included; cost
    is the price of these. ``scaling_actions`` are changes of the replicas asked for, in gaps too.
    """

    unserved_ratio: float
    underprovisioned_seconds: float
    longest_shortage_seconds: float
    slack_ratio: float
    replica_hours: float
    paid_replica_hours: float
    scaling_actions: int
    cost: float | None = None


def measure(
    asked: ReplicaTimeline,
    ready: ReplicaTimeline,
    span: ReplaySpan,
    settings: ReplaySettings,
    shortages: tuple[Shortage, ...],
) -> Measures:
    """All measures of one simulation; ``shortages`` are those that :func:`find_shortages` found."""
    paid = _hours(asked.mean(), span)
    price = settings.price_per_replica_hour
    return Measures(
        unserved_ratio=unserved_ratio(ready, span, settings),
        underprovisioned_seconds=sum(one.seconds for one in shortages),
        longest_shortage_seconds=max((one.seconds for one in shortages), default=0.0),
        slack_ratio=slack_ratio(ready, span, settings),
        replica_hours=_hours(ready.mean(), span),
        paid_replica_hours=paid,
        scaling_actions=int(np.count_nonzero(np.diff(asked.replicas))),
        cost=None if price is None else paid * price,
    )


def unserved_ratio(ready: ReplicaTimeline, span: ReplaySpan, settings: ReplaySettings) -> float:
    """Σ traffic above ready capacity / Σ traffic over the observed steps; 0 where there was none.

    With 2 ready replicas of 10 rps for half a step, 3 for the rest, and 30 rps: 1/6.
    """
    needed = settings.needed(span.rate_rps)
    total = float(np.nansum(needed))
    return float(np.nansum(ready.short_of(needed))) / total if total > 0 else 0.0


def slack_ratio(ready: ReplicaTimeline, span: ReplaySpan, settings: ReplaySettings) -> float:
    """Ready replica-hours over those of perfect foresight, minus 1, over the observed steps.

    The oracle has exactly ``max(ceil(traffic / capacity), min_replicas)`` in every step.
    """
    oracle = _hours(settings.oracle_replicas(span), span)
    return _hours(ready.mean(), span) / oracle - 1.0


def find_shortages(
    ready: ReplicaTimeline, span: ReplaySpan, settings: ReplaySettings
) -> tuple[Shortage, ...]:
    """Every stretch in which fewer replicas were ready than traffic needed, in order of time.

    Exact within steps; stretches that touch are one, and a gap ends one.
    """
    edges = np.arange(len(span)) * span.step_seconds
    end = len(span) * span.step_seconds
    starts = np.union1d(edges, ready.seconds[ready.seconds < end])
    step = np.searchsorted(edges, starts, side="right") - 1
    replicas = ready.at(starts)
    needed = settings.needed(span.rate_rps)[step]
    short = needed > replicas  # never in a gap
    changes = np.flatnonzero(np.diff(short, prepend=False, append=False))
    first, beyond = changes[::2], changes[1::2]
    if len(first) == 0:
        return ()
    bounds = np.append(starts, end)
    missing = np.where(short, needed - replicas, 0.0)
    unserved = np.add.reduceat(missing * np.diff(bounds), first) * settings.capacity_rps
    worst = np.maximum.reduceat(np.ceil(missing), first).astype(np.int64)
    return tuple(
        Shortage(span.at(begin), span.at(stop), lost, replicas_missing)
        for begin, stop, lost, replicas_missing in zip(
            bounds[first].tolist(),
            bounds[beyond].tolist(),
            unserved.tolist(),
            worst.tolist(),
            strict=True,
        )
    )


def _hours(replicas: FloatArray | IntArray, span: ReplaySpan) -> float:
    return float(replicas[span.observed].sum()) * span.step_seconds / 3600.0
