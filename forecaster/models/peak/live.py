"""One workload from step to step: what it says now, and what it learns once a window has passed."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.events.calendar import EMPTY_CALENDAR, Calendar
from forecaster.models.event_onset import Onset, onset_peaks
from forecaster.models.event_track import Ahead, look_ahead
from forecaster.models.peak.features import ahead_steps, decisions_at, epsilon_rps, recent_steps
from forecaster.models.peak.model import LeadPeakModel, Taught
from forecaster.models.peak.online import OnlineCalibration
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["STALE_STEPS", "LeadPeak", "LivePeak"]

STALE_STEPS = 3
"""How many intervals may be missing at the end before live traffic says nothing any more."""
_KEPT = (timedelta(minutes=30), timedelta(minutes=90))


@dataclass(frozen=True, eq=False)
class LeadPeak:
    """Quantiles of the highest traffic within one lead window.

    The window begins at ``at``, the end of the last observed interval, whose traffic was
    ``now_rps``; where traffic is late, it ends later for an onset. ``peak_rps`` has shape
    (len(levels),), traffic per second, not falling. ``onset`` is the event that told it, rather
    than live traffic: it is about to begin.
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


@dataclass(frozen=True, eq=False)
class _LookedAt:
    """What was ahead in a calendar, when it was looked at last."""

    calendar: Calendar
    ahead: Ahead

    def covers(self, first: datetime, step: timedelta, steps: int) -> bool:
        """Whether it has so many intervals from ``first`` on, each of them as a whole."""
        track = self.ahead.track
        place, rest = divmod(first - track.start, step)
        return not rest and 0 <= place <= len(track) - steps


class LivePeak:
    """A model at work on one workload; ``levels`` are the quantiles that are asked of it."""

    def __init__(self, model: LeadPeakModel, levels: tuple[float, ...]) -> None:
        self.model = model
        self._calibration: OnlineCalibration = model.calibration(levels)
        self._waiting: deque[_Waiting] = deque()
        self._looked_at: _LookedAt | None = None

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
        self.model, self._calibration, self._looked_at = model, calibration, None
        if not same_window:
            self._waiting.clear()

    def decide(
        self,
        recent: TrafficSeries,
        calendar: Calendar = EMPTY_CALENDAR,
        now: datetime | None = None,
    ) -> LeadPeak | None:
        """The lead peak from the end of the last observed interval of ``recent`` on.

        ``calendar`` has the events of the workload around that. What traffic says is as of that
        end; an onset is no later for traffic that is late: it is looked for up to one lead window
        after ``now``, of all lead windows from the end on the largest. None: traffic is on time.

        ``recent`` should reach back by ``model.recent`` and one lead window more; it may end in
        gaps. Windows that have passed by then teach first. None where nothing was observed.
        """
        bounds = recent.observed_bounds()
        if bounds is None:
            return None
        row = bounds[1]
        at = recent.start + row * recent.step
        self._learn(recent, at)
        now_rps = float(recent.rate_rps[row - 1])
        late = 0 if now is None else max(0, (now - at) // recent.step)
        late = min(late, recent_steps(recent.step))  # whatever is older than that is stale
        ahead = self._look_ahead(recent, calendar, late)
        spoken = self._onset(recent, row, ahead)
        if spoken is None:
            onset, peaks = None, self._by_traffic(recent, row, ahead)
        else:
            onset, peaks = spoken
        reached = self._onset(recent, row, ahead, late) if late else None
        if reached is not None:
            onset = reached[0] if reached[1][-1] >= peaks[-1] else onset
            peaks = np.maximum(peaks, reached[1])
        return LeadPeak(at, now_rps, self.levels, peaks, self.model.taught, onset)

    def _by_traffic(self, recent: TrafficSeries, row: int, ahead: Ahead | None) -> FloatArray:
        """What live traffic says at the start of interval ``row``; its window is to teach."""
        at = recent.start + row * recent.step
        track = None if ahead is None else ahead.track
        decisions = decisions_at(
            recent, self.model.path, self.model.lead_steps, np.array([row]), track
        )
        told = self.model.tell(decisions)
        highest = np.array([np.nanmax(recent.rate_rps)])
        peaks: FloatArray = self.model.peaks(told, self._calibration.scores(), highest)[0]
        waiting = _Waiting(at, float(told.location[0]), float(told.scale[0]))
        if not self._waiting or self._waiting[-1].at < at:
            self._waiting.append(waiting)
        return peaks

    def _look_ahead(self, recent: TrafficSeries, calendar: Calendar, late: int) -> Ahead | None:
        """What events do around now; None where the model was not told what they bring.

        It is looked for some time further, and kept for as long: it is most of what a decision
        costs, and says the same from step to step while model and calendar are the same.
        """
        model, step = self.model, recent.step
        if model.uplift is None or not (calendar or model.knows_events):
            self._looked_at = None
            return None
        steps = len(recent) + ahead_steps(step, model.lead_steps) + late
        first, kept = recent.start, self._looked_at
        if kept is None or kept.calendar is not calendar or not kept.covers(first, step, steps):
            further = round(_kept_for(model.series_id) / step)
            ahead = look_ahead(model.uplift, calendar, model.cutoff, first, step, steps + further)
            self._looked_at = kept = _LookedAt(calendar, ahead)
        return kept.ahead

    def _onset(
        self, recent: TrafficSeries, row: int, ahead: Ahead | None, late: int = 0
    ) -> tuple[Onset, FloatArray] | None:
        """The onset that speaks in the windows that start at ``row`` or up to ``late`` later."""
        if ahead is None or self.model.path is None or not ahead.onsets:
            return None
        found = onset_peaks(
            recent,
            np.array([row]),
            self.model.lead_steps + late,
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


def _kept_for(series_id: str) -> timedelta:
    """How long what lies ahead is kept: another time for each, so that not all are due at once."""
    shortest, longest = _KEPT
    return shortest + (longest - shortest) * (zlib.crc32(series_id.encode()) % 1000 / 1000)
