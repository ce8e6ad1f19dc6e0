"""What the calendar says of a span of time, with what the examples told of it at an instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forecaster.events.calendar import Calendar
from forecaster.events.effects import Effects, effects_between
from forecaster.events.event_curve import EventCurve
from forecaster.events.uplift import UpliftModel
from forecaster.models.day_path import cut
from forecaster.traffic.history import FloatArray

__all__ = ["Foreseen", "foresee"]


@dataclass(frozen=True, eq=False)
class Foreseen:
    """The effects of events on the intervals from ``start`` on."""

    start: datetime
    step: timedelta
    effects: Effects

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.start.astimezone(UTC))

    def __len__(self) -> int:
        return len(self.effects.centres)

    def without(self, curve: EventCurve) -> Foreseen:
        """The same but for one of the events."""
        others = tuple(one for one in self.effects.curves if one is not curve)
        return replace(self, effects=replace(self.effects, curves=others))

    def between(self, first: datetime, steps: int) -> FloatArray:
        """Expected log factors of the intervals from ``first`` on, (steps,); 0 beyond the span."""
        offset = (first - self.start) // self.step
        return cut(self.effects.log_factors(), offset, steps, 0.0)


def foresee(
    uplift: UpliftModel,
    calendar: Calendar,
    known_at: datetime,
    start: datetime,
    step: timedelta,
    steps: int,
) -> Foreseen:
    """The calendar's events from ``start`` on, by the examples that were settled at an instant."""
    effects = effects_between(uplift, calendar, known_at, start, step, steps)
    return Foreseen(start, step, effects)
