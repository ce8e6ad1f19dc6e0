"""A replica count over time, and what it was within each step of the trace."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.planning.capacity import IntArray
from forecaster.traffic.history import FloatArray

__all__ = ["ReplicaTimeline"]


@dataclass(frozen=True, eq=False)
class ReplicaTimeline:
    """``replicas[i]`` from ``seconds[i]`` on, until the next change; both have shape (changes,).

    ``seconds`` begins with 0 and does not fall; of several changes at one instant the last counts.
    The timeline ends after ``steps`` steps of ``step_seconds``; what lies beyond is not counted.
    The answers per step have shape (steps,) and are exact: a replica that was there for 20 s of a
    step of 60 s counts for a third.
    """

    seconds: FloatArray
    replicas: IntArray
    step_seconds: float
    steps: int

    @cached_property
    def _pieces(self) -> tuple[IntArray, FloatArray, IntArray]:
        """Cut at changes and steps: replicas and length of each piece, each step's first piece."""
        edges = np.arange(self.steps) * self.step_seconds
        end = self.steps * self.step_seconds
        cuts = np.union1d(edges, self.seconds[self.seconds < end])
        lengths = np.diff(cuts, append=end)
        return self.at(cuts), lengths, np.searchsorted(cuts, edges)

    def at(self, at_seconds: FloatArray) -> IntArray:
        """The replicas at each instant, of any shape; a change counts from its own instant on."""
        return self.replicas[np.searchsorted(self.seconds, at_seconds, side="right") - 1]

    def after(self, steps: int) -> ReplicaTimeline:
        """What is left when the first ``steps`` steps are taken away; it begins with 0 again."""
        offset = steps * self.step_seconds
        current = int(np.searchsorted(self.seconds, offset, side="right")) - 1
        return ReplicaTimeline(
            seconds=np.concatenate([[0.0], self.seconds[current + 1 :] - offset]),
            replicas=self.replicas[current:],
            step_seconds=self.step_seconds,
            steps=self.steps - steps,
        )

    def mean(self) -> FloatArray:
        """The mean of each step; times ``step_seconds / 3600`` it is replica-hours."""
        replicas, lengths, starts = self._pieces
        return np.add.reduceat(replicas * lengths, starts) / self.step_seconds

    def lowest(self) -> IntArray:
        """The lowest count of each step."""
        replicas, _, starts = self._pieces
        return np.minimum.reduceat(replicas, starts)

    def short_of(self, needed: FloatArray) -> FloatArray:
        """How many replicas were missing, on average over each step, to ``needed`` replicas.

        ``needed`` has shape (steps,) and may be fractional: traffic over capacity. What is over at
        one instant does not make up for what is missing at another. NaN stays NaN.

        With 2 replicas for 30 s and 5 for the rest of a minute in which 4 are needed: 1.0.
        """
        replicas, lengths, starts = self._pieces
        step_of = np.repeat(np.arange(self.steps), np.diff(starts, append=len(lengths)))
        missing = np.maximum(needed[step_of] - replicas, 0.0)
        return np.add.reduceat(missing * lengths, starts) / self.step_seconds
