"""What one series' figures show: the two replays that the verdict is about, and the forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecaster.backtest.days import ComparedDay, compare_days
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.replay import PolicyReplay
from forecaster.backtest.report import BacktestReport, InputUnit
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.verdict import Verdict
from forecaster.plots.events import EventSpan, event_spans
from forecaster.plots.replay import ForecastLines
from forecaster.traffic.history import FloatArray

__all__ = ["ProofPart", "proof_part"]

_BAND = (0.1, 0.9)


@dataclass(frozen=True, eq=False)
class ProofPart:
    """One observed series. ``shown`` has Preroll and the HPA, as far as they were replayed.

    ``target`` is the unserved ratio for which their settings were the best, None where each is
    shown as it ran; ``days`` compare the two. ``prefix`` begins the ids of its figures. ``events``
    are those of the calendar that the backtest was given, none without one.
    """

    one: SeriesProof
    span: ReplaySpan
    shown: Mapping[str, PolicyReplay]
    target: float | None
    days: tuple[ComparedDay, ...]
    forecast: ForecastLines
    unit: InputUnit
    timezone: str
    prefix: str
    events: tuple[EventSpan, ...] = ()


def proof_part(
    proof: Proof, name: str, said: Verdict, timezone: str, prefix: str
) -> ProofPart | None:
    """What to show of a series; None where nothing of it was observed."""
    one = proof.series[name]
    if one.span is None:
        return None
    shown, target, days = one.replays, None, said.days
    if said.ours is not None and said.theirs is not None:
        shown, target = {"hpa": said.theirs, "preroll": said.ours}, said.target
    elif "preroll" in shown and "hpa" in shown:
        days = compare_days(one.span, one.settings, shown["preroll"], shown["hpa"], timezone)
    shown = {name: shown[name] for name in ("hpa", "preroll") if name in shown}
    quantile = proof.asked.quantile
    if "preroll" in shown:
        quantile = shown["preroll"].setting["quantile"] or quantile
    forecast = ForecastLines(
        quantile,
        one.decisions.at(quantile),
        one.decisions.median_rps,
        _band(proof.day_ahead, name, one.span),
        _BAND,
    )
    namespace, _, workload = name.rpartition("/")
    calendar = proof.asked.calendar.selecting(namespace, workload)
    events = event_spans(calendar, one.span.at(0.0), one.span.series.end)
    return ProofPart(
        one, one.span, shown, target, days, forecast, proof.unit, timezone, prefix, events
    )


def _band(
    report: BacktestReport | None, name: str, span: ReplaySpan
) -> tuple[FloatArray, FloatArray] | None:
    """The outlook's 0.1 and 0.9, a day ahead, at every step; None where they were not asked."""
    if report is None or name not in report.series or not {*_BAND} <= {*report.quantiles}:
        return None
    step = span.series.step
    begin = span.series.start + span.first * step
    low, high = np.full(len(span), np.nan), np.full(len(span), np.nan)
    for origin in report.series[name].origins:
        at = (origin.cutoff - begin) // step
        if origin.step != step or not 0 <= at < len(span):
            continue
        until = min(len(span), at + len(origin.observed))
        for edge, level in zip((low, high), _BAND, strict=True):
            told = origin.forecasts[origin.quantiles.index(level)]
            edge[at:until] = told[: until - at] / report.unit.per_rps
    return low, high
