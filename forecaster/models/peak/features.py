"""What the lead peak is told from: scale-free numbers about the last hours and the path ahead.

One row is one decision: a workload at an instant. Every feature is a log ratio to the traffic of
the last interval, or has no scale at all, so that a model can be learnt on one workload and speak
for another. Traffic is per second, ε is one request per step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_track import EventTrack
from forecaster.models.peak.event_features import EVENT_FEATURES, event_matrix
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = [
    "BEYOND",
    "FEATURES",
    "RECENT",
    "Decisions",
    "ahead_steps",
    "decisions_at",
    "epsilon_rps",
    "expected_rise",
    "feature_matrix",
    "now_rps",
    "recent_steps",
]

RECENT = timedelta(hours=4)
"""How far back live traffic is looked at."""
BEYOND = timedelta(hours=2)
"""How far the path is looked at beyond the lead window."""

_MEANS = (2, 3, 5, 10, 15, 30, 60, 120, 240)
_LAGS = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120)
_SPANS = (15, 60, 240)
_DISTANCES = (5, 15, 60, 240)
_AHEAD = (15, 30, 60, 120)

FEATURES = (
    *(f"mean_{minutes}m" for minutes in _MEANS),
    *(f"lag_{minutes}m" for minutes in _LAGS),
    *(f"highest_{minutes}m" for minutes in _SPANS),
    *(f"lowest_{minutes}m" for minutes in _SPANS),
    *(f"volatility_{minutes}m" for minutes in _SPANS),
    "path_now",
    *(f"path_distance_{minutes}m" for minutes in _DISTANCES),
    "path_peak",
    "path_peak_to_now",
    *(f"path_after_{minutes}m" for minutes in _AHEAD),
    "requests",
    "minute_of_hour",
    "lead_minutes",
    "step_minutes",
)


@dataclass(frozen=True, eq=False)
class Decisions:
    """Rows to decide on, in traffic per second, NaN for gaps.

    ``recent`` has shape (rows, :func:`recent_steps`): the intervals that ended by the decision,
    the last one last. ``path_recent`` has the same shape; ``path_ahead`` starts with the interval
    that starts at the decision and covers lead window and :data:`BEYOND`. ``at_seconds`` are the
    instants since 1970, shape (rows,). ``events`` (rows, features) is what ``event_matrix`` says of
    them, None where nobody knows of events.
    """

    step: timedelta
    lead_steps: int
    recent: FloatArray
    path_recent: FloatArray
    path_ahead: FloatArray
    at_seconds: FloatArray
    events: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.recent)


def recent_steps(step: timedelta) -> int:
    """How many intervals back a decision looks: four hours, eight intervals at the least."""
    return max(8, round(RECENT / step))


def epsilon_rps(step: timedelta) -> float:
    """One request per step, in requests per second."""
    return 1.0 / step.total_seconds()


def now_rps(decisions: Decisions) -> FloatArray:
    """Traffic now: that of the last interval; NaN where it is a gap."""
    return decisions.recent[:, -1]


def decisions_at(
    series: TrafficSeries,
    path: DayAheadPath | None,
    lead_steps: int,
    rows: np.ndarray,
    track: EventTrack | None = None,
) -> Decisions:
    """The decisions at the start of the intervals ``rows`` (positions; len(series) is its end).

    Only intervals before the row are used, and the path, which knows no more than its own origins.
    With ``track`` the path is one that knows of no event, and is lifted by it.
    """
    if path is not None and track is not None:
        path = track.lift(path)
    width, ahead = recent_steps(series.step), ahead_steps(series.step, lead_steps)
    first = series.start - width * series.step
    padded = np.concatenate([np.full(width, np.nan), series.rate_rps])
    recent = np.lib.stride_tricks.sliding_window_view(padded, width)[rows]
    if path is None:
        empty = np.full((len(rows), 1), np.nan)
        path_recent = np.broadcast_to(empty, (len(rows), width))
        path_ahead = np.broadcast_to(empty, (len(rows), ahead))
    else:
        whole = path.between(first, width + len(series) + ahead)
        path_recent = np.lib.stride_tricks.sliding_window_view(whole, width)[rows]
        path_ahead = np.lib.stride_tricks.sliding_window_view(whole[width:], ahead)[rows]
    seconds = series.start.timestamp() + np.asarray(rows, dtype=np.float64) * series.step_seconds
    events = None if track is None else event_matrix(series, track, lead_steps, rows)
    return Decisions(series.step, lead_steps, recent, path_recent, path_ahead, seconds, events)


def feature_matrix(decisions: Decisions) -> np.ndarray:
    """The features, float32, shape (rows, len(FEATURES)); NaN where one is not known.

    Those of events stand behind them, where ``decisions`` has any.

    ``mean``, ``highest``, ``lowest`` and ``lag`` are log ratios of recent traffic to now;
    ``volatility`` is the root mean square of log changes from step to step; ``path_distance`` is
    how far traffic was above the path of late; ``path_peak`` the path's own rise within the lead
    window; ``requests`` the log count in a step, which says how much is noise; ``lead_minutes`` and
    ``step_minutes`` tell apart the windows that a fleet's model has learnt. At coarse steps several
    names mean the same number of steps, and the features repeat.
    """
    step, epsilon = decisions.step, epsilon_rps(decisions.step)
    recent = decisions.recent
    log = np.log(recent + epsilon)
    now = log[:, -1:]
    columns: list[FloatArray] = []
    for minutes in _MEANS:
        mean = _mean(recent[:, -_steps(minutes, step, 2) :])
        columns.append(np.log(mean + epsilon) - now[:, 0])
    for minutes in _LAGS:
        back = _steps(minutes, step, 1) + 1
        columns.append(log[:, -back] - now[:, 0] if back <= log.shape[1] else _unknown(log))
    for reduce in (np.fmax, np.fmin):
        for minutes in _SPANS:
            span = log[:, -_steps(minutes, step, 4) :]
            columns.append(reduce.reduce(span, axis=1) - now[:, 0])
    changes = np.square(np.diff(log, axis=1))
    for minutes in _SPANS:
        columns.append(np.sqrt(_mean(changes[:, -_steps(minutes, step, 4) :])))
    path_log = np.log(decisions.path_recent + epsilon)
    ahead_log = np.log(decisions.path_ahead + epsilon)
    path_now = path_log[:, -1]
    columns.append(path_now - now[:, 0])
    distance = log - path_log
    for minutes in _DISTANCES:
        columns.append(_mean(distance[:, -_steps(minutes, step, 1) :]))
    peak = np.fmax.reduce(ahead_log[:, : decisions.lead_steps + 1], axis=1)
    columns += [peak - path_now, peak - now[:, 0]]
    for minutes in _AHEAD:
        at = min(decisions.lead_steps + _steps(minutes, step, 1), ahead_log.shape[1] - 1)
        columns.append(ahead_log[:, at] - path_now)
    count = _mean(recent[:, -_steps(15, step, 2) :]) * step.total_seconds()
    columns.append(np.log1p(count))
    columns.append(np.mod(decisions.at_seconds, 3600.0) / 60.0)
    step_minutes = step / timedelta(minutes=1)
    columns.append(np.full(len(decisions), decisions.lead_steps * step_minutes))
    columns.append(np.full(len(decisions), step_minutes))
    matrix = np.stack(columns, axis=1).astype(np.float32)
    return matrix if decisions.events is None else np.hstack([matrix, decisions.events])


def expected_rise(features: np.ndarray) -> FloatArray:
    """How far events are expected to raise traffic within the lead window: log, (rows,).

    What a forest is taught is what comes on top: it has few rows to learn a cliff from.
    """
    place = len(FEATURES) + EVENT_FEATURES.index("event_rise")
    if features.shape[1] <= place:
        return np.zeros(len(features))
    rise: FloatArray = np.nan_to_num(features[:, place]).astype(np.float64)
    return rise


def ahead_steps(step: timedelta, lead_steps: int) -> int:
    """How many intervals ahead a decision looks: lead window and :data:`BEYOND`."""
    return lead_steps + 1 + max(1, round(BEYOND / step))


def _steps(minutes: int, step: timedelta, least: int) -> int:
    return max(least, round(timedelta(minutes=minutes) / step))


def _mean(values: FloatArray) -> FloatArray:
    """The mean of each row's known values; NaN where there is none."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def _unknown(log: FloatArray) -> FloatArray:
    return np.full(len(log), np.nan)
