"""How long the pieces of a proof take, so that a progress bar can tell what is left.

One unit is one simulated step of one policy: some six microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from forecaster.backtest.proof import FRONTIER_QUANTILES, ProofSettings
from forecaster.backtest.proof_parts import ProofPart

__all__ = ["Meter", "alone_cost", "deciding_cost", "foreseen", "replay_cost", "training_cost"]

_TRAINING = 60_000.0
_TRAINING_PER_STEP = 25.0
_TRAINING_STEPS = 30_000  # more do not teach more
_DECIDING = 7.0
_FITTING = {"holt_winters": 20.0, "prophet": 100.0}  # a model of its own for each day
_ALONE = 30.0
_LINES = {"schedule": 7, "exporter": 5, "outlook": 7, "holt_winters": 7, "prophet": 7}
_LINE = 8.0


class Meter:
    """Counts work against a total that was foreseen, and never goes beyond it."""

    def __init__(self, total: float, progress: Callable[[float, float], None] | None) -> None:
        self._done, self._total, self._progress = 0.0, total, progress

    def add(self, cost: float) -> None:
        """A piece is done."""
        self._done = min(self._total, self._done + cost)
        if self._progress is not None:
            self._progress(self._done, self._total)

    def left_each(self, pieces: int) -> float:
        """The share of what is left for each of the last ``pieces``."""
        return (self._total - self._done) / max(pieces, 1)


def training_cost(part: ProofPart) -> float:
    """One training of the series."""
    known = min(_TRAINING_STEPS, part.series.index_of(part.start))
    return _TRAINING + _TRAINING_PER_STEP * known


def deciding_cost(steps: int) -> float:
    """All decisions of a test."""
    return _DECIDING * steps


def replay_cost(policy: str, steps: int) -> float:
    """One policy over a test."""
    return _FITTING.get(policy, 1.0) * steps


def alone_cost(steps: int) -> float:
    """The sweep of the HPA alone."""
    return _ALONE * steps


def foreseen(asked: ProofSettings, parts: Sequence[ProofPart]) -> float:
    """All the work there will be."""
    lines = sum(_LINES.get(name, 0) for name in asked.policies)
    if "preroll" in asked.policies:
        lines += len({*FRONTIER_QUANTILES, asked.quantile})
    total = 0.0
    for part in parts:
        total += part.origins * training_cost(part) + deciding_cost(part.steps)
        total += sum(replay_cost(name, part.steps) for name in asked.policies)
        if asked.frontier:
            total += alone_cost(part.steps) + lines * _LINE * part.steps
    return total
