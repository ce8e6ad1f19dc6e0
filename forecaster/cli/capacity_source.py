"""Traffic, ready replicas and saturation of each workload: from files, or by the settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from forecaster.cli.source_options import ServerOptions
from forecaster.cli.terminal import print_notice, progress
from forecaster.cli.traffic_input import listed, read_traffic_file
from forecaster.errors import SettingsError, SettingsProblem, TrafficFileError

if TYPE_CHECKING:
    from forecaster.errors import SourceUnavailable
    from forecaster.settings import Settings
    from forecaster.traffic.history import TrafficHistory, TrafficSeries

__all__ = ["SignalFiles", "Signals", "chosen", "read_files", "read_settings"]


_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Signals:
    """Of one workload; None where there is no series of it. ``target`` is its own, if it has one.

    ``fault`` says why one of the three cannot be used.
    """

    workload: str
    traffic: TrafficSeries | None
    replicas: TrafficSeries | None
    saturation: TrafficSeries | None
    target: float | None = None
    fault: str | None = None

    @property
    def end(self) -> datetime:
        """Where the last of the signals ends: a history's now."""
        known = (self.traffic, self.replicas, self.saturation)
        return max((one.end for one in known if one is not None), default=_NEVER)


@dataclass(frozen=True)
class SignalFiles:
    """The three files, and how they are read: ``unit`` is of traffic alone."""

    traffic: Path
    replicas: Path
    saturation: Path
    unit: str | None
    step: timedelta | None
    timezone: str | None


def read_files(files: SignalFiles) -> list[Signals]:
    """The workloads of the traffic file, each with the series of the other two by its name.

    A single series in a file belongs to a single workload, whatever its name. Raises TrafficError.
    """
    with progress("reading", 3) as one_more:
        traffic = read_traffic_file(
            files.traffic, unit=files.unit, step=files.step, timezone=files.timezone
        ).history
        one_more()
        others = []
        for path in (files.replicas, files.saturation):
            others.append(_assigned(_read(path, files), traffic.ids, path))
            one_more()
    return [
        Signals(one.series_id, one, others[0].get(one.series_id), others[1].get(one.series_id))
        for one in traffic
    ]


def _read(path: Path, files: SignalFiles) -> TrafficHistory:
    """Without the notice on units: replicas and ratios are no requests."""
    return read_traffic_file(path, unit="rps", step=files.step, timezone=files.timezone).history


def _assigned(
    history: TrafficHistory, workloads: Sequence[str], path: Path
) -> dict[str, TrafficSeries]:
    from forecaster.errors import SourceAnswerError
    from forecaster.worker.file_source import assign_series

    try:
        return {one.series_id: one for one in assign_series(history, workloads, path)}
    except SourceAnswerError as error:
        raise TrafficFileError(
            path,
            f"none of its series is called like a workload of the traffic. It has "
            f"{listed(history.ids)}; traffic has {listed(tuple(workloads))}",
        ) from error


def read_settings(
    config: Path, server: ServerOptions, step: timedelta | None
) -> tuple[list[Signals], Settings]:
    """The configured workloads, from the configured server by three queries.

    Raises SettingsError where the settings name no queries, and SourceError.
    """
    from forecaster.settings import PrometheusSettings, load_settings

    settings = load_settings(config, os.environ)
    source, capacity = settings.source, settings.capacity
    if not isinstance(source, PrometheusSettings) or capacity.replicas is None:
        raise SettingsError([_no_queries(isinstance(source, PrometheusSettings))], str(config))
    from forecaster.cli.configured_source import read_configured
    from forecaster.cli.traffic_source import span_of
    from forecaster.worker.capacity_source import CapacitySource

    traffic = read_configured(config, server, step).history
    span = span_of(server, settings.fleet.history, step or settings.fleet.step)
    workloads = {one.workload: one for one in settings.fleet.workloads}
    with (
        progress("reading replicas and saturation", None),
        closing(CapacitySource(source, capacity, workloads)) as asking,
    ):
        asking.told_of(_trying_again)
        answer = asking(span.start, span.end, span.step)
    for warning in answer.warnings:
        print_notice(warning)
    known = {one.series_id: one for one in traffic}
    return [
        Signals(
            name,
            known.get(name),
            *answer.of(name),
            target=one.target_utilisation,
            fault=answer.refused.get(name),
        )
        for name, one in workloads.items()
    ], settings


def _trying_again(failure: SourceUnavailable) -> None:
    print_notice(f"{failure}; trying again")


def _no_queries(prometheus: bool) -> SettingsProblem:
    if not prometheus:
        return SettingsProblem(
            "source",
            "a file has traffic alone; name files of replicas and saturation as well",
            "preroll capacity traffic.csv --replicas replicas.csv --saturation cpu.csv",
        )
    return SettingsProblem(
        "capacity",
        "capacity.replicas_query and capacity.saturation_query say what to measure from, and are "
        "not set",
        "replicas_query: sum by (namespace, deployment) (kube_deployment_status_replicas_ready)",
    )


def chosen(signals: Sequence[Signals], workloads: Sequence[str], place: str) -> Iterator[Signals]:
    """Those that were asked for, all where none was; BadParameter for one that is not there."""
    names = tuple(one.workload for one in signals)
    for asked in workloads:
        if asked not in names:
            raise typer.BadParameter(
                f"{place} has no workload {asked!r}; it has {listed(names)}",
                param_hint="--workload",
            )
    for one in signals:
        if not workloads or one.workload in workloads:
            yield one
