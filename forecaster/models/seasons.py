"""Which seasons traffic really has: a day, a week, both, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.models.profile_features import profile_features
from forecaster.traffic.history import FloatArray

__all__ = ["Seasons", "find_seasons"]

_DAY_CORRELATION = 0.2
_WEEK_ERROR = 0.97
_WEEK_ERROR_WITH_ECHO = 1.08
_ECHO = 0.3
_WEEK_DAYS = 14


@dataclass(frozen=True)
class Seasons:
    """The seasons found, and in words how."""

    day: bool
    week: bool
    reason: str

    @property
    def days(self) -> int:
        """The length of the season that the profile follows, in days."""
        return 7 if self.week else 1


def find_seasons(log_rates: FloatArray) -> Seasons:
    """The seasons of a (days, bins) matrix of log traffic, NaN for gaps.

    A daily season: deviations from the day's mean correlate by at least 0.2 with those of the day
    before (hourly means). A weekly season: over the days that have both, the same weekdays foretell
    a day at least 3 % better than the days before do, or about as well while the latter's errors
    come again a week later; more than two weeks are needed to tell.
    """
    days = len(log_rates)
    if days < 2 or (days == 2 and np.isnan(log_rates[0]).mean() > 0.1):
        told = "seasons: less than two days of history, so a daily one is assumed"
        return Seasons(True, False, told)
    correlation = _day_correlation(log_rates)
    if correlation < _DAY_CORRELATION:
        return Seasons(
            False, False, f"seasons: none found (day-to-day correlation {correlation:.2f})"
        )
    found = f"a daily one (day-to-day correlation {correlation:.2f})"
    if days <= _WEEK_DAYS:
        told = f"a weekly one cannot be told from {days} days, 15 are needed"
        return Seasons(True, False, f"seasons: {found}; {told}")
    ratio, echo = _week_against_day(log_rates)
    told = f"error × {ratio:.2f} with it, correlation over a week {echo:.2f}"
    if ratio < _WEEK_ERROR or (ratio < _WEEK_ERROR_WITH_ECHO and echo > _ECHO):
        return Seasons(True, True, f"seasons: {found} and a weekly one ({told})")
    return Seasons(True, False, f"seasons: {found}; no weekly one ({told})")


def _day_correlation(log_rates: FloatArray) -> float:
    days, bins = log_rates.shape
    hours = min(24, bins)
    known = ~np.isnan(log_rates)
    count = known.reshape(days, hours, -1).sum(axis=2)
    total = np.where(known, log_rates, 0.0).reshape(days, hours, -1).sum(axis=2)
    hourly = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    seen = count > 0
    mean = np.where(seen, hourly, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    shape = hourly - mean[:, None]
    before, after = shape[:-1].ravel(), shape[1:].ravel()
    both = ~np.isnan(before) & ~np.isnan(after)
    if both.sum() < 6 or before[both].std() < 1e-9 or after[both].std() < 1e-9:
        return 0.0
    return float(np.corrcoef(before[both], after[both])[0, 1])


def _week_against_day(log_rates: FloatArray) -> tuple[float, float]:
    """Error of week-by-week over day-by-day forecasts; the latter's correlation over a week."""
    days = len(log_rates)
    rests = []
    for season in (7, 1):
        features = profile_features(log_rates, 1, season)
        path = features.base + 0.7 * features.pick(["level_3d"])[:, :, 0]
        rests.append(log_rates - path[:days])
    known = ~np.isnan(rests[0]) & ~np.isnan(rests[1])
    known[:7] = False
    rows = known.any(axis=1)
    if not rows.any():
        return 1.0, 0.0
    week, day = (
        np.where(known, np.abs(rest), 0.0).sum(axis=1)[rows] / known.sum(axis=1)[rows]
        for rest in rests
    )
    if day.mean() < 1e-9:
        return 1.0, 0.0
    # One outage or holiday must not decide.
    ratio = np.minimum(week, 3 * np.median(week)).mean() / day.mean()
    both = known[7:] & known[:-7]
    before, after = np.clip(rests[1][:-7][both], -1, 1), np.clip(rests[1][7:][both], -1, 1)
    if both.sum() < 6 or before.std() < 1e-9 or after.std() < 1e-9:
        return float(ratio), 0.0
    return float(ratio), float(np.corrcoef(before, after)[0, 1])
