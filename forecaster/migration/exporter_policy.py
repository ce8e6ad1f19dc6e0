"""The exporter with the windows and events that it really has, in front of the old HPA.

Its faults are kept as they are (``InRangeTime`` of ``utils.go``, ``Current`` of
``prescaling_event.go`` and ``DesiredScaling`` of BedrockStreaming/prescaling-exporter): what
crosses midnight ends there, the first of several events by name counts, it takes the place of the
daily window, and an HPA without a window has no value at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.backtest.hpa import ScaleBehavior
from forecaster.backtest.policies.base import Floor, Setting, check_utilisation
from forecaster.backtest.policies.exporter import OFF, DailyWindow, exporter_floor
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.migration.exporter_objects import OldEvent
from forecaster.planning.capacity import IntArray

__all__ = ["OldExporter", "exporter_replicas"]


@dataclass(frozen=True)
class OldExporter:
    """``window`` is the HPA's own, ``events`` are all there are, in the API server's order.

    ``behavior`` is the old HPA's. It is read by controllers that still act on 11/10
    (``Band.DISTANCE``), which is kind to it: newer ones ignore exactly 10 %.
    """

    window: DailyWindow | None
    events: tuple[OldEvent, ...]
    timezone: str
    utilisation: float | None
    behavior: ScaleBehavior | None = None

    def __post_init__(self) -> None:
        check_utilisation(self.utilisation)

    @property
    def name(self) -> str:
        """``exporter``."""
        return "exporter"

    @property
    def setting(self) -> Setting:
        """The utilisation beneath, and the window's replicas."""
        replicas = None if self.window is None else self.window.replicas
        return {"replicas": replicas, "utilisation": self.utilisation}

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        """The metric, which looks at the replicas of the moment; it fails without a window."""
        del settings
        zone = ZoneInfo(self.timezone)
        starts = [span.at(step * span.step_seconds).astimezone(zone) for step in range(len(span))]
        desired = exporter_replicas(self.window, self.events, starts).tolist()
        return exporter_floor(desired, self.behavior, known=self.window is not None)

    def variants(self) -> tuple[Self, ...]:
        """Itself: what was typed was typed."""
        return (self,)


def exporter_replicas(
    window: DailyWindow | None, events: Sequence[OldEvent], local: Iterable[datetime]
) -> IntArray:
    """The replicas that the exporter wants at each local time; -1 where it is off.

    A window of 10 replicas from 20:00, and two events ×2 and ×3 that overlap, give 20: the first
    one's.
    """
    by_day: dict[date, list[OldEvent]] = {}
    for one in events:
        by_day.setdefault(one.day, []).append(one)
    return np.array(
        [_wanted(window, by_day.get(now.date(), ()), now.time()) for now in local], dtype=np.int64
    )


def _wanted(window: DailyWindow | None, today: Sequence[OldEvent], now: time) -> int:
    if window is None:
        return OFF
    second = now.hour * 3600 + now.minute * 60 + now.second
    for one in today:
        if replace(window, start=one.start, end=one.end).covers(second):
            return window.times(one.multiplier)
    return window.replicas if window.covers(second) else OFF
