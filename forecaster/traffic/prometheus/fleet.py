"""Answers placed into one array per workload."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from forecaster.errors import SourceAnswerError
from forecaster.traffic.history import FloatArray, TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus.answer import RangeAnswer, RangeSeries
from forecaster.traffic.prometheus.connection import FleetQuery, format_labels
from forecaster.traffic.prometheus.grid import StepGrid, format_instant
from forecaster.traffic.prometheus.left_out import LeftOut

__all__ = ["FleetTraffic"]

_WORTH_A_NOTICE_STEPS = 10


class FleetTraffic:
    """The traffic of every workload on one grid: NaN until a value for the step is placed.

    With ``workloads``, what belongs to nobody of them is counted in ``left_out`` and not looked at,
    and a workload whose series cannot be used is told in ``refused``, id to reason, and has no
    traffic. Without, every result is a workload, and one that cannot be used is an error.
    """

    def __init__(
        self, query: FleetQuery, grid: StepGrid, workloads: frozenset[str] | None = None
    ) -> None:
        self._query = query
        self._grid = grid
        self._workloads = workloads
        self._rates: dict[str, FloatArray] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self.left_out = LeftOut()
        self.refused: dict[str, str] = {}

    def place(self, answer: RangeAnswer, first: int, last: int) -> None:
        """Take the values of the intervals [first, last); points outside of them are left out.

        Raises SourceAnswerError where a time is off the grid. Without ``workloads`` also where
        labels name no workload, two results name the same one, a value is infinite or negative, or
        a result holds histograms.
        """
        placed: set[str] = set()
        for series in answer.series:
            series_id = self._wanted(series)
            if series_id is None or series_id in self.refused:
                continue
            labels = self._labels.setdefault(series_id, series.labels)
            if labels != series.labels or series_id in placed:
                self._refuse(series_id, self._two_results(series_id, labels, series.labels))
                continue
            placed.add(series_id)
            if series.fault is not None:
                self._refuse(series_id, series.fault)
                continue
            index, late_ms = np.divmod(
                series.times_ms - self._grid.evaluated_ms(0), self._grid.step_ms
            )
            inside = (index >= first) & (index < last)
            if late_ms[inside].any():
                raise SourceAnswerError(self._off_grid(series_id, int(late_ms[inside].max())))
            bad = self._bad_value(series_id, series, inside)
            if bad is not None:
                self._refuse(series_id, bad)
                continue
            rates = self._rates.get(series_id)
            if rates is None:
                rates = self._rates[series_id] = np.full(self._grid.count, np.nan)
            rates[index[inside]] = series.values[inside]

    def notices(self) -> list[str]:
        """What all workloads lack at either end: retention, a late clock, a young metric."""
        observed = np.zeros(self._grid.count, dtype=bool)
        for rates in self._rates.values():
            observed |= ~np.isnan(rates)
        asked = (
            f"asked for {format_instant(self._grid.start)} to "
            f"{format_instant(self._grid.starts_at(self._grid.count))}"
        )
        positions = np.flatnonzero(observed)
        if len(positions) == 0:
            if self.refused:
                return []  # their reasons say it all
            left_out = "; ".join(self.left_out.notices())
            if left_out:
                return [f"the query matched no configured workload: {asked}; {left_out}"]
            return [f"the query matched nothing: {asked}"]
        notices = []
        first, end = int(positions[0]), int(positions[-1]) + 1
        if first >= _WORTH_A_NOTICE_STEPS:
            notices.append(
                f"no data before {format_instant(self._grid.starts_at(first))}: {asked}; the "
                "server's retention ends there, or the metric is younger"
            )
        if self._grid.count - end >= _WORTH_A_NOTICE_STEPS:
            notices.append(
                f"no data after {format_instant(self._grid.starts_at(end))}: {asked}; scraping has "
                "stopped, the metric is gone, or a clock is wrong"
            )
        return notices

    def take_history(self) -> TrafficHistory | None:
        """All workloads, sorted by id; None where no value was placed. Gives the arrays away."""
        series = []
        for series_id in sorted(self._rates):
            rates = self._rates.pop(series_id)  # a series copies: hold two of one, not of all
            if not np.isnan(rates).all():
                series.append(TrafficSeries(series_id, self._grid.start, self._grid.step, rates))
        return TrafficHistory(series) if series else None

    def _wanted(self, series: RangeSeries) -> str | None:
        """The workload of a series, or None where nobody asked for it: that is counted."""
        if self._workloads is None:
            return self._query.series_id(series.labels)
        missing = self._query.missing_label(series.labels)
        if missing is not None:
            self.left_out.nameless(missing, series.labels)
            return None
        series_id = self._query.series_id(series.labels)
        if series_id not in self._workloads:
            self.left_out.other(series_id, series.labels)
            return None
        return series_id

    def _refuse(self, series_id: str, reason: str) -> None:
        if self._workloads is None:
            raise SourceAnswerError(reason)
        self.refused[series_id] = reason
        self._rates.pop(series_id, None)

    def _bad_value(self, series_id: str, series: RangeSeries, inside: np.ndarray) -> str | None:
        with np.errstate(invalid="ignore"):
            bad = np.flatnonzero(inside & (np.isinf(series.values) | (series.values < 0)))
        if len(bad) == 0:
            return None
        value = float(series.values[bad[0]])
        evaluated = (int(series.times_ms[bad[0]]) - self._grid.start_ms) // self._grid.step_ms
        instant = format_instant(self._grid.starts_at(evaluated))
        where = f"{series_id} at {instant}: the query gives {value}"
        if np.isinf(value):
            return (
                f"{where}, traffic without end: does it divide by something that was zero? Leave "
                "such instants out, as in a / (b > 0)"
            )
        return (
            f"{where}, and traffic cannot be negative: is it a difference, or delta() or deriv()? "
            "A counter wants rate(), a gauge last_over_time()"
        )

    def _two_results(self, series_id: str, one: dict[str, str], other: dict[str, str]) -> str:
        by = f"{self._query.namespace_label}, {self._query.name_label}"
        return (
            f"two results of the query are the workload {series_id}: {format_labels(one)} and "
            f"{format_labels(other)}. Sum the rest away: sum by ({by}) (…)"
        )

    def _off_grid(self, series_id: str, late_ms: int) -> str:
        late = timedelta(milliseconds=late_ms)
        return (
            f"{series_id}: the server evaluated {late} after the multiples of {self._grid.step} "
            "that were asked for; something between here and the server moves the range"
        )
