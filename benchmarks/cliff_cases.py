"""Four weeks of real traffic with an event each evening: ×5 on five of them, ×10 on two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.backtest.cliffs import Cliff, with_cliffs
from forecaster.events import Calendar, Event
from forecaster.traffic.history import TrafficSeries

__all__ = ["KINDS", "CliffCase", "Kind", "make_case"]

DAY = timedelta(days=1)
WEEKS, TAUGHT_WEEKS = 4, 3
SPREAD = 0.25  # of the log of the factor
UNPUNCTUAL = timedelta(minutes=2)
FIRST, SLOTS, SLOT = timedelta(hours=18), 12, timedelta(minutes=15)
LASTS = timedelta(minutes=105)
SILENT_A_WEEK = 1


@dataclass(frozen=True)
class Kind:
    """How many a week, what they do to traffic at the middle, and their importance."""

    weekly: int
    factor: float
    importance: float


KINDS = {"match": Kind(5, 5.0, 3.0), "derby": Kind(2, 10.0, 5.0)}


@dataclass(frozen=True, eq=False)
class CliffCase:
    """Four weeks with an event each evening; ``events`` as they were planned, ``cliffs`` as they
    came, ``base`` the traffic without them."""

    base: TrafficSeries
    series: TrafficSeries
    events: tuple[Event, ...]
    cliffs: tuple[Cliff, ...]
    announced: tuple[bool, ...]
    judged_from: datetime

    @property
    def calendar(self) -> Calendar:
        return Calendar(tuple(self.known(self.events[0].start)))

    def known(self, since: datetime) -> Iterator[Event]:
        """The announced events from an instant on."""
        for event, announced in zip(self.events, self.announced, strict=True):
            if announced and event.start >= since:
                yield event


def make_case(series: TrafficSeries, seed: int) -> CliffCase:
    """``series`` begins at a midnight; its first four weeks count. Three teach, one is judged."""
    base = series.before(series.start + WEEKS * 7 * DAY) or series
    random = np.random.default_rng(seed)
    events, cliffs, announced = [], [], []
    for week in range(WEEKS):
        kinds = [kind for kind, one in KINDS.items() for _ in range(one.weekly)]
        random.shuffle(kinds)
        silent = set(random.choice(7, SILENT_A_WEEK, replace=False).tolist())
        for day, kind in enumerate(kinds):
            slot = int(random.integers(0, SLOTS))
            planned = base.start + (7 * week + day) * DAY + FIRST + slot * SLOT
            factor = KINDS[kind].factor * float(np.exp(SPREAD * random.standard_normal()))
            late = float(random.uniform(-1, 1)) * UNPUNCTUAL
            events.append(Event(planned, planned + LASTS, kind, KINDS[kind].importance))
            cliffs.append(Cliff(planned + late, factor, LASTS))
            announced.append(day not in silent)
    return CliffCase(
        base,
        with_cliffs(base, cliffs),
        tuple(events),
        tuple(cliffs),
        tuple(announced),
        base.start + TAUGHT_WEEKS * 7 * DAY,
    )
