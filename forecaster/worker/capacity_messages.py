"""What the gauger tells the serving process; small, frozen, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Gauged", "GaugingFailed", "MeasuredCapacity"]


@dataclass(frozen=True)
class MeasuredCapacity:
    """A measured capacity, requests per second and replica, and why it is that.

    ``rps`` is None where the data could not tell; ``reason`` then says why. ``since`` is when it
    was last changed, ``provisional`` whether it only stands in for one that cannot be measured yet.
    """

    rps: float | None
    reason: str
    since: datetime | None = None
    provisional: bool = False


@dataclass(frozen=True)
class Gauged:
    """The capacity of each workload that was asked about, from ``at`` on."""

    at: datetime
    capacities: Mapping[str, MeasuredCapacity]


@dataclass(frozen=True)
class GaugingFailed:
    """The server could not be asked."""

    at: datetime
    error: str
