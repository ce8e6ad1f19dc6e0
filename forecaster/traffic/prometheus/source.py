"""The history of a whole fleet by one query, in chunks that server and memory can bear."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from forecaster.durations import format_duration
from forecaster.errors import SourceUnavailable
from forecaster.traffic.history import TrafficHistory
from forecaster.traffic.prometheus.answer import read_answer
from forecaster.traffic.prometheus.client import RangeQueryClient
from forecaster.traffic.prometheus.connection import FleetQuery, PrometheusConnection
from forecaster.traffic.prometheus.fleet import FleetTraffic
from forecaster.traffic.prometheus.grid import StepGrid, format_instant
from forecaster.traffic.prometheus.refusal import NothingStored, RangeTooLong

__all__ = ["FetchedTraffic", "PrometheusSource"]

_FIRST_STEPS = 240
_GROWTH = 8
_SAMPLES_PER_REQUEST = 500_000


@dataclass(frozen=True)
class FetchedTraffic:
    """What a fetch brought: ``history`` is None where no workload has traffic.

    ``warnings`` are the server's own and this side's notices, in words, each once. ``refused``
    says, by series id, whose traffic came and cannot be used, and why: those are not in
    ``history``. ``left_out`` are notices, one for each kind, of series that nobody asked for;
    ``others`` are the ids that those have, sorted.
    """

    history: TrafficHistory | None
    warnings: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class PrometheusSource:
    """Past traffic by one query from Prometheus, VictoriaMetrics, Thanos or Mimir.

    The constructor does no IO. With ``workloads``, series of others are left out unseen, and one of
    them that cannot be used costs its workload alone; without, every series of the query is taken,
    and one that cannot be used is an error. ``retrying`` is told of each failure before the same
    request is tried again. ``sleep`` waits between attempts, for a caller that wants to be woken
    up; ``jitter`` gives numbers in [0, 1). Usable as a context manager.
    """

    def __init__(
        self,
        connection: PrometheusConnection,
        query: FleetQuery,
        *,
        workloads: frozenset[str] | None = None,
        retrying: Callable[[SourceUnavailable], None] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._query = query
        self._workloads = workloads
        self._client = RangeQueryClient(
            connection, retrying=retrying, transport=transport, sleep=sleep, jitter=jitter
        )
        self._most_steps = connection.max_points_per_query
        self._connection = connection

    def fetch(
        self,
        start: datetime,
        end: datetime,
        step: timedelta,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> FetchedTraffic:
        """The traffic of the intervals that lie in [start, end), by workload.

        Intervals stand on the multiples of ``step`` since the epoch: start is rounded up, end down.
        The value of an interval is what the query gives at its end t: it covers (t - step, t] and
        is stored at t - step. All series start at the same instant; where the server has no
        sample, or NaN, there is a gap.

        The newest chunk is asked first and is small: it tells how many series there are, and with
        that how many steps fit into one request. ``progress`` gets (steps done, steps in all).

        Of the last minute: a server computes with the samples it has got, so ask for an end that
        scrapes have had time to reach; and VictoriaMetrics, for steps below a minute, repeats the
        value before in the last 30 seconds (its ``-search.latencyOffset``).

        Raises SourceUnavailable, SourceRefused or SourceAnswerError, and ValueError for instants
        and steps that cannot be used.
        """
        grid = StepGrid.within(start, end, step)
        if grid.count == 0:
            nothing = (
                f"no whole step of {format_duration(step)} lies between {format_instant(start)} "
                f"and {format_instant(end)}"
            )
            return FetchedTraffic(None, (nothing,))
        fleet = FleetTraffic(self._query, grid, self._workloads)
        notices: dict[str, None] = {}  # ordered, each text once
        last = grid.count
        steps, most_series = _FIRST_STEPS, 1
        while last > 0:
            first = max(last - min(steps, self._most_steps), 0)
            try:
                series_count = self._fetch_chunk(grid, first, last, fleet, notices)
            except RangeTooLong as error:
                if last - first == 1:
                    raise
                self._most_steps = (last - first) // 2
                notices[f"{error}: asking for {self._most_steps} steps at a time"] = None
                continue
            last = first
            most_series = max(most_series, series_count)
            steps = max(min(steps * _GROWTH, _SAMPLES_PER_REQUEST // most_series), 1)
            if progress is not None:
                progress(grid.count - last, grid.count)
        notices.update(dict.fromkeys(fleet.notices()))
        return FetchedTraffic(
            fleet.take_history(),
            tuple(notices),
            refused=fleet.refused,
            left_out=fleet.left_out.notices(),
            others=fleet.left_out.others,
        )

    def _fetch_chunk(
        self, grid: StepGrid, first: int, last: int, fleet: FleetTraffic, notices: dict[str, None]
    ) -> int:
        try:
            reply = self._client.query_range(
                self._query.promql,
                grid.evaluated_ms(first),
                grid.evaluated_ms(last - 1),
                grid.step_ms,
            )
        except NothingStored as error:
            notices[str(error)] = None
            return 0
        answer = read_answer(reply, self._connection)
        fleet.place(answer, first, last)
        notices.update(dict.fromkeys(answer.notices))
        return len(answer.series)

    def close(self) -> None:
        """Close the connections; a later fetch opens new ones."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
