"""The seam to the traffic source: one function, made anew in each process that asks it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from forecaster.errors import SourceRefused, SourceUnavailable
from forecaster.settings import FileSettings, Fleet, PrometheusSettings
from forecaster.settings.secret_files import read_secret
from forecaster.traffic.prometheus import FetchedTraffic, PrometheusConnection, PrometheusSource

__all__ = ["ConfiguredSource", "Fetch", "FixedSource", "PrometheusFetch", "SourceFactory"]

_log = logging.getLogger(__name__)

Fetch = Callable[[datetime, datetime, timedelta], FetchedTraffic]
"""The traffic in [start, end) at a step; series ids are ``namespace/name``.

Raises a TrafficError where the source is down, refuses, or cannot be trusted.
"""


class SourceFactory(Protocol):
    """Makes a Fetch. It is sent to other processes, so it must be picklable: best, a dataclass."""

    def __call__(self) -> Fetch:
        """A function that asks the source."""
        ...

    def for_fleet(self, fleet: Fleet, /) -> SourceFactory:
        """The same source, for the workloads of another fleet."""
        ...


@dataclass(frozen=True)
class ConfiguredSource:
    """The factory for the source of the settings; ``workloads`` are the ids to find there."""

    settings: PrometheusSettings | FileSettings
    workloads: tuple[str, ...]

    def for_fleet(self, fleet: Fleet) -> ConfiguredSource:
        """The same source, for the workloads of another fleet."""
        return dataclasses.replace(self, workloads=tuple(one.workload for one in fleet.workloads))

    def __call__(self) -> Fetch:
        """A function that asks the source."""
        if isinstance(self.settings, PrometheusSettings):
            return PrometheusFetch(self.settings, frozenset(self.workloads))
        # Here, for the readers of files are large and a fleet behind Prometheus does without them.
        from forecaster.worker.file_source import FileFetch

        return FileFetch(self.settings, self.workloads)


@dataclass(frozen=True)
class FixedSource:
    """The factory of a source that is the same for each fleet; ``make`` must be picklable."""

    make: Callable[[], Fetch]

    def for_fleet(self, _fleet: Fleet, /) -> FixedSource:
        """Itself."""
        return self

    def __call__(self) -> Fetch:
        """A function that asks the source."""
        return self.make()


class PrometheusFetch:
    """Asks Prometheus; secrets that stand in files are read anew each time: they rotate.

    Of the first question, the first failed attempt is logged and told to ``first_failure`` at once,
    while it is tried again: a wrong address shows in a second. Later failures show by themselves.
    """

    def __init__(self, settings: PrometheusSettings, workloads: frozenset[str]) -> None:
        self._settings = settings
        self._workloads = workloads
        self._connection = settings.connection
        self._source = self._connected()
        self._first = True
        self.first_failure: Callable[[SourceUnavailable], None] | None = None

    def __call__(self, start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
        """The traffic of the workloads."""
        connection = self._with_secrets()
        if connection != self._connection:
            self._source.close()
            self._connection = connection
            self._source = self._connected()
        try:
            return self._source.fetch(start, end, step)
        finally:
            self._first = False

    def close(self) -> None:
        """Close the connections; a later question opens new ones."""
        self._source.close()

    def _connected(self) -> PrometheusSource:
        return PrometheusSource(
            self._connection,
            self._settings.query,
            workloads=self._workloads,
            retrying=self._retrying,
        )

    def _retrying(self, failure: SourceUnavailable) -> None:
        if not self._first:
            return
        self._first = False
        _log.warning("traffic source", extra={"error": str(failure), "trying_again": True})
        if self.first_failure is not None:
            self.first_failure(failure)

    def _with_secrets(self) -> PrometheusConnection:
        connection, settings = self._settings.connection, self._settings
        try:
            if settings.bearer_token_file is not None:
                token = read_secret(settings.bearer_token_file)
                connection = dataclasses.replace(connection, bearer_token=token)
            if settings.password_file is not None:
                password = read_secret(settings.password_file)
                connection = dataclasses.replace(connection, password=password)
        except ValueError as error:
            raise SourceRefused(f"no credentials for {connection.shown}: {error}") from error
        return connection
