"""Traffic from a file: CSV, Grafana's export, Parquet, Prometheus and VictoriaMetrics answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forecaster.errors import TrafficFileError
from forecaster.traffic.assemble import assemble
from forecaster.traffic.formats.content import EXAMPLE, Content, Kind, read_content
from forecaster.traffic.formats.delimited import read_delimited
from forecaster.traffic.formats.parquet import read_parquet
from forecaster.traffic.formats.rows import RawTraffic
from forecaster.traffic.formats.saved_json import read_json
from forecaster.traffic.formats.tables import read_table
from forecaster.traffic.history import TrafficHistory, TrafficSeries

__all__ = ["ReadOptions", "TrafficFile", "Unit", "read_traffic"]


class Unit(StrEnum):
    """What the values of a file count."""

    REQUESTS = "requests"
    """Requests in each step."""
    RPS = "rps"
    """Requests per second."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file.

    ``step`` None: inferred. ``timezone``: the IANA name of the zone of stamps that carry none;
    None: those are UTC, with a notice. Raises ValueError where the step is not positive.
    """

    unit: Unit = Unit.RPS
    step: timedelta | None = None
    timezone: str | None = None

    def __post_init__(self) -> None:
        if self.step is not None and self.step <= timedelta(0):
            raise ValueError(f"step must be positive, not {self.step}; for example 1m")


@dataclass(frozen=True)
class TrafficFile:
    """What a file gave; ``notices`` are sentences for a human about what was done to it."""

    history: TrafficHistory
    unit: Unit
    notices: tuple[str, ...]


_DEFAULTS = ReadOptions()


def read_traffic(path: Path | str, options: ReadOptions = _DEFAULTS) -> TrafficFile:
    """The traffic in the file ``path``; its kind is told from its content.

    Tables have a stamp at the start of each interval. Values of ``query_range`` and of
    VictoriaMetrics' export cover the step before their stamp, and are stored at its start.
    Raises TrafficFileError with the line and a valid example where the file cannot be read as
    traffic, and HistoryTooShort where it holds fewer than three values.
    """
    path = Path(path)
    zone = _zone(path, options.timezone)
    raw = _read(read_content(path), zone)
    series, notices = assemble(path, raw, options.step)
    if options.unit is Unit.REQUESTS:
        series = [
            TrafficSeries(one.series_id, one.start, one.step, one.rate_rps / one.step_seconds)
            for one in series
        ]
    return TrafficFile(TrafficHistory(series), options.unit, notices)


def _read(content: Content, zone: ZoneInfo | None) -> RawTraffic:
    if content.kind is Kind.JSON:
        return read_json(content)
    table = read_parquet(content) if content.kind is Kind.PARQUET else read_delimited(content)
    return read_table(table, zone)


def _zone(path: Path, name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TrafficFileError(
            path, f"{name!r} is no time zone; write one like Europe/Paris", example=EXAMPLE
        ) from error
