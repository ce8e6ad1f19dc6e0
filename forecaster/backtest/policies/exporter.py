"""prescaling-exporter over an HPA: hand-typed daily windows behind a metric of 11, 10, 9 and 0.

Its rules are ``DesiredScaling`` and ``InRangeTime`` of BedrockStreaming/prescaling-exporter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Self

import numpy as np

from forecaster.backtest.hpa import Band, Feedback, ScaleBehavior, ScaleRules, ValueMetric
from forecaster.backtest.policies.base import (
    USUAL_UTILISATION,
    Floor,
    Setting,
    check_factor,
    check_utilisation,
)
from forecaster.backtest.policies.clock_table import ClockDay, clock_days
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.planning.capacity import ScalingRule, replicas_for

__all__ = ["OFF", "DailyWindow", "Exporter", "exporter_floor", "prescale_metric"]

OFF = -1
"""What the exporter wants where it wants nothing."""

_TARGET = 10
_BUSY_SHARE = 0.5
_FACTORS = (0.2, 0.3, 0.38, 0.45, 0.52, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class DailyWindow:
    """``time.start``, ``time.end`` and ``replica.min`` of an HPA's annotations, local time.

    Both ends belong to it. One whose end is before its start was meant to cross midnight, and ends
    at 00:00: after midnight the exporter waits for the start of the new day's window.
    """

    start: time
    end: time
    replicas: int

    def __post_init__(self) -> None:
        if self.replicas < 0:
            raise ValueError(f"a window's replicas are 0 or more, for example 40: {self.replicas}")

    def covers(self, clock_seconds: int) -> bool:
        """Whether the exporter takes the window to be open, so long after midnight."""
        start, end = _seconds(self.start), _seconds(self.end)
        return start <= clock_seconds and (clock_seconds <= end or end < start)

    def times(self, multiplier: int) -> int:
        """Its replicas under an event; a multiplier of 0 counts as 1."""
        return max(multiplier, 1) * self.replicas


@dataclass(frozen=True)
class Exporter:
    """A daily window with a minimum of replicas, reached by +10 % a sync, and an HPA beneath.

    ``window`` None: typed anew every midnight. It spans the clock slots around the busiest one
    whose highest traffic of the last ``days`` days is at least half of the busiest slot's, and its
    replicas are what the busiest one needs × ``factor``. ``multiplier`` is an event's: whole
    numbers only, and 0 counts as 1. There are no day classes: an HPA has one set of annotations.

    It is read by controllers that still act on 11/10 (``Band.DISTANCE``); newer ones ignore it.
    """

    multiplier: int = 1
    factor: float = 1.0
    utilisation: float | None = USUAL_UTILISATION
    window: DailyWindow | None = None
    days: int = 14
    slot: timedelta = timedelta(minutes=30)
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if not isinstance(self.multiplier, int) or self.multiplier < 0:
            raise ValueError(
                f"multiplier must be a whole number, for example 2, not {self.multiplier}"
            )
        check_factor(self.factor)
        check_utilisation(self.utilisation)

    @property
    def name(self) -> str:
        """``exporter``."""
        return "exporter"

    @property
    def setting(self) -> Setting:
        """Factor and multiplier of the window's replicas, and the utilisation beneath."""
        return {
            "factor": self.factor,
            "multiplier": self.multiplier,
            "utilisation": self.utilisation,
        }

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        """The metric, which looks at the replicas of the moment."""
        rule = settings.rule()
        desired = np.full(len(span), OFF, dtype=np.int64)
        for today in clock_days(
            span,
            settings.lead_steps(span.series.step),
            days=self.days,
            slot=self.slot,
            timezone=self.timezone,
            day_classes=False,
        ):
            window = self.window or self._typed(today, rule)
            if window is not None:
                is_open = [window.covers(clock) for clock in today.clock_seconds.tolist()]
                replicas = window.times(self.multiplier)
                desired[today.first : today.last] = np.where(is_open, replicas, OFF)
        return exporter_floor(desired.tolist(), settings.behavior)

    def variants(self) -> tuple[Self, ...]:
        """Parts of what the busiest slot needs, as ``replica.min``: any number can be typed."""
        return tuple(replace(self, factor=factor) for factor in _FACTORS)

    def _typed(self, today: ClockDay, rule: ScalingRule) -> DailyWindow | None:
        """The window that a person would type for the day; None where nothing is known."""
        peaks = np.nan_to_num(today.peaks_rps)
        busiest = int(peaks.argmax())
        if peaks[busiest] <= 0:
            return None
        replicas = int(replicas_for(peaks[[busiest]] * self.factor, rule)[0])
        busy = peaks >= _BUSY_SHARE * peaks[busiest]
        if busy.all():
            return DailyWindow(time(0), time(23, 59, 59), replicas)
        count = len(busy)
        before = next(n for n in range(count) if not busy[busiest - n - 1])
        after = next(n for n in range(count) if not busy[(busiest + n + 1) % count])
        start = (busiest - before) % count * today.slot_seconds
        end = (busiest + after) % count * today.slot_seconds + today.slot_seconds - 1
        return DailyWindow(_clock(start), _clock(end), replicas)


def exporter_floor(
    desired: Sequence[int], behavior: ScaleBehavior | None, *, known: bool = True
) -> Floor:
    """What the HPA gets while the exporter wants ``desired`` replicas at each step, or ``OFF``.

    Unless it is ``known`` its metric has no value. The tolerances of ``behavior`` are left out.
    """

    def answer(step: int, current: int) -> float:
        return float(prescale_metric(desired[step], current)) if known else float("nan")

    return Floor(
        ValueMetric(_TARGET), Feedback(answer), Band.DISTANCE, _without_tolerances(behavior)
    )


def prescale_metric(desired: int, current: int) -> int:
    """11 up, 10 stay, 9 down, 0 off (``desired`` below 0), against an HPA target of 10.

    >>> [prescale_metric(20, current) for current in (19, 20, 22, 23)], prescale_metric(-1, 5)
    ([11, 10, 10, 9], 0)
    """
    if desired < 0:
        return 0
    if current < desired:
        return 11
    return 9 if (current - desired) * 10 > desired else 10


def _without_tolerances(behavior: ScaleBehavior | None) -> ScaleBehavior | None:
    """Controllers that act on 11/10 are older than ``tolerance`` in a behavior."""
    if behavior is None:
        return None

    def older(rules: ScaleRules) -> ScaleRules:
        return replace(rules, tolerance_ratio=None)

    return ScaleBehavior(older(behavior.scale_up), older(behavior.scale_down))


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _clock(seconds: int) -> time:
    seconds = min(seconds, 86_399)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
