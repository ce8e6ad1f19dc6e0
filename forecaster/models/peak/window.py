"""The lead window: which intervals it holds, and the highest traffic within each."""

from __future__ import annotations

import numpy as np

from forecaster.traffic.history import FloatArray

__all__ = ["lead_peaks"]


def lead_peaks(rate_rps: FloatArray, lead_steps: int, *, whole: bool = True) -> FloatArray:
    """The lead peak at the start of every interval: the highest of intervals i … i + lead_steps.

    Shape as ``rate_rps``. NaN where the window reaches beyond the end, and where it has a gap;
    with ``whole`` False only where nothing in it was observed.

    >>> lead_peaks(np.array([1.0, 4.0, 2.0, 3.0]), 1).tolist()
    [4.0, 4.0, 3.0, nan]
    """
    if lead_steps < 1:
        raise ValueError(f"a lead window needs lead_steps of 1 or more, not {lead_steps}")
    found = np.full(len(rate_rps), np.nan)
    if len(rate_rps) <= lead_steps:
        return found
    low = np.where(np.isnan(rate_rps), -np.inf, rate_rps)
    windows = np.lib.stride_tricks.sliding_window_view(low, lead_steps + 1)
    peaks = windows.max(axis=1)
    if whole:
        peaks = np.where(np.isinf(windows.min(axis=1)), np.nan, peaks)
    found[: len(peaks)] = np.where(np.isinf(peaks), np.nan, peaks)
    return found
