"""One workload from step to step: what it says now, and what it learns once a window has passed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecaster.events.calendar import EMPTY_CALENDAR, Calendar
from forecaster.models.event_onset import Onset, onset_peaks
from forecaster.models.event_track import Ahead, look_ahead
from forecaster.models.peak.features import ahead_steps, decisions_at, epsilon_rps
from forecaster.models.peak.model import LeadPeakModel, Taught
from forecaster.models.peak.online import OnlineCalibration
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["STALE_STEPS", "LeadPeak", "LivePeak"]

STALE_STEPS = 3
"""How many intervals may be missing at the end before live traffic says nothing any more."""


@dataclass(frozen=True, eq=False)
class LeadPeak:
    """Quantiles of the highest traffic within one lead window.

    The window begins at ``at``, the end of the last observed interval, whose traffic was
    ``now_rps``. ``peak_rps`` has shape (len(levels),), traffic per second, not falling. ``onset``
    is the event that told it, rather than live traffic: it is about to begin.
    """

    at: datetime
    now_rps: float
    levels: tuple[float, ...]
    peak_rps: FloatArray
    taught: Taught
    onset: Onset | None = None

    def quantile(self, level: float) -> float:
        """One of the levels; ValueError for any other."""
        return float(self.peak_rps[self.levels.index(level)])


@dataclass(frozen=True)
class _Waiting:
    """A decision whose window has not passed yet."""

    at: datetime
    location: float
    scale: float


class LivePeak:
    """A model at work on one workload; ``levels`` are the quantiles that are asked of it."""

    def __init__(self, model: LeadPeakModel, levels: tuple[float, ...]) -> None:
        self.model = model
        self._calibration: OnlineCalibration = model.calibration(levels)
        self._waiting: deque[_Waiting] = deque()

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantiles, rising."""
        return self._calibration.levels

    @property
    def offsets(self) -> FloatArray:
        """What online calibration has added to each level by now, to :meth:`resume` from."""
        return self._calibration.offset.copy()

    def resume(self, levels: Sequence[float], offsets: Sequence[float] | FloatArray) -> None:
        """Go on from the offsets of an earlier life; one that is not finite teaches nothing.

        A level that was not followed then stays where the training left it.
        """
        learnt = dict(zip(levels, offsets, strict=True))
        known = self._calibration.offset
        found = np.array([learnt.get(one, np.nan) for one in self.levels], dtype=np.float64)
        self._calibration.offset = np.where(np.isfinite(found), found, known)

    def take_model(self, model: LeadPeakModel) -> None:
        """A newly trained model takes over; what was learnt live about the levels stays.

        The offsets are those of windows that nobody had seen, which the training's are not.
        """
        learnt = self._calibration.offset
        calibration = model.calibration(self.levels)
        calibration.offset = learnt.copy()
        same_window = (model.step, model.lead_steps) == (self.model.step, self.model.lead_steps)
        self.model, self._calibration = model, calibration
        if not same_window:
            self._waiting.clear()

    def decide(self, recent: TrafficSeries, calendar: Calendar = EMPTY_CALENDAR) -> LeadPeak | None:
        """The lead peak from the end of the last observed interval of ``recent`` on.

        ``calendar`` has the events of the workload around that.

        ``recent`` should reach back by ``model.recent`` and one lead window more; it may end in
        gaps. Windows that have passed by then teach first. None where nothing was observed.
        """
        bounds = recent.observed_bounds()
        if bounds is None:
            return None
        row = bounds[1]
        at = recent.start + row * recent.step
        self._learn(recent, at)
        now = float(recent.rate_rps[row - 1])
        ahead = self._look_ahead(recent, calendar)
        onset = None if ahead is None else self._onset(recent, row, ahead)
        if onset is not None:
            return LeadPeak(at, now, self.levels, onset[1], self.model.taught, onset[0])
        track = None if ahead is None else ahead.track
        decisions = decisions_at(
            recent, self.model.path, self.model.lead_steps, np.array([row]), track
        )
        told = self.model.tell(decisions)
        highest = np.array([np.nanmax(recent.rate_rps)])
        peaks = self.model.peaks(told, self._calibration.scores(), highest)[0]
        waiting = _Waiting(at, float(told.location[0]), float(told.scale[0]))
        if not self._waiting or self._waiting[-1].at < at:
            self._waiting.append(waiting)
        return LeadPeak(at, now, self.levels, peaks, self.model.taught)

    def _look_ahead(self, recent: TrafficSeries, calendar: Calendar) -> Ahead | None:
        """What events do around now; None where the model was not told what they bring."""
        model, step = self.model, recent.step
        if model.uplift is None or not (calendar or model.knows_events):
            return None
        steps = len(recent) + ahead_steps(step, model.lead_steps)
        return look_ahead(model.uplift, calendar, model.cutoff, recent.start, step, steps)

    def _onset(
        self, recent: TrafficSeries, row: int, ahead: Ahead
    ) -> tuple[Onset, FloatArray] | None:
        if self.model.path is None or not ahead.onsets:
            return None
        found = onset_peaks(
            recent,
            np.array([row]),
            self.model.lead_steps,
            self.levels,
            self.model.path,
            ahead.foreseen,
            ahead.onsets,
        )
        speaker = int(found.speaker[0])
        return None if speaker < 0 else (ahead.onsets[speaker], found.peak_rps[:, 0])

    def _learn(self, recent: TrafficSeries, now: datetime) -> None:
        step, span = recent.step, (self.model.lead_steps + 1) * recent.step
        while self._waiting and self._waiting[0].at + span <= now:
            passed = self._waiting.popleft()
            first = (passed.at - recent.start) // step
            if first < 0:
                continue
            window = recent.rate_rps[first : first + self.model.lead_steps + 1]
            if np.isnan(window).any():
                continue
            log_peak = np.log(window.max() + epsilon_rps(step))
            self._calibration.learn((log_peak - passed.location) / passed.scale)
