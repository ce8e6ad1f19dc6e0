"""The limits of what can be planned, shared by the settings and the command line."""

from __future__ import annotations

from datetime import timedelta

__all__ = [
    "LEAST_QUANTILE",
    "LONGEST_HOLD_DOWN",
    "LONGEST_LEAD_TIME",
    "MOST_QUANTILE",
    "MOST_REPLICAS",
    "PLAN_HORIZON",
    "QUANTILE_REASON",
]

PLAN_HORIZON = timedelta(hours=48)
LONGEST_LEAD_TIME = timedelta(hours=12)
LONGEST_HOLD_DOWN = timedelta(hours=24)
MOST_REPLICAS = 1_000_000
LEAST_QUANTILE, MOST_QUANTILE = 0.001, 0.999
QUANTILE_REASON = "the errors of at most 42 days cannot show rarer ones"
