"""What the serving process asks of its helpers; picklable, and free of what only they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import TrainingRecord
from forecaster.worker.mailbox import Inbox
from forecaster.worker.source import SourceFactory

__all__ = ["FleetChange", "RefreshOrder", "TrainingOrder"]


@dataclass(frozen=True)
class TrainingOrder:
    """Train ``workloads``, the first ones first; ``records`` are how earlier trainings went."""

    fleet: Fleet
    workloads: tuple[WorkloadSettings, ...]
    records: Mapping[str, TrainingRecord]
    source: SourceFactory
    store_path: Path
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class FleetChange:
    """Other workloads, or other rules of theirs, and the source as it finds them."""

    fleet: Fleet
    source: SourceFactory


@dataclass(frozen=True)
class RefreshOrder:
    """Ask for the latest traffic after each step; look at the clock every ``tick_seconds``.

    Lead-peak models come from the store at ``store_path``, and the last lead peaks go there.
    ``changes`` brings other fleets.
    """

    fleet: Fleet
    source: SourceFactory
    store_path: Path
    clock: Callable[[], datetime]
    tick_seconds: float
    changes: Inbox[FleetChange]
