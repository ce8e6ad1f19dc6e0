"""What the trainer and the refresher tell the serving process; small, frozen, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forecaster.models.peak import Taught
from forecaster.planning.live import ToldPeak
from forecaster.planning.snapshot import ObservedTraffic
from forecaster.store import PackedOutlook, StoredUplift, TrainingRecord
from forecaster.worker.capacity_messages import Gauged, GaugingFailed
from forecaster.worker.cluster_messages import ClusterMessage

__all__ = [
    "Foretold",
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
    """A workload has a new outlook; ``store_error`` says why it could not be stored, if so.

    The outlook knows of no event; ``uplift`` is what they bring on top. Its lead-peak model is in
    the store, for the refresher; ``taught`` says whose past taught it.
    """

    outlook: PackedOutlook
    uplift: StoredUplift
    record: TrainingRecord
    store_error: str | None = None
    taught: Taught | None = None


@dataclass(frozen=True)
class TrainingFailed:
    """A workload got no outlook; the reason is in the record.

    ``taught`` says whose past taught the lead-peak model that is in its place, where there is one.
    """

    workload: str
    record: TrainingRecord
    store_error: str | None = None
    taught: Taught | None = None


@dataclass(frozen=True)
class SourceFailed:
    """The source gave nothing to train on."""

    at: datetime
    error: str


@dataclass(frozen=True)
class RunEnded:
    """The trainer is done with everything it was asked for."""


@dataclass(frozen=True)
class Foretold:
    """Lead peaks by workload; ``silent`` says why the others have none.

    ``trouble`` is why lead-peak models cannot be read from the store, if so.
    """

    lead_peaks: Mapping[str, ToldPeak] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    trouble: str | None = None


@dataclass(frozen=True)
class Refreshed:
    """The latest complete interval of each workload that has one, and what it foretells.

    ``warnings`` are the source's; ``refused`` says whose traffic cannot be used, and why.
    """

    at: datetime
    observed: Mapping[str, ObservedTraffic]
    warnings: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    foretold: Foretold = Foretold()


@dataclass(frozen=True)
class RefreshFailed:
    """The source could not be asked for the latest traffic, or not yet at the first attempt."""

    at: datetime
    error: str


Message = (
    Started
    | Trained
    | TrainingFailed
    | SourceFailed
    | RunEnded
    | Foretold
    | Refreshed
    | RefreshFailed
    | ClusterMessage
    | Gauged
    | GaugingFailed
)
