"""What the trainer and the refresher tell the serving process; small, frozen, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forecaster.planning.snapshot import ObservedTraffic
from forecaster.store import PackedOutlook, TrainingRecord

__all__ = [
    "Message",
    "RefreshFailed",
    "Refreshed",
    "RunEnded",
    "SourceFailed",
    "Started",
    "Trained",
    "TrainingFailed",
]


@dataclass(frozen=True)
class Started:
    """The training of one workload began: should the trainer die now, it is the one to blame."""

    workload: str


@dataclass(frozen=True)
class Trained:
    """A workload has a new outlook; ``store_error`` says why it could not be stored, if so."""

    outlook: PackedOutlook
    record: TrainingRecord
    store_error: str | None = None


@dataclass(frozen=True)
class TrainingFailed:
    """A workload could not be trained; the reason is in the record."""

    workload: str
    record: TrainingRecord
    store_error: str | None = None


@dataclass(frozen=True)
class SourceFailed:
    """The source gave nothing to train on."""

    at: datetime
    error: str


@dataclass(frozen=True)
class RunEnded:
    """The trainer is done with everything it was asked for."""


@dataclass(frozen=True)
class Refreshed:
    """The latest complete interval of each workload that has one.

    ``warnings`` are the source's; ``refused`` says whose traffic cannot be used, and why.
    """

    at: datetime
    observed: Mapping[str, ObservedTraffic]
    warnings: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RefreshFailed:
    """The source could not be asked for the latest traffic, or not yet at the first attempt."""

    at: datetime
    error: str


Message = Started | Trained | TrainingFailed | SourceFailed | RunEnded | Refreshed | RefreshFailed
