"""A traffic file as a source: read again when it changes, its series found for the workloads."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from forecaster.durations import format_duration
from forecaster.errors import SourceAnswerError, SourceUnavailable
from forecaster.settings import FileSettings
from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic

__all__ = ["FileFetch", "assign_series"]

_log = logging.getLogger(__name__)


class FileFetch:
    """Asks a file; it is held in memory and read again when its time stamp or size changes.

    A series belongs to the workload ``namespace/name`` by that id, or by ``name`` alone where one
    workload has it; a file with a single series serves a single workload whatever its id.
    """

    def __init__(self, settings: FileSettings, workloads: Sequence[str]) -> None:
        self._settings = settings
        self._workloads = tuple(workloads)
        self._seen: tuple[int, int, int] | None = None
        self._series: tuple[TrafficSeries, ...] = ()

    def __call__(self, start: datetime, end: datetime, step: timedelta) -> FetchedTraffic:
        """The intervals of the file that lie in [start, end)."""
        self._read_when_changed()
        own = self._series[0].step
        if own != step:
            raise SourceAnswerError(
                f"{self._settings.path}: its step is {format_duration(own)} and the settings say "
                f"{format_duration(step)}; write step: {format_duration(own)}"
            )
        parts = (one.since(start) for one in self._series)
        known = [part for one in parts if one is not None and (part := one.before(end)) is not None]
        return FetchedTraffic(TrafficHistory(known) if known else None, ())

    def _read_when_changed(self) -> None:
        path = self._settings.path
        try:
            found = path.stat()
        except OSError as error:
            raise SourceUnavailable(f"{path} cannot be read: {error.strerror or error}") from error
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp == self._seen:
            return
        options = ReadOptions(Unit(self._settings.unit), timezone=self._settings.timezone)
        file = read_traffic(path, options)
        for notice in file.notices:
            _log.info("traffic file", extra={"path": str(path), "notice": notice})
        self._series = assign_series(file.history, self._workloads, path)
        self._seen = stamp


def assign_series(
    history: TrafficHistory, workloads: Sequence[str], path: Path
) -> tuple[TrafficSeries, ...]:
    """The series of a file that belong to ``workloads``, called by their ids.

    Raises SourceAnswerError where none does.
    """
    names = [workload.partition("/")[2] for workload in workloads]
    by_id = dict(zip(names, workloads, strict=True))
    by_id = {name: workload for name, workload in by_id.items() if names.count(name) == 1}
    by_id |= {workload: workload for workload in workloads}
    if len(history) == 1 and len(workloads) == 1:
        by_id = {history.ids[0]: workloads[0]}
    found = {by_id[one.series_id]: one for one in history if one.series_id in by_id}
    if not found:
        close = difflib.get_close_matches(workloads[0], history.ids, n=1)
        shown = close or list(history.ids[:3])
        raise SourceAnswerError(
            f"{path}: none of its {len(history)} series is a configured "
            f"workload; one is called {shown[0]!r}. Name the series namespace/name, for "
            f"example {workloads[0]}"
        )
    return tuple(
        TrafficSeries(workload, one.start, one.step, one.rate_rps)
        for workload, one in found.items()
    )
