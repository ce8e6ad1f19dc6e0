"""The same autoscaler once more, second by second, with whole histories and no short cuts.

Written to be slow and obvious; the simulator must agree with it on anything made of whole seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from forecaster.backtest.hpa import (
    AverageValueMetric,
    Feedback,
    HpaSpec,
    Metric,
    PolicyType,
    ResourceMetric,
    ScaleRules,
    SelectPolicy,
    Signal,
    Source,
)

__all__ = ["SlowHpa", "slow_simulation"]


@dataclass
class SlowHpa:
    """A controller that forgets nothing and looks through everything at each sync."""

    spec: HpaSpec
    recommendations: list[tuple[float, int]] = field(default_factory=list)
    changes: list[tuple[float, int]] = field(default_factory=list)

    def sync(self, t: float, current: int, values: Sequence[float], ready: int) -> int:
        if not self.recommendations:
            self.recommendations.append((t, current))
        desired = self._desired(t, current, values, ready)
        if desired != current:
            self.changes.append((t, desired - current))
        return desired

    def _desired(self, t: float, current: int, values: Sequence[float], ready: int) -> int:
        spec = self.spec
        if current == 0:
            return 0
        if current > spec.max_replicas:
            return spec.max_replicas
        if current < spec.min_replicas:
            return spec.min_replicas
        asked = [
            None if math.isnan(value) else self._asked(metric, Fraction(str(value)), current, ready)
            for metric, value in zip(spec.metrics, values, strict=True)
        ]
        known = [one for one in asked if one is not None]
        if not known or (len(known) < len(asked) and max(known) < current):
            return current
        self.recommendations.append((t, max(known)))
        if spec.behavior is None:
            highest = max([*self._recent(t, spec.downscale_stabilization_seconds), max(known)])
            highest = min(highest, max(4, current + current), spec.max_replicas)
            return max(highest, spec.min_replicas)
        up, down = spec.behavior.scale_up, spec.behavior.scale_down
        lowest = min([*self._recent(t, up.stabilization_window_seconds), max(known)])
        highest = max([*self._recent(t, down.stabilization_window_seconds), max(known)])
        if lowest > current:
            rate = self._rate(t, current, up, upwards=True)
            return min(lowest, spec.max_replicas, max(rate, current))
        if highest < current:
            rate = self._rate(t, current, down, upwards=False)
            return max(highest, spec.min_replicas, min(rate, current))
        return current

    def _recent(self, t: float, window: float) -> list[int]:
        return [replicas for at, replicas in self.recommendations if t - at < window]

    def _rate(self, t: float, current: int, rules: ScaleRules, *, upwards: bool) -> int:
        if rules.select_policy is SelectPolicy.DISABLED:
            return current
        limits = []
        for policy in rules.policies:
            start = current
            for at, change in self.changes:
                if t - at < policy.period_seconds:
                    start -= change
            sign = 1 if upwards else -1
            if policy.type is PolicyType.PODS:
                limits.append(start + sign * policy.value)
            elif upwards:
                limits.append(math.ceil(start * (1 + policy.value / 100)))
            else:
                limits.append(math.trunc(start * (1 - policy.value / 100)))
        widest = (rules.select_policy is SelectPolicy.MAX) == upwards
        return max(limits) if widest else min(limits)

    def _near(self, ratio: Fraction) -> bool:
        tolerance = self.spec.tolerance
        low = 1 - Fraction(str(tolerance.down_ratio))
        return low <= ratio <= 1 + Fraction(str(tolerance.up_ratio))

    def _asked(self, metric: Metric, value: Fraction, current: int, ready: int) -> int | None:
        if isinstance(metric, ResourceMetric):
            return self._asked_by_usage(metric, value, current, ready)
        target = Fraction(str(metric.target))
        if isinstance(metric, AverageValueMetric):
            near = self._near(value / (target * current))
            return current if near else math.ceil(value / target)
        return self._times(value / target, ready, current)

    def _asked_by_usage(
        self, metric: ResourceMetric, value: Fraction, current: int, ready: int
    ) -> int | None:
        if ready == 0:
            return None
        each = value / ready
        if metric.limit_percent is not None:
            each = min(each, Fraction(metric.limit_percent, 100))
        pods = [each] * ready
        ratio = Fraction(math.floor(sum(pods) / len(pods) * 100), metric.target_percent)
        if ready < current and ratio > 1:
            pods += [Fraction(0)] * (current - ready)
            ratio = Fraction(math.floor(sum(pods) / len(pods) * 100), metric.target_percent)
            if ratio < 1:
                return current
        return self._times(ratio, len(pods), current)

    def _times(self, ratio: Fraction, pods: int, current: int) -> int:
        # In floating point, as Kubernetes has it: 14 % of 50 pods are 8.
        return current if self._near(ratio) else math.ceil(float(ratio) * pods)


def slow_simulation(
    spec: HpaSpec,
    sources: Sequence[Source],
    *,
    steps: int,
    step: int,
    startup: Sequence[int],
    initial: int,
    rng: np.random.Generator,
) -> tuple[list[int], list[int]]:
    """Replicas asked for and ready in each second."""
    sync, poll = int(spec.sync_seconds), int(spec.keda.polling_interval_seconds)
    first_seen = [
        0 if isinstance(one, Feedback) else int(one.delay_seconds) + (0 if one.served else step)
        for one in sources
    ]
    begin = -(-max(first_seen) // sync) * sync

    def visible(which: int, second: int) -> float:
        source = sources[which]
        assert isinstance(source, Signal)
        return float(source.values[(second - first_seen[which]) // step])

    hpa = SlowHpa(spec)
    pods = [-1] * initial  # when each is ready, in the order asked for
    failures = [0] * len(sources)
    asked, ready = [], []

    def read(which: int, second: int) -> float:
        """What a trigger gives, and the count of its failures."""
        value = visible(which, second)
        failures[which] = failures[which] + 1 if math.isnan(value) else 0
        return value

    def value_at_sync(which: int, second: int) -> float:
        source, metric = sources[which], spec.metrics[which]
        if isinstance(source, Feedback):
            return source.answer(second // step, len(pods))
        if not isinstance(metric, AverageValueMetric):
            return visible(which, second)
        at = max(second // poll * poll, first_seen[which]) if metric.cached else second
        value = read(which, at)
        fallback = spec.keda.fallback
        if fallback is not None and failures[which] > fallback.failure_threshold:
            return fallback.replicas_at(len(pods)) * metric.target
        return value

    for second in range(steps * step):
        if second >= begin and second % poll == 0:
            for which, source in enumerate(sources):
                if isinstance(source, Signal):
                    read(which, second)
        if second >= begin and second % sync == 0:
            values = [value_at_sync(which, second) for which in range(len(sources))]
            now_ready = sum(at <= second for at in pods)
            desired = hpa.sync(second, len(pods), values, now_ready)
            if desired > len(pods):
                more = desired - len(pods)
                drawn = (
                    rng.choice(np.asarray(startup, dtype=float), size=more)
                    if len(startup) > 1
                    else [startup[0]] * more
                )
                pods += [second + int(one) for one in drawn]
            while desired < len(pods):
                starting = [index for index, at in enumerate(pods) if at > second]
                del pods[starting[-1] if starting else -1]
        asked.append(len(pods))
        ready.append(sum(at <= second for at in pods))
    return asked, ready
