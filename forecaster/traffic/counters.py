"""A counter exported raw: it only ever grows, and is not traffic."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np

from forecaster.durations import format_duration
from forecaster.traffic.history import FloatArray

__all__ = ["looks_like_counter", "rate_query"]

_FEWEST = 20
_LONG = 60
_VERY_LONG = 200
_COUNTER_NAME = re.compile(r"_(?:total|count|sum|bucket)$")


def looks_like_counter(values: FloatArray, metric: str | None = None) -> bool:
    """Whether ``values``, in order of time and without gaps, are those of a counter.

    A counter rises most of the time and never falls, but for restarts near zero (a sum of
    counters falls a little when one of them restarts). Traffic cannot do that for long: its noise
    alone makes every other step a fall. Below 60 values a smooth ramp could, so there one more
    sign is asked: the metric's name, a restart, a start near zero, or growth that is small beside
    the level.
    """
    count = len(values)
    if count < _FEWEST:
        return False
    change = np.diff(values)
    falls, rises = change < 0, change > 0
    restarts = falls & (values[1:] <= 0.1 * values[:-1])
    if rises.mean() < (0.3 if count >= _LONG else 0.5) or restarts.mean() > 0.05:
        return False
    between = np.diff(np.flatnonzero(restarts))
    if len(between) >= 5 and np.ptp(between) == 0:
        return False  # what starts anew by the clock is a season
    grown = float(change[rises].sum())
    if grown < 10 * float(np.std(change[~falls])):
        return False  # a few jumps between plateaus
    if (falls & ~restarts).any():
        return count >= _VERY_LONG and falls.sum() <= 0.03 * rises.sum()
    if count >= _LONG or restarts.any():
        return True
    named = metric is not None and _COUNTER_NAME.search(metric) is not None
    growth = float(values[-1] / (values[0] + np.median(change[rises])))
    return named or growth >= 10 or growth < 1.2


def rate_query(metric: str | None, step: timedelta) -> str:
    """The PromQL to export instead of the raw counter ``metric``, or of one with a usual name."""
    window = format_duration(max(step, timedelta(minutes=5)))
    if metric is None:
        return f"sum(rate(http_requests_total[{window}]))"
    return f"rate({metric}[{window}])"
