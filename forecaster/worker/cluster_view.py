"""What the service knows of the cluster at one moment: never changed, replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forecaster.cluster.delivered import Delivery
from forecaster.cluster.fit_warning import FitWarning
from forecaster.worker.capacity_messages import MeasuredCapacity
from forecaster.worker.cluster_messages import ClusterHealth, SeenLead, SeenWorkload
from forecaster.worker.late_events import LateEvent

__all__ = ["NOTHING_KNOWN", "ClusterView", "ClusterWorkload"]


@dataclass(frozen=True, slots=True)
class ClusterWorkload:
    """One workload: as it is in the cluster, what was measured of it, what was delivered."""

    seen: SeenWorkload | None = None
    lead: SeenLead | None = None
    capacity: MeasuredCapacity | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True)
class ClusterView:
    """``watched``: whether the cluster is read at all; ``problems`` are those of annotations."""

    watched: bool = False
    workloads: Mapping[str, ClusterWorkload] = field(default_factory=dict)
    fit: tuple[FitWarning, ...] = ()
    late: tuple[LateEvent, ...] = ()
    health: ClusterHealth = field(default_factory=ClusterHealth)
    problems: tuple[str, ...] = ()

    def of(self, workload: str) -> ClusterWorkload:
        """What is known of ``namespace/name``; nothing, where nothing is."""
        return self.workloads.get(workload, _NOTHING)


_NOTHING = ClusterWorkload()
NOTHING_KNOWN = ClusterView()
