"""Origins of the lead peak: train on what had ended, then tell each step until the next origin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.backtest.late_traffic import late_onsets
from forecaster.backtest.peak_tasks import PeakTask
from forecaster.backtest.rolling_origin import OriginFailure, OriginForecast, outlook_forecast
from forecaster.errors import ForecastError, HistoryTooShort
from forecaster.models.day_path import DayAheadPath
from forecaster.models.event_onset import onset_peaks
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.event_track import Ahead, EventTrack, look_ahead
from forecaster.models.event_training import TrainedWithEvents, train_with_events
from forecaster.models.outlook import Outlook
from forecaster.models.peak.features import ahead_steps, decisions_at, recent_steps
from forecaster.models.peak.model import LeadPeakModel, Taught
from forecaster.models.peak.starter import load_starter
from forecaster.models.peak.training import train_lead_peak
from forecaster.models.selection import OutlookConfig, train_outlook
from forecaster.planning.limits import LEAST_QUANTILE, MOST_QUANTILE
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["PeakOrigin", "work_origin"]

_LEAST_HORIZON = timedelta(hours=28)


@dataclass(frozen=True, eq=False)
class PeakOrigin:
    """What one origin's models said, in log traffic and traffic per second.

    ``location`` and ``scale`` have shape (steps,), NaN where the last interval was a gap or no
    model spoke; ``base`` and ``offsets`` (levels,) are the score quantiles and where calibration
    starts, ``gain`` its step; ``fallback_rps`` (levels, steps) is the outlook's highest quantile
    within each lead window, and ``median_rps`` (steps,) its median, both NaN without an outlook.
    ``reason`` says why there is none, or why another's model spoke. ``day_ahead`` is what the
    outlook was asked for beside. ``onset_rps`` (levels, steps) is what the onset of an event tells
    instead, NaN where none speaks; ``late_onset_rps`` is what it tells at steps whose traffic is
    late, NaN at all others. Both are None where nobody knows of events.
    """

    series_id: str
    cutoff: datetime
    location: FloatArray
    scale: FloatArray
    base: FloatArray
    offsets: FloatArray
    gain: float
    highest_rps: float
    fallback_rps: FloatArray
    median_rps: FloatArray
    taught: Taught | None
    reason: str = ""
    day_ahead: OriginForecast | OriginFailure | None = None
    onset_rps: FloatArray | None = None
    late_onset_rps: FloatArray | None = None


def work_origin(task: PeakTask) -> PeakOrigin:
    """Train at the cutoff and say what the models say at each step until the next one."""
    first = task.series.index_of(task.cutoff)
    known = task.series.before(task.cutoff)
    if known is None:
        raise ValueError(f"{task.series.series_id}: nothing ended before {task.cutoff}")
    outlook, path, events, why = _outlook(task, known)
    model, told = _model(task, known, path, None if events is None else events.track)
    ahead = None if events is None else _look_ahead(task, events)
    fallback, median = _from_outlook(outlook, task)
    location = scale = np.full(task.steps, np.nan)
    base = offsets = np.zeros(len(task.levels))
    gain, highest = 0.0, np.nan
    rows, onsets, late = first + np.arange(task.steps), None, None
    if ahead is not None and path is not None:
        onsets = onset_peaks(
            task.series, rows, task.lead_steps, task.levels, path, ahead.foreseen, ahead.onsets
        ).peak_rps
        late = late_onsets(task.series, rows, task.lead_steps, task.levels, path, ahead)
    if model is not None:
        track = None if ahead is None else ahead.track
        telling = model.tell(decisions_at(task.series, path, task.lead_steps, rows, track))
        calibration = model.calibration(task.levels)
        location, scale = telling.location, telling.scale
        base, offsets, gain = calibration.base, calibration.offset, calibration.gain
        highest = model.highest_rps
    return PeakOrigin(
        series_id=known.series_id,
        cutoff=task.cutoff,
        location=location,
        scale=scale,
        base=base,
        offsets=offsets,
        gain=gain,
        highest_rps=highest,
        fallback_rps=fallback,
        median_rps=median,
        taught=None if model is None else model.taught,
        reason="; ".join(text for text in (f"no outlook: {why}" if why else "", told) if text),
        day_ahead=_day_ahead(task, known, outlook, why),
        onset_rps=onsets,
        late_onset_rps=late,
    )


def _look_ahead(task: PeakTask, events: TrainedWithEvents) -> Ahead:
    """What the service knows of events at each step until the next training."""
    step = task.series.step
    back = recent_steps(step)
    return look_ahead(
        events.uplift,
        events.calendar,
        task.cutoff,
        task.cutoff - back * step,
        step,
        back + task.steps + ahead_steps(step, task.lead_steps),
    )


def _outlook(
    task: PeakTask, known: TrafficSeries
) -> tuple[Outlook | None, DayAheadPath | None, TrainedWithEvents | None, str]:
    horizon = (task.steps + task.lead_steps + 1) * known.step
    scored = () if task.day_ahead is None else task.day_ahead.quantiles
    config = OutlookConfig(
        quantiles=tuple(sorted({*map(_within_limits, task.levels), *scored, 0.5})),
        horizon=max(horizon, _LEAST_HORIZON),
        timezone=task.timezone,
    )
    try:
        if task.calendar:
            lifted = train_with_events(known, task.cutoff, config, task.calendar)
            outlook = outlook_with_events(lifted.outlook, lifted.uplift, lifted.calendar)
            return outlook, lifted.path, lifted, ""
        trained = train_outlook(known, task.cutoff, config)
    except (HistoryTooShort, ForecastError) as error:
        return None, None, None, str(error)
    return trained.outlook, trained.path, None, ""


def _within_limits(level: float) -> float:
    """The level itself, or the rarest that the errors of an outlook can show."""
    return min(max(level, LEAST_QUANTILE), MOST_QUANTILE)


def _day_ahead(
    task: PeakTask, known: TrafficSeries, outlook: Outlook | None, why: str
) -> OriginForecast | OriginFailure | None:
    asked = task.day_ahead
    if asked is None:
        return None
    if outlook is None:
        return OriginFailure(known.series_id, task.cutoff, why)
    quantiles = tuple(sorted({*asked.quantiles, 0.5}))
    return outlook_forecast(known, asked.steps, outlook, quantiles, asked.baselines)


def _model(
    task: PeakTask, known: TrafficSeries, path: DayAheadPath | None, track: EventTrack | None
) -> tuple[LeadPeakModel | None, str]:
    try:
        own = train_lead_peak(known, task.cutoff, path, task.lead_steps, task.peak, track)
        return own, ""
    except HistoryTooShort as error:
        why = str(error)
    if task.fleet is not None:
        return task.fleet.for_workload(known.series_id, path), f"the fleet's model speaks: {why}"
    if not task.starter:
        return None, f"the starter model was taught by this very trace and stays silent; {why}"
    starter = load_starter(known.step, task.lead_steps)
    return starter.for_workload(known.series_id, path), f"the starter model speaks: {why}"


def _from_outlook(outlook: Outlook | None, task: PeakTask) -> tuple[FloatArray, FloatArray]:
    if outlook is None:
        return (
            np.full((len(task.levels), task.steps), np.nan),
            np.full(task.steps, np.nan),
        )
    width = task.lead_steps + 1
    levels = map(_within_limits, task.levels)
    rates = np.stack([outlook.at(level) for level in levels])[:, : task.steps + width - 1]
    windows = np.lib.stride_tricks.sliding_window_view(rates, width, axis=1)
    return windows.max(axis=2), outlook.at(0.5)[: task.steps]
