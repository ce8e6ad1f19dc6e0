"""What the reader of the cluster tells the serving process; small, frozen, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forecaster.cluster.lead_time import MeasuredLead
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import AutoscalerSeen, NodeSeen, QuotaSeen, Scaled, ScaledObjectSeen
from forecaster.cluster.start_up_summary import StartUpSummary
from forecaster.settings import WorkloadSettings

__all__ = [
    "ClusterHealth",
    "ClusterMessage",
    "ClusterRoom",
    "ClusterSeen",
    "Declared",
    "LeadTimesSeen",
    "ReaderAlive",
    "SeenLead",
    "SeenWorkload",
]


@dataclass(frozen=True, slots=True)
class SeenWorkload:
    """What the cluster says of one workload; each part None where it has none.

    ``pods`` counts those that exist, None where they are not read; ``ready`` those that are ready,
    else what the workload itself says, None where nobody says. ``unschedulable`` is the message of
    one that finds no node, ``running`` what the newest pod is like,
    or was, where no template says it.
    """

    scaled: Scaled | None = None
    scaled_object: ScaledObjectSeen | None = None
    autoscaler: AutoscalerSeen | None = None
    ready: int | None = None
    unschedulable: str | None = None
    pods: int | None = None
    running: PodShape | None = None


@dataclass(frozen=True)
class ClusterSeen:
    """The workloads that are other ones than when they were told last; None: it is not there.

    ``whole``: what was told of any other workload before, by a reader that has died, is void.
    """

    workloads: Mapping[str, SeenWorkload | None]
    whole: bool = False


@dataclass(frozen=True)
class Declared:
    """All workloads that ScaledObjects declare, and what is wrong with annotations.

    ``unread`` are namespaces whose ScaledObjects could not be read yet: what they declared when
    they were read last still holds.
    """

    workloads: tuple[WorkloadSettings, ...]
    problems: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenLead:
    """A workload's measured lead time, and the start-ups that it was measured from."""

    measured: MeasuredLead
    summary: StartUpSummary


@dataclass(frozen=True)
class LeadTimesSeen:
    """Of the workloads whose start-ups say something else than when they were told last."""

    workloads: Mapping[str, SeenLead]


@dataclass(frozen=True)
class ClusterRoom:
    """Quotas of the workloads' namespaces, and nodes where they are read."""

    quotas: tuple[QuotaSeen, ...] = ()
    nodes: tuple[NodeSeen, ...] | None = None


@dataclass(frozen=True)
class ClusterHealth:
    """How the reading goes.

    ``problems`` are why something cannot be read or written, one line each; ``known`` counts the
    objects by kind; ``as_of`` is how old what is known of a kind is, in Unix seconds, None while it
    is followed. A kind of which nothing could be read yet is not in ``as_of``.
    """

    problems: tuple[str, ...] = ()
    known: Mapping[str, int] = field(default_factory=dict)
    as_of: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ReaderAlive:
    """Nothing is news, and the reader goes on."""


ClusterMessage = ClusterSeen | Declared | LeadTimesSeen | ClusterRoom | ClusterHealth | ReaderAlive
