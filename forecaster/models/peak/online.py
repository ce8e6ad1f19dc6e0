"""Adaptive online calibration: a quantile that was exceeded too often rises until it is not.

A score is u = (log peak − location) / scale of a window that has been lived through. For each level
q an offset θ follows the score's quantile as in conformal PID control (Angelopoulos, Candès,
Tibshirani 2023): θ rises by γ·q when u was above it and falls by γ·(1 − q) when it was not. Over
T decisions observed coverage then differs from q by (θ_T − θ_0) / (γT), whatever traffic does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from forecaster.traffic.history import FloatArray

__all__ = ["OnlineCalibration", "gain_per_step"]

_GAIN_PER_DAY = 21.0


def gain_per_step(step: timedelta) -> float:
    """γ, in units of the score: it corrects as much a day at every step, at most 0.4 at once."""
    return min(0.4, _GAIN_PER_DAY * (step / timedelta(days=1)))


@dataclass(eq=False)
class OnlineCalibration:
    """The offsets θ of several levels; ``base`` are the score's quantiles before any feedback.

    Arrays have shape (len(levels),). It changes with :meth:`learn`, and only with that.
    """

    levels: tuple[float, ...]
    base: FloatArray
    gain: float
    offset: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels must rise: {self.levels}")
        if len(self.offset) == 0:
            self.offset = np.zeros(len(self.levels))
        self._q = np.array(self.levels)

    def scores(self) -> FloatArray:
        """The score at each level, not falling along them."""
        return np.maximum.accumulate(self.base + self.offset)

    def learn(self, score: float) -> None:
        """One window was lived through; NaN teaches nothing."""
        if np.isnan(score):
            return
        above = score > self.base + self.offset
        self.offset = self.offset + self.gain * np.where(above, self._q, self._q - 1.0)

    def learn_all(self, scores: Sequence[float] | FloatArray) -> FloatArray:
        """Live through ``scores`` in order; what :meth:`scores` said before each, (n, levels)."""
        said = np.empty((len(scores), len(self.levels)))
        for index, score in enumerate(scores):
            said[index] = self.scores()
            self.learn(float(score))
        return said
