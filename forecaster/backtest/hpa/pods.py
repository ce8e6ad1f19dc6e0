"""The replicas of one workload: those asked for, and those of them that are ready."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.backtest.hpa.timeline import ReplicaTimeline

__all__ = ["Pods", "StartUpTime"]


@dataclass(frozen=True)
class StartUpTime:
    """How long from "asked for" to "ready", in seconds.

    One sample is a constant; of several, each pod draws its own.
    """

    samples_seconds: tuple[float, ...]

    def __init__(self, samples_seconds: float | Sequence[float]) -> None:
        samples = (
            (float(samples_seconds),)
            if isinstance(samples_seconds, int | float)
            else tuple(float(sample) for sample in samples_seconds)
        )
        object.__setattr__(self, "samples_seconds", samples)
        if not samples or not all(0 <= sample < math.inf for sample in samples):
            raise ValueError(
                "a start-up time is one or more finite numbers of seconds, none negative, "
                f"for example 90 or [45, 60, 240], not {samples_seconds!r}"
            )

    def draw(self, pods: int, rng: np.random.Generator | None) -> list[tuple[float, int]]:
        """Start-up times of ``pods`` new pods, as (seconds, so many pods).

        ValueError where there is something to draw and no generator to draw it with.
        """
        if len(self.samples_seconds) == 1:
            return [(self.samples_seconds[0], pods)]
        if rng is None:
            raise ValueError(
                "several start-up times are drawn from, and that needs a generator: "
                "give rng=numpy.random.default_rng(7)"
            )
        drawn = rng.choice(np.asarray(self.samples_seconds), size=pods)
        return [(seconds, 1) for seconds in drawn.tolist()]


class Pods:
    """Replicas asked for and ready, from ``replicas`` ready ones at 0 s.

    Fewer replicas are fewer at once; the youngest of those still starting go first, as a
    ReplicaSet picks them, and ready ones only after these. Time may not run backwards. ValueError
    where ``replicas`` is negative.
    """

    def __init__(
        self, replicas: int, startup: StartUpTime, rng: np.random.Generator | None = None
    ) -> None:
        if replicas < 0:
            raise ValueError(f"replicas are 0 or more, for example 1, not {replicas}")
        self._startup = startup
        self._rng = rng
        self._asked = replicas
        self._ready = replicas
        self._starting: list[tuple[float, int]] = []  # (ready at, pods), in the order asked for
        self._next_ready_seconds = math.inf
        self._asked_log: list[tuple[float, int]] = [(0.0, replicas)]
        self._ready_log: list[tuple[float, int]] = [(0.0, replicas)]

    @property
    def asked(self) -> int:
        """The replicas asked for last."""
        return self._asked

    @property
    def next_ready_seconds(self) -> float:
        """When the next pod becomes ready, as things stand; infinity where none is starting."""
        return self._next_ready_seconds

    def ready(self, t_seconds: float) -> int:
        """The pods that are ready at ``t_seconds``."""
        if t_seconds >= self._next_ready_seconds:
            self._advance(t_seconds)
        return self._ready

    def scale_to(self, t_seconds: float, replicas: int) -> None:
        """Ask for ``replicas`` from ``t_seconds`` on."""
        self._advance(t_seconds)
        more = replicas - self._asked
        if more > 0:
            for seconds, pods in self._startup.draw(more, self._rng):
                self._starting.append((t_seconds + seconds, pods))
        else:
            self._remove(t_seconds, -more)
        self._asked = replicas
        self._asked_log.append((t_seconds, replicas))
        self._next_ready_seconds = min((at for at, _ in self._starting), default=math.inf)
        self.ready(t_seconds)

    def asked_timeline(self, step_seconds: float, steps: int) -> ReplicaTimeline:
        """The replicas asked for: what is paid."""
        return _timeline(self._asked_log, step_seconds, steps)

    def ready_timeline(self, step_seconds: float, steps: int) -> ReplicaTimeline:
        """The replicas ready: what serves."""
        self._advance(step_seconds * steps)
        return _timeline(self._ready_log, step_seconds, steps)

    def _remove(self, t_seconds: float, fewer: int) -> None:
        while fewer and self._starting:
            at, pods = self._starting.pop()
            if pods > fewer:
                self._starting.append((at, pods - fewer))
            fewer -= min(pods, fewer)
        if fewer:
            self._ready -= fewer
            self._ready_log.append((t_seconds, self._ready))

    def _advance(self, t_seconds: float) -> None:
        if t_seconds < self._next_ready_seconds:
            return
        for at, pods in sorted(entry for entry in self._starting if entry[0] <= t_seconds):
            self._ready += pods
            self._ready_log.append((at, self._ready))
        self._starting = [entry for entry in self._starting if entry[0] > t_seconds]
        self._next_ready_seconds = min((at for at, _ in self._starting), default=math.inf)


def _timeline(log: list[tuple[float, int]], step_seconds: float, steps: int) -> ReplicaTimeline:
    seconds, replicas = zip(*log, strict=True)
    return ReplicaTimeline(
        np.array(seconds, dtype=np.float64),
        np.array(replicas, dtype=np.int64),
        step_seconds,
        steps,
    )
