"""What recent start-ups come to: p50 and p95, in total and by part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecaster.cluster.start_up_rows import (
    RESTARTED,
    UNSCHEDULABLE,
    WATCHED,
    Rows,
    ready_at,
    totals,
)
from forecaster.durations import format_duration

__all__ = ["ENOUGH", "WINDOW_SECONDS", "Spread", "StartUpSummary", "summarise"]

ENOUGH = 5
"""Start-ups below which nothing is said of a workload."""

WINDOW_SECONDS = 14 * 86_400.0
"""Two weeks, so that the weekly match is in it twice."""

_HALF_LIFE = 7 * 86_400.0
"""A start-up counts half of one that is a week younger."""

_LATELY = 3


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds that half, and 95 %, of the start-ups took at the most."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class StartUpSummary:
    """Start-ups of a workload that were ready from ``since`` to ``until`` (Unix seconds).

    The spreads are None where there are fewer than ENOUGH; those of the parts do not add up to the
    total's, for the pods that are slow in one are not those that are slow in another. ``new_node``
    is the total's of those that found no node at first, from ENOUGH of them on.
    ``p95_lately`` is the total's p95 as it stood at each of the last three start-ups, newest last.
    ``watched`` is False where pods count that were ready when first seen. ``restarted`` and
    ``unschedulable`` count among ``count``. ``never_ready`` pods were given up in the window,
    ``waiting`` ones are not ready now, the first of them for ``longest_wait`` seconds.
    """

    count: int = 0
    since: float | None = None
    until: float | None = None
    total: Spread | None = None
    scheduling: Spread | None = None
    node: Spread | None = None
    initialising: Spread | None = None
    starting: Spread | None = None
    new_node: Spread | None = None
    p95_lately: tuple[float, ...] = ()
    watched: bool = True
    restarted: int = 0
    unschedulable: int = 0
    never_ready: int = 0
    waiting: int = 0
    longest_wait: float = 0.0

    @property
    def enough(self) -> bool:
        """Whether there are start-ups enough to say how long they take."""
        return self.count >= ENOUGH

    def text(self) -> str:
        """One line for people: ``p95 1m35s of 38 start-ups since 2026-06-01``."""
        if self.total is None or self.since is None:
            return f"not enough yet: {self.count} of {ENOUGH} start-ups"
        since = datetime.fromtimestamp(self.since, UTC)
        p95 = format_duration(timedelta(seconds=round(self.total.p95)))
        return f"p95 {p95} of {self.count} start-ups since {since:%Y-%m-%d}"


def summarise(rows: Rows, never_ready: int, waiting: int, longest_wait: float) -> StartUpSummary:
    """The summary of start-ups in the order in which they were ready.

    Those that were watched count alone as soon as they are enough.
    """
    watched = (rows["marks"] & WATCHED) > 0
    alone = int(watched.sum()) >= ENOUGH
    rows = rows[watched] if alone else rows
    count, ready, seconds = len(rows), ready_at(rows), totals(rows)
    enough = count >= ENOUGH
    lately = range(min(_LATELY, count) - 1, -1, -1) if enough else ()

    without = ((rows["marks"] & UNSCHEDULABLE) > 0) | (rows["node"] > 0)

    return StartUpSummary(
        count=count,
        since=float(ready[0]) if count else None,
        until=float(ready[-1]) if count else None,
        total=_spread(seconds, ready),
        scheduling=_spread(rows["scheduling"], ready),
        node=_spread(rows["node"], ready),
        initialising=_spread(rows["initialising"], ready),
        starting=_spread(rows["starting"], ready),
        new_node=_spread(seconds[without], ready[without]),
        p95_lately=tuple(
            _quantile(seconds[: count - back], ready[: count - back], 0.95) for back in lately
        ),
        watched=alone or not count,
        restarted=int(((rows["marks"] & RESTARTED) > 0).sum()),
        unschedulable=int(((rows["marks"] & UNSCHEDULABLE) > 0).sum()),
        never_ready=never_ready,
        waiting=waiting,
        longest_wait=longest_wait,
    )


def _spread(values: NDArray[np.float64], ready: NDArray[np.float64]) -> Spread | None:
    if len(values) < ENOUGH:
        return None
    return Spread(_quantile(values, ready, 0.5), _quantile(values, ready, 0.95))


def _quantile(values: NDArray[np.float64], ready: NDArray[np.float64], share: float) -> float:
    """The least of ``values`` that has ``share`` of all weight at or below it.

    Weights halve with every week before the newest. It is a value that was measured, never one
    between two.
    """
    weights = np.exp2((ready - ready[-1]) / _HALF_LIFE)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    index = int(np.searchsorted(reached, share * reached[-1]))
    return float(values[order[index]])
