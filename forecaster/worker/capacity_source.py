"""Ready replicas and saturation of the whole fleet, by two questions to the configured server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.errors import SourceUnavailable
from forecaster.settings import CapacitySettings, PrometheusSettings
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic, FleetQuery
from forecaster.worker.source import PrometheusFetch

__all__ = ["CapacitySignals", "CapacitySource", "fetch_replicas_and_saturation"]


@dataclass(frozen=True, eq=False)
class CapacitySignals:
    """What both questions brought, by workload; who has no series is not in the mapping.

    ``refused`` says whose series cannot be used, and why, by workload. ``warnings`` are the
    server's and our own, each once.
    """

    replicas: Mapping[str, TrafficSeries]
    saturation: Mapping[str, TrafficSeries]
    refused: Mapping[str, str]
    warnings: tuple[str, ...]

    def of(self, workload: str) -> tuple[TrafficSeries | None, TrafficSeries | None]:
        """Ready replicas and saturation of one workload."""
        return self.replicas.get(workload), self.saturation.get(workload)


class CapacitySource:
    """Asks the server of the settings; connections and secrets are those of the traffic's query.

    Raises ValueError where the settings have no query for one of the two.
    """

    def __init__(
        self, settings: PrometheusSettings, capacity: CapacitySettings, workloads: Iterable[str]
    ) -> None:
        if capacity.replicas is None or capacity.saturation is None:
            raise ValueError("capacity.replicas_query and capacity.saturation_query are needed")
        names = frozenset(workloads)
        self._replicas = _fetching(settings, capacity.replicas, names)
        self._saturation = _fetching(settings, capacity.saturation, names)

    def told_of(self, failing: Callable[[SourceUnavailable], None]) -> None:
        """``failing`` is told of the first failed attempt of each question, as it is tried anew."""
        self._replicas.first_failure = failing
        self._saturation.first_failure = failing

    def close(self) -> None:
        """Close the connections; a later question opens new ones."""
        self._replicas.close()
        self._saturation.close()

    def __call__(self, start: datetime, end: datetime, step: timedelta) -> CapacitySignals:
        """Both signals in [start, end). Raises SourceError."""
        replicas = self._replicas(start, end, step)
        saturation = self._saturation(start, end, step)
        told = {"replicas": replicas, "saturation": saturation}
        refused: dict[str, str] = {}
        for what, answer in told.items():
            for workload, why in answer.refused.items():
                refused.setdefault(workload, f"{what}: {why}")
        warnings = [
            f"{what}: {text}"
            for what, answer in told.items()
            for text in (*answer.warnings, *answer.left_out)
        ]
        return CapacitySignals(_named(replicas), _named(saturation), refused, tuple(warnings))


def fetch_replicas_and_saturation(
    settings: PrometheusSettings,
    capacity: CapacitySettings,
    workloads: Iterable[str],
    start: datetime,
    end: datetime,
    step: timedelta,
) -> CapacitySignals:
    """Both signals of ``workloads`` in [start, end), once; see CapacitySource."""
    with closing(CapacitySource(settings, capacity, workloads)) as source:
        return source(start, end, step)


def _fetching(
    settings: PrometheusSettings, query: FleetQuery, workloads: frozenset[str]
) -> PrometheusFetch:
    return PrometheusFetch(dataclasses.replace(settings, query=query), workloads)


def _named(answer: FetchedTraffic) -> dict[str, TrafficSeries]:
    if answer.history is None:
        return {}
    return {one.series_id: one for one in answer.history}
