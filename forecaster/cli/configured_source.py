"""Past traffic of the configured workloads, from the source that preroll.yaml names."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from forecaster.cli.source_options import ServerOptions
from forecaster.cli.terminal import print_notice
from forecaster.cli.traffic_input import TrafficInput
from forecaster.cli.traffic_source import ask_server, span_of
from forecaster.errors import HistoryTooShort
from forecaster.settings import FileSettings, Settings, load_settings

if TYPE_CHECKING:
    from forecaster.traffic.history import TrafficSeries

__all__ = ["read_configured"]

_OF_THE_SPAN = ("--days", "--until")


def read_configured(config: Path, server: ServerOptions, step: timedelta | None) -> TrafficInput:
    """The traffic of the configured workloads; days and step are the settings' where not given.

    A server is asked up to now; of a file the days end with its newest value. Raises BadParameter
    for an option that the settings have themselves, SettingsError and TrafficError.
    """
    for option in server.given():
        if option not in _OF_THE_SPAN:
            raise typer.BadParameter(
                f"goes with --prometheus; {config} says this by itself", param_hint=option
            )
    settings = load_settings(config, os.environ)
    fleet, source = settings.fleet, settings.source
    if isinstance(source, FileSettings):
        return _read_file(settings, source, server, step)
    return ask_server(
        source.connection,
        source.query,
        span_of(server, fleet.history, step or fleet.step),
        workloads=frozenset(one.workload for one in fleet.workloads),
    )


def _read_file(
    settings: Settings, source: FileSettings, server: ServerOptions, step: timedelta | None
) -> TrafficInput:
    from forecaster.traffic.files import ReadOptions, Unit, read_traffic
    from forecaster.traffic.history import TrafficHistory
    from forecaster.worker.file_source import assign_series

    file = read_traffic(source.path, ReadOptions(Unit(source.unit), step, source.timezone))
    for notice in file.notices:
        print_notice(notice)
    workloads = tuple(one.workload for one in settings.fleet.workloads)
    found = assign_series(file.history, workloads, source.path)
    end = server.until or max(one.end for one in found)
    start = end - (server.days or settings.fleet.history)
    kept: list[TrafficSeries] = []
    for one in found:
        part = one.since(start)
        part = None if part is None else part.before(end)
        if part is not None and part.observed_bounds() is not None:
            kept.append(part)
    if not kept:
        raise HistoryTooShort(
            f"{source.path} has no traffic from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} "
            "UTC; write for example --days 28"
        )
    return TrafficInput(TrafficHistory(kept), place=str(source.path), title=source.path.name)
