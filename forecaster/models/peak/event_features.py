"""What the lead peak is told of events: what they are expected to do, and how far away they are.

These stand beside the other features, and only in models of workloads that have events: what others
have taught speaks without them.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from forecaster.models.event_track import EventTrack
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["EVENT_FEATURES", "event_matrix", "looks_ahead"]

_AHEAD = (15, 30)
_FARTHEST = 180.0  # minutes: as far as the live path looks
_NEAR = 60.0
_UNPUNCTUAL = timedelta(minutes=2)  # so much earlier may come what is expected

EVENT_FEATURES = (
    "event_now",
    "event_rise",
    "event_fall",
    "event_high_rise",
    *(f"event_after_{minutes}m" for minutes in _AHEAD),
    "event_minutes_to_start",
    "event_minutes_since_start",
    "event_minutes_to_end",
    "event_importance",
)


def looks_ahead(step: timedelta, lead_steps: int) -> np.ndarray:
    """How many steps of the track ahead each feature looks at, shape (len(EVENT_FEATURES),)."""
    width = lead_steps + 1
    after = [width + max(1, round(timedelta(minutes=minutes) / step)) for minutes in _AHEAD]
    late = width + max(1, round(_UNPUNCTUAL / step))
    return np.array([0, late, late, width, *after, 0, 0, 0, 0])


def event_matrix(
    series: TrafficSeries, track: EventTrack, lead_steps: int, rows: np.ndarray
) -> np.ndarray:
    """The features at the start of the intervals ``rows``, float32, (rows, len(EVENT_FEATURES)).

    ``event_now`` is the log factor that is expected of the last interval; rise and fall are how far
    it goes from there within the lead window and two minutes more, for events are not punctual;
    ``high`` is the rise by its 0.9 quantile. Distances are in minutes, 180 at the most; the
    importance is that of the event that goes on, or is near.
    """
    step = series.step
    width = lead_steps + 1
    after = [max(1, round(timedelta(minutes=minutes) / step)) for minutes in _AHEAD]
    late = max(1, round(_UNPUNCTUAL / step))
    reach = width + max(*after, late)
    first = series.start - step
    middle, high = track.between(first, len(series) + 1 + reach)
    now = middle[rows]
    ahead = np.lib.stride_tricks.sliding_window_view(middle[1:], width + late)[rows]
    above = np.lib.stride_tricks.sliding_window_view(high[1:], width)[rows]
    columns = [now, ahead.max(axis=1) - now, ahead.min(axis=1) - now, above.max(axis=1) - now]
    columns += [middle[rows + lead_steps + 1 + steps] - now for steps in after]
    at = series.start.timestamp() + np.asarray(rows, dtype=np.float64) * series.step_seconds
    columns += _distances(track, at)
    return np.stack(columns, axis=1).astype(np.float32)


def _distances(track: EventTrack, at: FloatArray) -> list[FloatArray]:
    """Minutes to the next start, since the last one, to the end of what goes on; importance."""
    far = np.full(len(at), _FARTHEST)
    if not track.events:
        return [far, far, -far, np.zeros(len(at))]
    starts = np.array([one.start.timestamp() for one in track.events])
    ends = np.array([one.planned_end.timestamp() for one in track.events])
    importance = np.array([one.importance for one in track.events])
    following = np.searchsorted(starts, at, side="right")
    last = np.maximum(following - 1, 0)
    coming = np.minimum(following, len(starts) - 1)
    to_start = np.where(following < len(starts), (starts[coming] - at) / 60.0, _FARTHEST)
    since = np.where(following > 0, (at - starts[last]) / 60.0, _FARTHEST)
    # Ends do not come in the order of starts: the latest end of what began by then.
    latest = np.maximum.accumulate(ends)[last]
    to_end = np.where(following > 0, (latest - at) / 60.0, -_FARTHEST)
    near = to_start < _NEAR
    on = to_end > -_NEAR
    weight = np.where(on, importance[last], np.where(near, importance[coming], 0.0))
    return [
        np.clip(to_start, 0.0, _FARTHEST),
        np.clip(since, 0.0, _FARTHEST),
        np.clip(to_end, -_FARTHEST, _FARTHEST),
        weight,
    ]
