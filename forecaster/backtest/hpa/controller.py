"""The HPA controller: at every sync, how many replicas to ask for.

Rules: ``horizontal.go`` of Kubernetes 1.36, checked against a recording of a real controller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from forecaster.backtest.hpa.limits import limits_for
from forecaster.backtest.hpa.metrics import FAILED, thousandths
from forecaster.backtest.hpa.spec import HpaSpec

__all__ = ["HpaController"]


class HpaController:
    """One workload's controller: its specification and what it remembers of the last minutes.

    Syncs are given in order of time. Time is in seconds from any origin.

    >>> from forecaster.backtest.hpa.metrics import AverageValueMetric
    >>> controller = HpaController(HpaSpec((AverageValueMetric(target=1),)))
    >>> controller.sync(0, 1, [7.0]), controller.sync(15, 4, [7.0])
    (4, 7)
    """

    def __init__(self, spec: HpaSpec) -> None:
        self.spec = spec
        self._limits = limits_for(spec)
        self._tolerance = spec.tolerance
        self._begun = False
        self._remembered = False

    def sync(
        self,
        t_seconds: float,
        current_replicas: int,
        metric_values: Sequence[float],
        ready_replicas: int | None = None,
    ) -> int:
        """The replicas asked for from ``t_seconds`` on.

        ``metric_values`` has one value per metric of the specification, in its own unit, NaN where
        the metric fails; ``ready_replicas`` None: all of them. ValueError where the number of
        values is wrong or one is negative or infinite.
        """
        if len(metric_values) != len(self.spec.metrics):
            raise ValueError(
                f"one value for each of {len(self.spec.metrics)} metrics is needed, "
                f"not {len(metric_values)}"
            )
        ready = current_replicas if ready_replicas is None else ready_replicas
        values = [thousandths(value) for value in metric_values]
        recommended = self.recommend(current_replicas, ready, values)
        return self.decide(t_seconds, current_replicas, recommended)

    def recommend(self, current: int, ready: int, values: Sequence[int]) -> int | None:
        """The highest that any metric asks for, before limits; None: hold.

        ``values`` are in thousandths, FAILED where a metric fails. With one failed the others may
        still ask for more, never for fewer.
        """
        if current == 0:
            return None
        highest = -1
        failed = False
        for metric, value in zip(self.spec.metrics, values, strict=True):
            asked = (
                None if value == FAILED else metric.replicas(value, current, ready, self._tolerance)
            )
            if asked is None:
                failed = True
            elif asked > highest:
                highest = asked
        if highest < 0 or (failed and highest < current):
            return None
        return highest

    def decide(self, t_seconds: float, current: int, recommended: int | None) -> int:
        """The replicas asked for from ``t_seconds`` on, remembering recommendation and change."""
        if not self._begun:
            self._begun = True
            self._limits.begin(t_seconds, current)
        self._remembered = False
        spec = self.spec
        if current == 0:  # switched off by hand, or by KEDA
            return 0
        if current > spec.max_replicas:
            desired = spec.max_replicas
        elif current < spec.min_replicas:
            desired = spec.min_replicas
        elif recommended is None:
            return current
        else:
            self._remembered = True
            desired = self._limits.desired(t_seconds, current, recommended)
        if desired != current:
            self._limits.scaled(t_seconds, current, desired)
        return desired

    def quiet_until(self, t_seconds: float) -> float:
        """After ``decide`` at ``t_seconds`` changed nothing: until when it will not.

        Syncs before then, with the same values and replicas, need not be made: ``repeat`` them.
        """
        return self._limits.quiet_until(t_seconds) if self._remembered else math.inf

    def repeat(self, t_seconds: float) -> None:
        """Stand for all syncs left out since the last one; the last of them is at ``t_seconds``."""
        if self._remembered:
            self._limits.repeat(t_seconds)
