"""The traces a benchmark runs on: the bundled one, or every file of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from forecaster.traffic.files import ReadOptions, Unit, read_traffic
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history

__all__ = ["Trace", "load_traces"]

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Trace:
    """One real series and how much one day is like the day before (autocorrelation)."""

    name: str
    series: TrafficSeries
    day_correlation: float

    @property
    def judged(self) -> bool:
        """Whether it has a season and enough past for the day-ahead figures."""
        fine = self.series.step <= timedelta(hours=1)
        return fine and round(self.day_correlation, 2) >= 0.5 and self.series.span >= 21 * DAY


def load_traces(folder: Path | None) -> list[Trace]:
    """Single-series CSV files of ``folder``, by name; the bundled trace without one."""
    if folder is None:
        return [_trace("tournament (bundled)", next(iter(sample_history())))]
    traces = []
    for path in sorted(folder.glob("*.csv.gz")):
        if path.name.startswith("many-"):
            continue  # hundreds of short or anonymous series: another table's business
        history = read_traffic(path, ReadOptions(unit=Unit.REQUESTS)).history
        traces.append(_trace(path.name.removesuffix(".csv.gz"), next(iter(history))))
    if not traces:
        raise SystemExit(f"{folder}: no *.csv.gz in it")
    return traces


def _trace(name: str, series: TrafficSeries) -> Trace:
    lag = round(DAY / series.step)
    before, after = series.rate_rps[:-lag], series.rate_rps[lag:]
    both = ~np.isnan(before) & ~np.isnan(after)
    correlation = np.corrcoef(before[both], after[both])[0, 1] if both.sum() > 2 else 0.0
    return Trace(name, series, float(np.nan_to_num(correlation)))
