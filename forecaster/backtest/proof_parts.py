"""Which part of each series is the test, and what of it is forecast day by day as well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecaster.backtest.rolling_origin import (
    DEFAULT_TEST,
    MIN_TRAINING,
    Holdout,
    RollingOrigin,
    hold_out,
    test_length,
)
from forecaster.durations import format_duration
from forecaster.errors import HistoryTooShort
from forecaster.traffic.history import TrafficSeries

__all__ = ["ORIGINS_EVERY", "ProofPart", "hold_out_parts"]

_DAY = timedelta(days=1)
ORIGINS_EVERY = _DAY
"""How often models are trained anew."""


@dataclass(frozen=True, eq=False)
class ProofPart:
    """One series: decisions are made from ``start`` to its end.

    ``holdout`` is None, with ``why_not``, where there is no day to learn a day-ahead forecast from.
    """

    series: TrafficSeries
    start: datetime
    lead_steps: int
    holdout: Holdout | None
    why_not: str = ""
    notice: str | None = None

    @property
    def steps(self) -> int:
        """How many decisions there are."""
        return len(self.series) - self.series.index_of(self.start)

    @property
    def origins(self) -> int:
        """How often models are trained."""
        return -(-self.steps // max(1, round(ORIGINS_EVERY / self.series.step)))


def hold_out_parts(
    history: Iterable[TrafficSeries], test: timedelta | None, lead_steps: int
) -> tuple[list[ProofPart], dict[str, str]]:
    """The part of each series that is the test, and why others have none.

    Without ``test`` it is the last 14 days, or half of a series that is shorter than 28 days. At
    least one lead window is left to learn from. Raises HistoryTooShort where nothing can be tested.
    """
    parts: list[ProofPart] = []
    left_out: dict[str, str] = {}
    for series in history:
        try:
            parts.append(_part(series, test, lead_steps))
        except HistoryTooShort as error:
            left_out[series.series_id] = str(error).removeprefix(f"{series.series_id}: ")
    if not parts:
        name, why = next(iter(left_out.items()), ("traffic", "there is no series"))
        more = f"\n(and {len(left_out) - 1} more series)" if len(left_out) > 1 else ""
        raise HistoryTooShort(f"{name}: {why}{more}")
    return parts, left_out


def _part(series: TrafficSeries, test: timedelta | None, lead_steps: int) -> ProofPart:
    bounds = series.observed_bounds()
    if bounds is None:
        raise HistoryTooShort("no traffic was observed")
    window = lead_steps + 1
    total = len(series) - bounds[0]
    span = total * series.step
    if total < 2 * window:
        raise HistoryTooShort(
            f"{format_duration(span)} of traffic; {format_duration(2 * window * series.step)} are "
            f"needed at the least: one lead window of {format_duration(window * series.step)} to "
            "learn from and one to test on"
        )
    steps, notice = _test_steps(series, span, test, window)
    start = series.end - steps * series.step
    try:
        return ProofPart(
            series, start, lead_steps, hold_out(series, RollingOrigin(test)), notice=notice
        )
    except HistoryTooShort as error:
        why = str(error).removeprefix(f"{series.series_id}: ")
        return ProofPart(series, start, lead_steps, None, why, notice)


def _test_steps(
    series: TrafficSeries, span: timedelta, test: timedelta | None, window: int
) -> tuple[int, str | None]:
    if test is None and span >= MIN_TRAINING + _DAY:
        fitting, notice = test_length(series.series_id, span, None)
        return fitting // series.step, notice
    if test is None:
        steps = span // series.step // 2
        return steps, (
            f"{series.series_id}: {format_duration(span)} of traffic; the last "
            f"{format_duration(steps * series.step)} are the test, not "
            f"{format_duration(DEFAULT_TEST)}"
        )
    steps = max(1, test // series.step)
    if steps > span // series.step - window:
        possible = (span - MIN_TRAINING) // _DAY * _DAY
        if possible < _DAY:
            possible = span - window * series.step
        raise HistoryTooShort(
            f"{format_duration(span)} of traffic cannot hold a test of {format_duration(test)} and "
            f"what to learn from before it; a test of at most {format_duration(possible)} is "
            "possible"
        )
    return steps, None
