"""Small spans to replay, and the same replay second by second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.backtest import ReplaySettings, ReplaySpan
from forecaster.traffic.history import TrafficSeries

__all__ = ["MIDNIGHT", "MINUTE", "at_capacity", "minutes", "wavy"]

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)


def minutes(*rates: float, before: tuple[float, ...] = ()) -> ReplaySpan:
    """A span of one step a minute after ``before``."""
    series = TrafficSeries("web", MIDNIGHT, MINUTE, np.array([*before, *rates]))
    return ReplaySpan(series, MIDNIGHT + len(before) * MINUTE)


def at_capacity(**settings) -> ReplaySettings:
    """A replica serves 10 rps and starts in two minutes."""
    return ReplaySettings(**{"capacity_rps": 10.0, "lead_time": timedelta(minutes=2), **settings})


def wavy(days: int, test_days: int, step: timedelta, seed: int = 1) -> ReplaySpan:
    """Days that resemble each other, with noise and a gap in the test."""
    rng = np.random.default_rng(seed)
    per_day = round(timedelta(days=1) / step)
    phase = 2 * np.pi * np.arange(days * per_day) / per_day
    rates = 200 * (1.2 + np.sin(phase)) * np.exp(rng.normal(0, 0.1, len(phase)))
    test = (days - test_days) * per_day
    rates[test + per_day // 3 : test + per_day // 3 + 4] = np.nan
    return ReplaySpan(TrafficSeries("web", MIDNIGHT, step, rates), MIDNIGHT + test * step)
