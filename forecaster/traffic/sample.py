"""The bundled web log of a tournament, and its match calendar, for demonstrations and tests.

Both are real: 52 days of requests per minute to the web site of the 1998 World Cup, and the 64
matches as they were planned. The notices beside the files say whose they are.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficHistory, TrafficSeries

__all__ = [
    "SampleMatch",
    "sample_history",
    "sample_matches",
    "sample_matches_path",
    "sample_traffic_path",
]


@dataclass(frozen=True)
class SampleMatch:
    """A match as it was known beforehand; ``importance`` is 2 in the groups, 5 in the final."""

    start: datetime
    end: datetime
    name: str
    category: str
    importance: int


def sample_traffic_path() -> Path:
    """The bundled traffic: a CSV of requests per minute."""
    return _bundled("worldcup98-groupstage-1min.csv.gz")


def sample_matches_path() -> Path:
    """The bundled calendar: a CSV of matches."""
    return _bundled("worldcup98-matches.csv")


def sample_history(series_id: str = "streaming/player-api") -> TrafficHistory:
    """The bundled traffic as one series called ``series_id``, requests per second at one minute."""
    read = read_traffic(sample_traffic_path(), ReadOptions(unit=Unit.REQUESTS)).history.series[0]
    return TrafficHistory([TrafficSeries(series_id, read.start, read.step, read.rate_rps)])


def sample_matches() -> tuple[SampleMatch, ...]:
    """The 64 matches, in order of their start; times are UTC."""
    with sample_matches_path().open(encoding="utf-8", newline="") as file:
        return tuple(
            SampleMatch(
                datetime.fromisoformat(row["start"]),
                datetime.fromisoformat(row["end"]),
                row["name"],
                row["category"],
                int(row["importance"]),
            )
            for row in csv.DictReader(file)
        )


def _bundled(name: str) -> Path:
    # Installed packages are plain files: the project ships no zipped form.
    return Path(str(files("forecaster.traffic") / "data" / name))
