"""The seam to the traffic source: one function, made anew in each process that asks it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.errors import SourceRefused
from forecaster.settings import FileSettings, PrometheusSettings
from forecaster.settings.secret_files import read_secret
from forecaster.traffic.prometheus import FetchedTraffic, PrometheusConnection, PrometheusSource

__all__ = ["ConfiguredSource", "Fetch", "PrometheusFetch", "SourceFactory"]

Fetch = Callable[[datetime, datetime, timedelta], FetchedTraffic]
"""The traffic in [start, end) at a step; series ids are ``namespace/name``.

Raises a TrafficError where the source is down, refuses, or cannot be trusted.
"""

SourceFactory = Callable[[], Fetch]
"""Makes a Fetch. It is sent to other processes, so it must be picklable: a function of a module, a
``functools.partial`` of one, or an instance of a dataclass with ``__call__``."""


@dataclass(frozen=True)
class ConfiguredSource:
    """The factory for the source of the settings; ``workloads`` are the ids to find in a file."""

    settings: PrometheusSettings | FileSettings
    workloads: tuple[str, ...]

    def __call__(self) -> Fetch:
        """A function that asks the source."""
        if isinstance(self.settings, PrometheusSettings):
            return PrometheusFetch(self.settings)
        # Here, for the readers of files are large and a fleet behind Prometheus does without them.
        from forecaster.worker.file_source import FileFetch

        return FileFetch(self.settings, self.workloads)


class PrometheusFetch:
    """Asks Prometheus; secrets that stand in files are read anew each time: they rotate."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._connection = settings.connection
        self._source = PrometheusSource(settings.connection, settings.query)

    def __call__(self, start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
        """The traffic of all workloads of the query."""
        connection = self._with_secrets()
        if connection != self._connection:
            self._source.close()
            self._connection = connection
            self._source = PrometheusSource(connection, self._settings.query)
        return self._source.fetch(start, end, step)

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
