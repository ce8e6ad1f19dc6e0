"""The comparison of ``preroll migrate``: past traffic, trainings and replays, with a bar."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import typer

from forecaster.backtest import map_unordered
from forecaster.backtest.peak_origins import PeakOrigin
from forecaster.cli.source_options import ServerOptions
from forecaster.cli.terminal import progress
from forecaster.cli.traffic_input import read_traffic_file
from forecaster.cli.traffic_source import ask_server, span_of
from forecaster.errors import HistoryTooShort
from forecaster.migration.comparison import (
    Compared,
    Comparison,
    compare,
    comparison_tasks,
    prepare,
    work_comparison,
)
from forecaster.migration.load import traffic_query
from forecaster.migration.moves import Moves
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection
from forecaster.worker.file_source import assign_series

__all__ = ["compared_with", "read_past"]

_LEARNED = timedelta(days=28)
_STEP = timedelta(minutes=1)


def read_past(
    moves: Moves, traffic: str, unit: str | None, window: timedelta
) -> dict[str, TrafficSeries]:
    """The traffic of each workload, from a file or from a Prometheus that is asked for it.

    Raises TrafficError, and BadParameter for an address that is none.
    """
    names = tuple(one.workload for one in moves.workloads)
    if not traffic.startswith(("http://", "https://")):
        read = read_traffic_file(Path(traffic), unit=unit, step=None, timezone=None)
        series = assign_series(read.history, names, Path(traffic))
        return {one.series_id: one for one in series}
    query = traffic_query(
        (one.old.namespace, one.old.target_name, one.load.promql) for one in moves.workloads
    )
    try:
        connection = PrometheusConnection(traffic)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--traffic") from error
    span = span_of(ServerOptions(), _LEARNED + window, _STEP)
    found = ask_server(connection, FleetQuery(query), span, workloads=frozenset(names))
    return _by_id(found.history)


def _by_id(history: TrafficHistory) -> dict[str, TrafficSeries]:
    return {one.series_id: one for one in history}


def compared_with(
    moves: Moves, past: dict[str, TrafficSeries], window: timedelta
) -> tuple[tuple[Compared, ...], tuple[str, ...]]:
    """What each workload's old set-up and Preroll ran, and which have no comparison, and why."""
    prepared: list[Comparison] = []
    left_out = []
    for one in moves.workloads:
        series = past.get(one.workload)
        if series is None:
            left_out.append(f"{one.workload}: the traffic has no series of that name")
            continue
        try:
            prepared.append(
                prepare(
                    one,
                    series,
                    window,
                    moves.calendar,
                    moves.setup.events,
                    timezone=moves.options.timezone,
                    lead_time=moves.options.lead_time,
                )
            )
        except HistoryTooShort as error:
            left_out.append(str(error))
    tasks = [
        (number, task) for number, one in enumerate(prepared) for task in comparison_tasks(one)
    ]
    jobs = max(1, min(os.cpu_count() or 1, len(tasks) // 2))
    origins: list[list[PeakOrigin]] = [[] for _ in prepared]
    found = []
    with progress("comparing", len(tasks) + len(prepared)) as advance:
        for number, origin in map_unordered(work_comparison, tasks, jobs):
            origins[number].append(origin)
            advance()
        for ready, trained in zip(prepared, origins, strict=True):
            found.append(compare(ready, trained))
            advance()
    return tuple(found), tuple(left_out)
