"""What a day may look like, told from earlier days: the inputs of the seasonal regression.

Everything is in log space, so a feature is a ratio and the result does not depend on the unit.
All arrays have shape (days + AHEAD, bins): row r of a feature is known ``lead`` rows before row r,
and uses rows up to r - lead only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from forecaster.traffic.history import FloatArray

__all__ = [
    "AHEAD",
    "FEATURES",
    "KEPT_LEVEL",
    "LEVEL",
    "SHAPE",
    "ProfileFeatures",
    "profile_features",
]

AHEAD = 4  # rows beyond the history: three days touch a fourth where the clock is put forward

LEVEL = ("level_1d", "level_3d", "level_7d")
KEPT_LEVEL = ("level_kept_1d", "level_kept_3d", "level_kept_7d")
SHAPE = (
    "shape_1d",
    "shape_4d",
    "tail",
    "last_season",
    "long_memory",
    "smooth_20min",
    "smooth_60min",
    "other_season",
    "constant",
)
FEATURES = (*LEVEL, "jump", *KEPT_LEVEL, *SHAPE)

_JUMP = 4.0  # a day whose level moves by more than this many typical moves is a jump
_SURPRISE = 2.0  # a day this many times as wrong as the median day counts less


@dataclass(frozen=True, eq=False)
class ProfileFeatures:
    """``base``: the seasonal profile; ``columns``: (days + AHEAD, bins, features) beside it."""

    base: FloatArray
    columns: FloatArray

    def pick(self, names: Sequence[str]) -> FloatArray:
        """The columns of these names, in this order."""
        return self.columns[:, :, [FEATURES.index(name) for name in names]]


def profile_features(
    log_rates: FloatArray, lead: int, season_days: int, *, flat: bool = False
) -> ProfileFeatures:
    """The seasonal profile and its corrections for every row, known ``lead`` rows ahead.

    ``log_rates`` has shape (days, bins), NaN for gaps. ``season_days`` is 7 (a week) or 1.
    ``flat`` drops the time of day, for traffic without a daily season.

    The profile is the exponentially weighted mean of the rows one, two, … seasons earlier; days
    that surprised (holidays, outages) count less. Corrections: the level of the last days (with and
    without jumps), recent change of shape, the hours just before the cutoff, shorter and longer
    memory, and smoother profiles for noisy traffic.
    """
    days, bins = log_rates.shape
    if flat:
        log_rates = np.repeat(_row_mean(log_rates)[:, None], bins, axis=1)
    weight = _surprise_weight(log_rates, season_days)
    seasons = [season_days * k for k in range(1, 77 // season_days + 1) if season_days * k >= lead]
    daily = _weighted_past(log_rates, range(lead, lead + 21), 4.0, weight)

    def profile(half_life_days: float) -> FloatArray:
        past = _weighted_past(log_rates, seasons, half_life_days, weight)
        return np.where(np.isnan(past), daily, past)

    base = _join_neighbours(profile(28.0 if season_days == 7 else 5.0))
    rest = log_rates - base[:days]
    level = _row_mean(rest)
    kept = _without_jumps(level)

    def level_of(values: FloatArray, half_life_days: float) -> FloatArray:
        offsets = range(lead, lead + int(6 * half_life_days) + 2)
        past = _weighted_past(values[:, None], offsets, half_life_days)
        return np.broadcast_to(_zero(past), base.shape)

    def shape_of(half_life_days: float) -> FloatArray:
        offsets = range(lead, lead + int(6 * half_life_days) + 2)
        return _zero(_smooth(_weighted_past(rest, offsets, half_life_days), 30, bins))

    columns = {
        "level_1d": level_of(level, 0.5),
        "level_3d": level_of(level, 2.0),
        "level_7d": level_of(level, 6.0),
        "jump": level_of(level - kept, 0.5),
        "level_kept_1d": level_of(kept, 0.5),
        "level_kept_3d": level_of(kept, 2.0),
        "level_kept_7d": level_of(kept, 6.0),
        "shape_1d": shape_of(0.5),
        "shape_4d": shape_of(3.0),
        "tail": _tail(rest, lead, base.shape),
        "last_season": _zero(profile(3.5 if season_days == 7 else 0.5) - base),
        "long_memory": _zero(profile(56.0 if season_days == 7 else 20.0) - base),
        "smooth_20min": _zero(_smooth(base, 20, bins) - base),
        "smooth_60min": _zero(_smooth(base, 60, bins) - base),
        "other_season": _zero(_smooth(daily, 20, bins) - base),
        "constant": np.full(base.shape, 0.1),
    }
    return ProfileFeatures(base, np.stack([columns[name] for name in FEATURES], axis=-1))


def _weighted_past(
    values: FloatArray,
    offsets: Sequence[int],
    half_life_days: float,
    row_weight: FloatArray | None = None,
) -> FloatArray:
    """Row r: the mean of the rows r - offset, weighted 2^(-(offset - first) / half-life)."""
    days, bins = values.shape
    known = ~np.isnan(values) * (1.0 if row_weight is None else row_weight[:, None])
    filled = np.where(np.isnan(values), 0.0, values) * known
    total, weight = np.zeros((days + AHEAD, bins)), np.zeros((days + AHEAD, bins))
    for offset in offsets:
        end = min(days + AHEAD, days + offset)
        if end <= offset:
            break
        share = 0.5 ** ((offset - offsets[0]) / half_life_days)
        total[offset:end] += share * filled[: end - offset]
        weight[offset:end] += share * known[: end - offset]
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 1e-12)


def _surprise_weight(log_rates: FloatArray, season_days: int) -> FloatArray:
    """One weight per day: 1 for an ordinary day, falling with the square of its surprise."""
    days = len(log_rates)
    seasons = range(season_days, 78, season_days)
    daily = _weighted_past(log_rates, range(1, 22), 4.0)
    past = _weighted_past(log_rates, seasons, 17.5 if season_days == 7 else 5.0)
    rest = log_rates - np.where(np.isnan(past), daily, past)[:days]
    level = _weighted_past(_zero(_row_mean(rest))[:, None], range(1, 6), 0.7)[:days]
    wrong = _row_mean(np.abs(rest - _zero(level)))
    weight = np.ones(days)
    for day in range(days):
        seen = wrong[max(0, day - 60) : day + 1]
        seen = seen[~np.isnan(seen)]
        if len(seen) and not np.isnan(wrong[day]) and np.median(seen) > 0:
            weight[day] = min(1.0, (_SURPRISE * np.median(seen) / max(wrong[day], 1e-12)) ** 2)
    return weight


def _without_jumps(level: FloatArray) -> FloatArray:
    """The levels, limited to a few typical day-to-day moves around the profile."""
    known = _zero(level)
    moves = np.abs(np.diff(known, prepend=0.0))
    typical = np.array([np.median(moves[max(0, i - 60) : i + 1]) for i in range(len(moves))])
    return np.clip(level, -_JUMP * 1.5 * typical, _JUMP * 1.5 * typical)


def _tail(rest: FloatArray, lead: int, shape: tuple[int, ...]) -> FloatArray:
    """The level of the last three hours before the cutoff, fading over the first hours ahead."""
    tail = np.zeros(shape)
    if lead == 1:
        days, bins = rest.shape
        hours = max(1, bins // 8)
        fade = np.exp(-np.arange(bins) / (bins / 8))
        tail[1 : days + 1] = _zero(_row_mean(rest[:, -hours:]))[:, None] * fade
    return tail


def _smooth(values: FloatArray, minutes: float, bins: int) -> FloatArray:
    """Gaussian smoothing along each row, its end joined to its start, that leaves gaps out.

    A row ends at the time of day at which it starts. Its neighbour rows would know a day more.
    """
    sigma = minutes / (1440 / bins)
    if sigma <= 0.3:
        return values
    known = ~np.isnan(values)
    total = gaussian_filter1d(np.where(known, values, 0.0), sigma, mode="wrap", truncate=3)
    weight = gaussian_filter1d(known.astype(np.float64), sigma, mode="wrap", truncate=3)
    smooth: FloatArray = np.divide(
        total, weight, out=np.full_like(total, np.nan), where=weight > 1e-6
    )
    return smooth


def _join_neighbours(profile: FloatArray) -> FloatArray:
    """Bins that were never observed lie on the line between their neighbours of the same row."""
    missing = np.isnan(profile)
    if not missing.any():
        return profile
    joined, bins = profile.copy(), profile.shape[1]
    for row in np.flatnonzero(missing.any(axis=1) & ~missing.all(axis=1)):
        known = np.flatnonzero(~missing[row])
        joined[row] = np.interp(np.arange(bins), known, profile[row, known], period=bins)
    return joined


def _row_mean(values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def _zero(values: FloatArray) -> FloatArray:
    return np.nan_to_num(values, nan=0.0)
