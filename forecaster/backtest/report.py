"""What a backtest found: scores over all series and for each, as values, as JSON and as rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forecaster.backtest.rolling_origin import Holdout, OriginFailure, OriginForecast
from forecaster.backtest.scores import JudgedOrigin, OutlookScores, judge, score
from forecaster.errors import HistoryTooShort
from forecaster.traffic.history import TrafficSeries

__all__ = [
    "FORECAST_COLUMNS",
    "BacktestReport",
    "InputUnit",
    "SeriesReport",
    "build_report",
    "few",
    "forecast_rows",
    "plain",
    "report_json",
    "stamp",
]

FORECAST_COLUMNS = ("cutoff", "timestamp", "quantile", "value")
_MOST_NOTICES = 5
_DIGITS = ".10g"  # the last bits depend on how many threads add up


@dataclass(frozen=True)
class InputUnit:
    """The unit in which forecasts are given back: ``per_rps`` of it make one request per second."""

    label: str = "rps"
    per_rps: float = 1.0


@dataclass(frozen=True, eq=False)
class SeriesReport:
    """One series: what came true, what was forecast, and the scores."""

    series: TrafficSeries
    origins: tuple[JudgedOrigin, ...]
    scores: OutlookScores

    @property
    def volume(self) -> float:
        """All traffic that was observed in the test, in the input's unit."""
        return float(sum(np.nansum(one.observed) for one in self.origins))


@dataclass(frozen=True, eq=False)
class BacktestReport:
    """The scores of all series together and of each; what was left out, and why.

    ``skipped`` maps a series to the reason why nothing of it was forecast; ``failures`` are single
    cutoffs without an outlook.
    """

    unit: InputUnit
    step: timedelta
    quantiles: tuple[float, ...]
    outlook: OutlookScores
    series: Mapping[str, SeriesReport]
    skipped: Mapping[str, str]
    failures: tuple[OriginFailure, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader of the scores should know, one sentence each."""
        outlook = self.outlook
        return (
            *few(
                [f"{name}: the outlook is not scored: {why}" for name, why in self.skipped.items()],
                "series",
            ),
            *few(
                [
                    f"{one.series_id}: no outlook at {stamp(one.cutoff)}: {one.reason}"
                    for one in self.failures
                    if one.series_id not in self.skipped
                ],
                "cutoffs",
            ),
            *(
                f"{name} spoke at {one.origins} of {outlook.origins} origins"
                for name, one in outlook.baselines.items()
                if one.origins < outlook.origins
            ),
        )


def build_report(
    holdouts: Sequence[Holdout],
    results: Sequence[OriginForecast | OriginFailure],
    quantiles: Sequence[float],
    unit: InputUnit = InputUnit(),
    skipped: Mapping[str, str] | None = None,
) -> BacktestReport:
    """Judge and score what :func:`forecast_origin` returned, in whatever order it came.

    ``skipped`` are series that were left out beforehand, with the reason.
    Raises HistoryTooShort, with the reason, where there is no forecast at all.
    """
    failures = tuple(
        sorted(
            (one for one in results if isinstance(one, OriginFailure)),
            key=lambda one: (one.series_id, one.cutoff),
        )
    )
    forecasts: dict[str, list[OriginForecast]] = {}
    for one in results:
        if isinstance(one, OriginForecast):
            forecasts.setdefault(one.series_id, []).append(one)
    left_out = dict(skipped or {})
    series: dict[str, SeriesReport] = {}
    for holdout in holdouts:
        name = holdout.series.series_id
        if name in forecasts:
            origins = judge(holdout.series, forecasts[name], quantiles, unit.per_rps)
            series[name] = SeriesReport(holdout.series, origins, score(origins))
        else:
            left_out[name] = next(
                (one.reason for one in failures if one.series_id == name), "not reached"
            )
    if not series:
        raise HistoryTooShort("\n".join(left_out.values()) or "there is no series to forecast")
    return BacktestReport(
        unit=unit,
        step=holdouts[0].series.step,
        quantiles=tuple(quantiles),
        outlook=score([origin for one in series.values() for origin in one.origins]),
        series=series,
        skipped=left_out,
        failures=failures,
    )


def report_json(report: BacktestReport, seconds: float) -> dict[str, Any]:
    """The report as JSON values; what cannot be said is None, never NaN."""
    document: dict[str, Any] = plain(
        {
            "unit": report.unit.label,
            "step_seconds": report.step.total_seconds(),
            "quantiles": list(report.quantiles),
            "outlook": _scores(report.outlook),
            "series": {
                name: {
                    "first_cutoff": stamp(one.origins[0].cutoff),
                    "last_cutoff": stamp(one.origins[-1].cutoff),
                    **_scores(one.scores),
                }
                for name, one in report.series.items()
            },
            "notices": list(report.notices),
            "seconds": round(seconds, 3),
        }
    )
    document["quantiles"] = [float(one) for one in report.quantiles]  # exact: keys of coverage
    return document


def forecast_rows(report: BacktestReport) -> Iterator[tuple[str, ...]]:
    """Rows of text, the header first: ``cutoff, timestamp, quantile, value``.

    Values are in the input's unit; times are ISO 8601 in UTC. Where there is more than one series,
    a last column, ``series``, names it.
    """
    named = len(report.series) > 1
    yield (*FORECAST_COLUMNS, *(("series",) if named else ()))
    for name, one in report.series.items():
        for origin in one.origins:
            cutoff = stamp(origin.cutoff)
            stamps = [
                stamp(origin.cutoff + index * origin.step) for index in range(len(origin.observed))
            ]
            for quantile, row in zip(origin.quantiles, origin.forecasts, strict=True):
                text = repr(float(quantile))
                for start, value in zip(stamps, row.tolist(), strict=True):
                    yield (cutoff, start, text, f"{value:{_DIGITS}}", *((name,) if named else ()))


def _scores(scores: OutlookScores) -> dict[str, Any]:
    return {
        "model": scores.model,
        "models": dict(scores.models),
        "origins": scores.origins,
        "observed_steps": scores.observed_steps,
        "wape": scores.wape,
        "mase": scores.mase,
        "pinball": scores.pinball,
        "scaled_pinball": scores.scaled_pinball,
        "coverage": {repr(float(q)): value for q, value in scores.coverage.items()},
        "by_horizon": {
            block: {
                "wape": one.wape,
                "coverage": {repr(float(q)): value for q, value in one.coverage.items()},
            }
            for block, one in scores.by_horizon.items()
        },
        "baselines": {
            name: {
                "wape": one.wape,
                "mase": one.mase,
                "origins": one.origins,
                "by_horizon": {block: {"wape": value} for block, value in one.by_horizon.items()},
            }
            for name, one in scores.baselines.items()
        },
    }


def few(sentences: list[str], what: str) -> list[str]:
    """The first of many sentences; how many more there are is said in the last."""
    rest = len(sentences) - _MOST_NOTICES
    return [*sentences[:_MOST_NOTICES], *([f"… and {rest} more {what}"] if rest > 0 else [])]


def plain(value: Any) -> Any:
    """JSON values with ten digits; None for what is not finite."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:{_DIGITS}}") if math.isfinite(value) else None
    return value


def stamp(instant: datetime) -> str:
    """The instant in UTC, ISO 8601, with a Z."""
    text = instant.astimezone(UTC).isoformat(timespec="auto")
    return text.replace("+00:00", "Z")
