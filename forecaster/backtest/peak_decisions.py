"""Every decision of a test span, calibrated from step to step as the service would have done it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from forecaster.backtest.late_traffic import last_spoken
from forecaster.backtest.peak_origins import PeakOrigin
from forecaster.models.peak.features import epsilon_rps, recent_steps
from forecaster.models.peak.live import STALE_STEPS
from forecaster.models.peak.model import Taught, Telling, peak_rates
from forecaster.models.peak.online import OnlineCalibration
from forecaster.models.peak.window import lead_peaks
from forecaster.traffic.history import FloatArray, TrafficSeries

__all__ = ["PeakDecisions", "decide"]


@dataclass(frozen=True, eq=False)
class PeakDecisions:
    """A decision at every step of the test span, from ``start`` on.

    ``peak_rps`` has shape (levels, steps), traffic per second, rising along the levels and finite;
    ``observed_rps`` (steps,) is the lead peak that came, NaN where its window has a gap or reaches
    beyond the series; ``live`` (steps,) is whether live traffic spoke, rather than the outlook, and
    ``spoke`` whether either did: elsewhere the service answers 503, and a value only stands in;
    ``median_rps`` (steps,) is the outlook's day-ahead median.
    """

    series: TrafficSeries
    start: datetime
    lead_steps: int
    levels: tuple[float, ...]
    peak_rps: FloatArray
    observed_rps: FloatArray
    live: NDArray[np.bool_]
    spoke: NDArray[np.bool_]
    median_rps: FloatArray
    taught: tuple[Taught, ...]
    reasons: tuple[str, ...]

    def served(self, level: float) -> FloatArray:
        """One level's decisions as KEDA gets them: NaN, a 503, where nobody spoke."""
        row: FloatArray = np.where(self.spoke, self.at(level), np.nan)
        return row

    def at(self, level: float) -> FloatArray:
        """One level's decisions; ValueError for a level that was not asked."""
        row: FloatArray = self.peak_rps[self.levels.index(level)]
        return row


def decide(
    series: TrafficSeries, origins: Sequence[PeakOrigin], lead_steps: int, levels: Sequence[float]
) -> PeakDecisions:
    """Every decision of the span that ``origins`` cover, in whatever order they came.

    At each step calibration has learnt from the windows that had passed by then, no other. Traffic
    speaks as of the last interval that was observed, onsets as of the step itself.
    """
    ordered = sorted(origins, key=lambda one: one.cutoff)
    asked = tuple(sorted(set(levels)))
    start = ordered[0].cutoff
    first = series.index_of(start)
    steps = sum(len(one.location) for one in ordered)
    location = np.concatenate([one.location for one in ordered])
    scale = np.concatenate([one.scale for one in ordered])
    fallback = np.concatenate([one.fallback_rps for one in ordered], axis=1)
    peaks = lead_peaks(series.rate_rps, lead_steps)[first : first + steps]
    epsilon = epsilon_rps(series.step)
    with np.errstate(invalid="ignore"):
        passed = (np.log(peaks + epsilon) - location) / scale
    onsets = _onsets([one.onset_rps for one in ordered], ordered, len(asked))
    late = _onsets([one.late_onset_rps for one in ordered], ordered, len(asked))
    by_onset = np.asarray(~np.isnan(onsets).any(axis=0))
    passed = np.where(by_onset, np.nan, passed)
    said = _calibrated(ordered, passed, lead_steps, asked)
    rates = series.rate_rps[: first + steps]
    row, age = last_spoken(rates, first, steps)
    highest = np.fmax(
        _highest_recent(rates, first, steps, recent_steps(series.step)),
        np.concatenate([np.full(len(one.location), one.highest_rps) for one in ordered]),
    )
    usable = (row >= 0) & ((age <= STALE_STEPS) | np.isnan(fallback).all(axis=0))
    at = np.where(usable, np.maximum(row, 0), 0)
    usable &= ~np.isnan(location[at])
    told = peak_rates(Telling(location[at], scale[at]), said, highest[at], epsilon).T
    told = np.where(by_onset[at], onsets[:, at], told)  # as of the last interval that was observed
    told = np.fmax(told, late)
    peak = np.where(usable, told, fallback)
    live = usable & (age <= STALE_STEPS)
    # Neither live traffic nor an outlook: the last traffic that was seen is all there is.
    peak = np.where(np.isnan(peak), _last_seen(rates, first, steps), peak)
    return PeakDecisions(
        series=series,
        start=start,
        lead_steps=lead_steps,
        levels=asked,
        peak_rps=np.maximum.accumulate(peak, axis=0),
        observed_rps=peaks,
        live=live,
        spoke=live | ~np.isnan(fallback).any(axis=0),
        median_rps=np.concatenate([one.median_rps for one in ordered]),
        taught=tuple(dict.fromkeys(one.taught for one in ordered if one.taught is not None)),
        reasons=tuple(dict.fromkeys(one.reason for one in ordered if one.reason)),
    )


def _onsets(
    told: Sequence[FloatArray | None], ordered: Sequence[PeakOrigin], levels: int
) -> FloatArray:
    """What the onsets of events tell, shape (levels, steps); NaN where none speaks."""
    return np.concatenate(
        [
            np.full((levels, len(origin.location)), np.nan) if one is None else one
            for one, origin in zip(told, ordered, strict=True)
        ],
        axis=1,
    )


def _calibrated(
    ordered: Sequence[PeakOrigin], scores: FloatArray, lead_steps: int, levels: tuple[float, ...]
) -> FloatArray:
    """The score at each level that each step's decision uses, shape (steps, levels)."""
    said = np.empty((len(scores), len(levels)))
    calibration: OnlineCalibration | None = None
    step = 0
    for origin in ordered:
        if origin.taught is not None:
            offset = origin.offsets if calibration is None else calibration.offset
            calibration = OnlineCalibration(levels, origin.base, origin.gain, offset.copy())
        for _ in range(len(origin.location)):
            if calibration is not None:
                if step > lead_steps:
                    calibration.learn(float(scores[step - lead_steps - 1]))
                said[step] = calibration.scores()
            else:
                said[step] = np.nan
            step += 1
    return said


def _highest_recent(rates: FloatArray, first: int, steps: int, width: int) -> FloatArray:
    """The highest of the ``width`` intervals before each step; NaN where all are gaps."""
    low = np.where(np.isnan(rates), -np.inf, rates)
    padded = np.concatenate([np.full(width, -np.inf), low])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[first : first + steps]
    highest = windows.max(axis=1)
    return np.where(np.isinf(highest), np.nan, highest)


def _last_seen(rates: FloatArray, first: int, steps: int) -> FloatArray:
    seen = np.where(~np.isnan(rates), np.arange(len(rates)), -1)
    last = np.maximum.accumulate(seen)[first - 1 : first + steps - 1]
    return np.where(last >= 0, rates[np.maximum(last, 0)], 0.0)
