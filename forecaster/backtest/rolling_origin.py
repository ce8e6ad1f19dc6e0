"""Rolling origin without leakage: a forecast is made from a copy of what was known, no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from forecaster.backtest.baselines import Baseline
from forecaster.durations import format_duration
from forecaster.errors import ForecastError, HistoryTooShort, TrafficError
from forecaster.models.outlook import Outlook
from forecaster.models.selection import OutlookConfig, train_outlook
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "DEFAULT_TEST",
    "MIN_TRAINING",
    "Holdout",
    "OriginFailure",
    "OriginForecast",
    "OriginTask",
    "RollingOrigin",
    "forecast_origin",
    "hold_out",
    "hold_out_each",
    "origin_tasks",
    "outlook_forecast",
    "test_length",
]

_DAY = timedelta(days=1)
DEFAULT_TEST = timedelta(days=14)
MIN_TRAINING = _DAY


@dataclass(frozen=True)
class RollingOrigin:
    """Where the origins stand.

    The last ``test`` of a series is forecast, ``horizon`` at a time, from origins ``every`` so
    often. Without ``test`` it is 14 days, or half of a series that is shorter than 28 days.
    ValueError names a field that is not above 0.
    """

    test: timedelta | None = None
    every: timedelta = _DAY
    horizon: timedelta = _DAY

    def __post_init__(self) -> None:
        for name in ("test", "every", "horizon"):
            value = getattr(self, name)
            if value is not None and value <= timedelta(0):
                raise ValueError(f"{name} must be above 0, not {value}; for example 7 days")


@dataclass(frozen=True, eq=False)
class Holdout:
    """The end of a series, which is forecast: its cutoffs, and a notice where it was shortened."""

    series: TrafficSeries
    cutoffs: tuple[datetime, ...]
    horizon_steps: int
    notice: str | None = None


@dataclass(frozen=True, eq=False)
class OriginTask:
    """One forecast to make, ``steps`` long; ``known`` ends at the cutoff."""

    known: TrafficSeries
    steps: int
    config: OutlookConfig
    baselines: Mapping[str, Baseline] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class OriginForecast:
    """What was forecast at one cutoff, in requests per second.

    ``rate_rps`` has shape (len(quantiles), steps); its first step starts at ``cutoff``.
    ``baselines`` has one array of shape (steps,) per baseline that spoke; ``silent`` says why the
    others did not.
    """

    series_id: str
    cutoff: datetime
    step: timedelta
    quantiles: tuple[float, ...]
    rate_rps: FloatArray
    model: str
    baselines: Mapping[str, FloatArray]
    silent: Mapping[str, str]

    @property
    def steps(self) -> int:
        """How many steps were forecast."""
        return int(self.rate_rps.shape[1])

    def at(self, quantile: float) -> FloatArray:
        """One of the trained quantiles, in requests per second; ValueError for any other."""
        row: FloatArray = self.rate_rps[self.quantiles.index(quantile)]
        return row


@dataclass(frozen=True)
class OriginFailure:
    """A cutoff at which no outlook could be made, and why."""

    series_id: str
    cutoff: datetime
    reason: str


def hold_out(series: TrafficSeries, protocol: RollingOrigin) -> Holdout:
    """The cutoffs for one series: the first at its end − test, then one every ``every``.

    Raises HistoryTooShort where less than a day would be left to train on.
    """
    bounds = series.observed_bounds()
    if bounds is None:
        raise HistoryTooShort(f"{series.series_id}: no traffic was observed")
    span = (len(series) - bounds[0]) * series.step
    test, notice = test_length(series.series_id, span, protocol.test)
    every = max(1, round(protocol.every / series.step))
    horizon = max(1, round(protocol.horizon / series.step))
    steps = max(1, test // series.step)
    cutoffs = tuple(series.end - left * series.step for left in range(steps, 0, -every))
    return Holdout(series, cutoffs, horizon, notice)


def hold_out_each(
    history: Iterable[TrafficSeries], protocol: RollingOrigin
) -> tuple[list[Holdout], dict[str, str]]:
    """:func:`hold_out` for many: those that can be forecast, and why the others cannot.

    Raises HistoryTooShort where none can.
    """
    holdouts: list[Holdout] = []
    skipped: dict[str, str] = {}
    for series in history:
        try:
            holdouts.append(hold_out(series, protocol))
        except HistoryTooShort as error:
            skipped[series.series_id] = str(error)
    if not holdouts:
        more = f"\n(and {len(skipped) - 1} more series)" if len(skipped) > 1 else ""
        raise HistoryTooShort(next(iter(skipped.values()), "there is no series") + more)
    return holdouts, skipped


def test_length(
    series_id: str, span: timedelta, asked: timedelta | None
) -> tuple[timedelta, str | None]:
    """How long the test is, and a notice where that is less than the usual 14 days.

    Raises HistoryTooShort where less than a day would be left to train on.
    """
    if span < MIN_TRAINING + _DAY:
        raise HistoryTooShort(
            f"{series_id}: {format_duration(span)} of traffic; a backtest needs "
            f"{format_duration(MIN_TRAINING + _DAY)}: one day to train on and one to forecast"
        )
    if asked is None:
        fitting = max(_DAY, span // 2 // _DAY * _DAY)
        if fitting >= DEFAULT_TEST:
            return DEFAULT_TEST, None
        return fitting, (
            f"{series_id}: {format_duration(span)} of traffic; the last "
            f"{format_duration(fitting)} are forecast, not {format_duration(DEFAULT_TEST)}"
        )
    if span - asked < MIN_TRAINING:
        possible = (span - MIN_TRAINING) // _DAY * _DAY
        raise HistoryTooShort(
            f"{series_id}: {format_duration(span)} of traffic cannot hold a test of "
            f"{format_duration(asked)} and a day to train on before it; "
            f"a test of at most {format_duration(possible)} is possible"
        )
    return asked, None


def origin_tasks(
    holdouts: Sequence[Holdout], config: OutlookConfig, baselines: Mapping[str, Baseline]
) -> Iterator[OriginTask]:
    """One task per series and cutoff, in that order, each with its own copy of the past.

    A horizon that would reach beyond the series is cut at its end.
    """
    for holdout in holdouts:
        series = holdout.series
        origin_config = replace(config, horizon=holdout.horizon_steps * series.step)
        for cutoff in holdout.cutoffs:
            known = series.before(cutoff)
            if known is not None:  # never None: hold_out leaves a day
                steps = min(holdout.horizon_steps, len(series) - len(known))
                yield OriginTask(known, steps, origin_config, baselines)


def forecast_origin(task: OriginTask) -> OriginForecast | OriginFailure:
    """Train at the end of what is known and look ahead; the baselines do the same.

    What cannot speak is written down, not raised: one outage in a test does not end a backtest.
    """
    known, cutoff = task.known, task.known.end
    try:
        outlook = train_outlook(known, cutoff, task.config).outlook
    except (TrafficError, ForecastError) as error:
        return OriginFailure(known.series_id, cutoff, str(error))
    return outlook_forecast(known, task.steps, outlook, outlook.quantiles, task.baselines)


def outlook_forecast(
    known: TrafficSeries,
    steps: int,
    outlook: Outlook,
    quantiles: Sequence[float],
    baselines: Mapping[str, Baseline],
) -> OriginForecast:
    """What an outlook of the end of ``known`` says of the next ``steps`` steps, and the baselines.

    ``quantiles`` are some of the outlook's own; a baseline that cannot speak is written down.
    """
    spoken: dict[str, FloatArray] = {}
    silent: dict[str, str] = {}
    for name, baseline in baselines.items():
        try:
            spoken[name] = baseline(known, steps)
        except (TrafficError, ForecastError) as error:
            silent[name] = str(error)
    rows = [outlook.quantiles.index(one) for one in quantiles]
    return OriginForecast(
        series_id=known.series_id,
        cutoff=known.end,
        step=known.step,
        quantiles=tuple(quantiles),
        rate_rps=outlook.rate_rps[rows, :steps],
        model=outlook.model,
        baselines=spoken,
        silent=silent,
    )
