"""A small proof: three days of evening peaks, as somebody would have foretold them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from forecaster.backtest import (
    Frontier,
    Hpa,
    InputUnit,
    ReplaySettings,
    ReplaySpan,
    Schedule,
    build_frontier,
    replay_oracle,
    replay_policy,
    sweep_all,
)
from forecaster.backtest.named import named_policy
from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.backtest.peak_scores import score_peaks
from forecaster.backtest.proof import Proof, ProofSettings, SeriesProof
from forecaster.models.peak.window import lead_peaks
from forecaster.traffic.history import TrafficSeries
from tests.backtest.replay_cases import MIDNIGHT

__all__ = ["LEVELS", "make_decisions", "make_proof", "make_series_proof"]

LEVELS = (0.5, 0.8, 0.9, 0.98)
STEP = timedelta(minutes=5)
LEAD_STEPS = 2


def make_span(name: str = "streaming/player-api", days: int = 5, test_days: int = 3) -> ReplaySpan:
    """Every evening from 20:00 on traffic grows to the fourfold within half an hour; one gap."""
    rng = np.random.default_rng(7)
    hours = np.arange(days * 288) / 12 % 24
    rates = np.interp(hours, [20, 20.5, 22, 22.5], [100.0, 400.0, 400.0, 100.0])
    rates *= np.exp(rng.normal(0, 0.05, len(rates)))
    test = (days - test_days) * 288
    rates[test + 100 : test + 106] = np.nan
    return ReplaySpan(TrafficSeries(name, MIDNIGHT, STEP, rates), MIDNIGHT + test * STEP)


def make_decisions(span: ReplaySpan, foresight: float = 1.0) -> PeakDecisions:
    """The lead peak times a factor that rises with the level, or ``foresight`` times as much."""
    peaks = lead_peaks(span.series.rate_rps, LEAD_STEPS)[span.first :]
    told = np.nan_to_num(peaks, nan=200.0)
    factors = np.exp(0.05 * np.array([0.0, 0.84, 1.28, 2.05])) * foresight
    return PeakDecisions(
        series=span.series,
        start=span.at(0.0),
        lead_steps=LEAD_STEPS,
        levels=LEVELS,
        peak_rps=factors[:, None] * told * np.exp(np.random.default_rng(3).normal(0, 0.05)),
        observed_rps=peaks,
        live=np.ones(len(span), dtype=np.bool_),
        spoke=np.ones(len(span), dtype=np.bool_),
        median_rps=told * 0.9,
        taught=(),
        reasons=(),
    )


def make_series_proof(
    name: str = "streaming/player-api", *, frontier: bool = True, foresight: float = 1.0
) -> SeriesProof:
    """Perfect foresight, the HPA, a schedule and Preroll over :func:`make_span`."""
    span = make_span(name)
    decisions = make_decisions(span, foresight)
    settings = ReplaySettings(10.0, lead_time=timedelta(minutes=10))
    preroll = [named_policy("preroll", span, decisions, level) for level in LEVELS]
    policies = [Hpa(), Schedule(), preroll[-1]]
    replays = {"oracle": replay_oracle(span, settings)} | {
        one.name: replay_policy(span, one, settings) for one in policies
    }
    swept: Frontier | None = None
    if frontier:
        swept = build_frontier(sweep_all(span, [*policies[:-1], *preroll], settings))
    return SeriesProof(
        span.series, decisions, score_peaks([decisions]), settings, span, replays, swept
    )


def make_proof(*series: SeriesProof, timezone: str = "UTC") -> Proof:
    """The proof of these, or of one with a frontier."""
    given = series or (make_series_proof(),)
    asked = ProofSettings(
        lead_time=timedelta(minutes=10), levels=LEVELS, capacity_rps=10.0, timezone=timezone
    )
    return Proof(
        unit=InputUnit("requests", STEP.total_seconds()),
        asked=asked,
        series={one.series.series_id: one for one in given},
        scores=score_peaks([one.decisions for one in given]),
    )
