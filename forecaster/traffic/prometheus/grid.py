"""Instants to whole steps, and back to the times at which the server evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["StepGrid", "format_instant"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class StepGrid:
    """Whole steps on the multiples of ``step_ms`` since the Unix epoch.

    Interval i covers [start_ms + i·step_ms, start_ms + (i + 1)·step_ms) and its value is what the
    server computes at the interval's **end**: PromQL at t looks back over (t - step, t].
    """

    start_ms: int
    step_ms: int
    count: int

    @classmethod
    def within(cls, start: datetime, end: datetime, step: timedelta) -> StepGrid:
        """The whole steps inside [start, end): start rounded up, end rounded down; may be none.

        Raises ValueError where an instant is naive, end lies before start, or the step is not a
        positive number of milliseconds.

        >>> grid = StepGrid.within(_EPOCH + timedelta(seconds=1), _EPOCH + timedelta(seconds=200),
        ...                        timedelta(minutes=1))
        >>> grid.start_ms, grid.count
        (60000, 2)
        """
        for name, instant in (("start", start), ("end", end)):
            if instant.tzinfo is None:
                raise ValueError(f"{name} {instant} has no time zone; use UTC")
        if end < start:
            raise ValueError(f"end {end} lies before start {start}")
        step_ms, rest = divmod(step, _MILLISECOND)
        if step_ms <= 0 or rest:
            raise ValueError(f"step {step} is not a positive number of milliseconds; write 1m")
        first = -((_EPOCH - start) // step)
        last = (end - _EPOCH) // step
        return cls(start_ms=first * step_ms, step_ms=step_ms, count=max(last - first, 0))

    @property
    def start(self) -> datetime:
        """The start of the first interval."""
        return self.starts_at(0)

    @property
    def step(self) -> timedelta:
        """The step as a duration."""
        return self.step_ms * _MILLISECOND

    def starts_at(self, index: int) -> datetime:
        """The instant at which interval ``index`` starts."""
        return _EPOCH + (self.start_ms + index * self.step_ms) * _MILLISECOND

    def evaluated_ms(self, index: int) -> int:
        """When the server evaluates interval ``index``: at its end, ms since the epoch."""
        return self.start_ms + (index + 1) * self.step_ms


def format_instant(instant: datetime) -> str:
    """The instant in UTC, to the second: ``1998-06-10T15:30:00Z``."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
