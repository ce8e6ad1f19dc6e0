"""From what the metrics ask for to what is done about it: windows, rates, minimum and maximum.

Two code paths in Kubernetes (``horizontal.go``), and so two classes here, of one shape.
"""

from __future__ import annotations

import math
from typing import Protocol

from forecaster.backtest.hpa.memory import RecentHighest, ScaleEvents
from forecaster.backtest.hpa.spec import (
    HpaSpec,
    PolicyType,
    ScaleBehavior,
    ScaleRules,
    SelectPolicy,
)

__all__ = ["BehaviorLimits", "Limits", "PlainLimits", "limits_for"]


class Limits(Protocol):
    """How a recommendation becomes a replica count."""

    def begin(self, t_seconds: float, current: int) -> None:
        """The first sync ever: what runs already counts as recommended."""

    def desired(self, t_seconds: float, current: int, recommended: int) -> int:
        """The replicas to ask for at this sync, remembering the recommendation."""

    def scaled(self, t_seconds: float, before: int, after: int) -> None:
        """The replicas were changed."""

    def repeat(self, t_seconds: float) -> None:
        """Syncs like the last one went by without effect, the last of them at ``t_seconds``."""

    def quiet_until(self, t_seconds: float) -> float:
        """After a sync without effect: until when its like has none, all else being equal."""


class PlainLimits:
    """Without ``behavior``: up by ``max(2 × current, 4)``, one memory for both directions."""

    def __init__(self, spec: HpaSpec) -> None:
        self._min = spec.min_replicas
        self._max = spec.max_replicas
        self._highest = RecentHighest(spec.downscale_stabilization_seconds)

    def begin(self, t_seconds: float, current: int) -> None:
        """The first sync ever: what runs already counts as recommended."""
        self._highest.push(t_seconds, current)

    def desired(self, t_seconds: float, current: int, recommended: int) -> int:
        """The highest recent recommendation, within minimum, maximum and one doubling.

        With 7 running and 50 wanted: 14, then 28, then 50.
        """
        highest = self._highest.push(t_seconds, recommended)
        return max(min(highest, self._max, max(2 * current, 4)), self._min)

    def scaled(self, t_seconds: float, before: int, after: int) -> None:
        """Nothing to remember: this path limits the total of one sync only."""

    def repeat(self, t_seconds: float) -> None:
        """Syncs like the last one went by without effect, the last of them at ``t_seconds``."""
        self._highest.repeat(t_seconds)

    def quiet_until(self, t_seconds: float) -> float:
        """After a sync without effect: until when its like has none, all else being equal."""
        del t_seconds
        return self._highest.lasts_until()


class BehaviorLimits:
    """With ``behavior``: a window and rate policies for each direction."""

    def __init__(self, spec: HpaSpec, behavior: ScaleBehavior) -> None:
        self._min = spec.min_replicas
        self._max = spec.max_replicas
        self._up = behavior.scale_up
        self._down = behavior.scale_down
        self._highest = RecentHighest(self._down.stabilization_window_seconds)
        self._lowest_negated = RecentHighest(self._up.stabilization_window_seconds)
        keep = max(self._up.longest_period_seconds, self._down.longest_period_seconds)
        self._added = ScaleEvents(keep)
        self._removed = ScaleEvents(keep)
        self._held_back = False

    def begin(self, t_seconds: float, current: int) -> None:
        """The first sync ever: what runs already counts as recommended."""
        self._highest.push(t_seconds, current)
        self._lowest_negated.push(t_seconds, -current)

    def desired(self, t_seconds: float, current: int, recommended: int) -> int:
        """No further up than the lowest, nor down than the highest recent recommendation.

        Then no faster than the policies allow: with the defaults and 1 running, 7 wanted: 5, 7.
        """
        at_least = -self._lowest_negated.push(t_seconds, -recommended)
        at_most = self._highest.push(t_seconds, recommended)
        stable = min(max(current, at_least), at_most)
        self._held_back = stable != current
        if stable > current:
            return min(stable, self._max, max(self._ceiling(t_seconds, current), current))
        if stable < current:
            return max(stable, self._min, min(self._floor(t_seconds, current), current))
        return current

    def scaled(self, t_seconds: float, before: int, after: int) -> None:
        """The replicas were changed: the policies count it."""
        if after > before:
            self._added.add(t_seconds, after - before)
        else:
            self._removed.add(t_seconds, before - after)

    def repeat(self, t_seconds: float) -> None:
        """Syncs like the last one went by without effect, the last of them at ``t_seconds``."""
        self._highest.repeat(t_seconds)
        self._lowest_negated.repeat(t_seconds)

    def quiet_until(self, t_seconds: float) -> float:
        """After a sync without effect: until when its like has none, all else being equal."""
        until = min(self._highest.lasts_until(), self._lowest_negated.lasts_until())
        if self._held_back:  # by a policy, perhaps: until an event leaves its period
            for policy in self._up.policies + self._down.policies:
                for events in (self._added, self._removed):
                    until = min(until, events.next_expiry(t_seconds, policy.period_seconds))
        return until

    def _at_period_start(self, t_seconds: float, current: int, period_seconds: float) -> int:
        added = self._added.within(t_seconds, period_seconds)
        return current - added + self._removed.within(t_seconds, period_seconds)

    def _ceiling(self, t_seconds: float, current: int) -> int:
        return self._select(
            current,
            self._up,
            [
                start + policy.value
                if policy.type is PolicyType.PODS
                else math.ceil(start * (1 + policy.value / 100))
                for policy in self._up.policies
                for start in [self._at_period_start(t_seconds, current, policy.period_seconds)]
            ],
        )

    def _floor(self, t_seconds: float, current: int) -> int:
        # Negated, so that for both directions the largest change is the highest number.
        return -self._select(
            -current,
            self._down,
            [
                policy.value - start
                if policy.type is PolicyType.PODS
                else -int(start * (1 - policy.value / 100))
                for policy in self._down.policies
                for start in [self._at_period_start(t_seconds, current, policy.period_seconds)]
            ],
        )

    @staticmethod
    def _select(current: int, rules: ScaleRules, proposals: list[int]) -> int:
        match rules.select_policy:
            case SelectPolicy.DISABLED:
                return current
            case SelectPolicy.MIN:
                return min(proposals)
            case SelectPolicy.MAX:
                return max(proposals)


def limits_for(spec: HpaSpec) -> Limits:
    """The code path that ``spec`` takes."""
    return PlainLimits(spec) if spec.behavior is None else BehaviorLimits(spec, spec.behavior)
