"""What is answered about the cluster: replicas, lead times, capacities, deliveries, warnings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from api.view import Measured, Replicas, Text, View

__all__ = [
    "CapacityView",
    "ClusterWorkloadView",
    "DeliveredView",
    "LeadTimeView",
    "MinutesView",
    "SpanView",
    "SpreadView",
    "WarningKind",
    "WarningView",
    "WarningsView",
]


class SpreadView(View):
    """Seconds that half, and 95 %, of the start-ups took at the most."""

    p50: Measured
    p95: Measured


class LeadTimeView(View):
    """A measured lead time; the rule has the one in force."""

    seconds: Annotated[
        float | None, Field(description="What was measured, before bounds; null: too few start-ups")
    ]
    reason: Text
    start_ups: Annotated[int, Field(description="Start-ups of the last 14 days that count.")]
    total: SpreadView | None
    parts: Annotated[
        dict[str, SpreadView],
        Field(description="scheduling, node (waited for), initialising, starting (to ready)"),
    ]


class CapacityView(View):
    """A measured capacity, requests per second and replica."""

    rps: Annotated[float | None, Field(description="null where the data cannot tell")]
    reason: Text
    since: Annotated[datetime | None, Field(description="When it was last changed.")]
    provisional: Annotated[
        bool, Field(description="Whether it stands in for one that cannot be measured yet.")
    ]


class MinutesView(View):
    """Minutes in which a target was due: met on time, or missed by reason."""

    on_time: int
    missed: dict[str, int]
    share: Annotated[float | None, Field(description="on_time ÷ all; null where nothing was due")]


class DeliveredView(View):
    """What was asked for against what is there; ``short`` says why some that are due are not."""

    at: datetime
    target: Replicas
    due: Annotated[
        int | None,
        Field(description="What was asked for a lead time ago and since; null: not known yet"),
    ]
    short: Text | None
    last_day: MinutesView
    total: Annotated[MinutesView, Field(description="Since the service began.")]


class ClusterWorkloadView(View):
    """One workload as it is in the cluster; null parts are not known."""

    ready: Annotated[int | None, Field(description="Pods that are ready.")]
    replicas: Annotated[int | None, Field(description="What the workload asks for.")]
    desired: Annotated[int | None, Field(description="What its HPA last decided.")]
    min_replicas: Annotated[int | None, Field(description="Of its ScaledObject or HPA.")]
    max_replicas: int | None
    scaled_object: Annotated[Text | None, Field(description="Its name.")]
    paused: bool
    limited: Annotated[Text | None, Field(description="The HPA's own word on what limits it.")]
    lead_time: LeadTimeView | None
    capacity: CapacityView | None
    delivered: DeliveredView | None


class WarningKind(StrEnum):
    """Plans that will not fit; events that came too late; bad annotations; what is not read."""

    WILL_NOT_FIT = "will_not_fit"
    LATE_EVENT = "late_event"
    ANNOTATION = "annotation"
    CLUSTER = "cluster"


class SpanView(View):
    """From start to end more is wanted than allowed."""

    start: datetime
    end: datetime
    wanted: float


class ExcessView(View):
    """A resource that is exceeded as well."""

    resource: str
    wanted: float
    allowed: float
    spans: tuple[SpanView, ...]


class WarningView(View):
    """One thing that somebody should see to; ``text`` is the whole of it in words."""

    kind: WarningKind
    text: Text
    workloads: tuple[str, ...] = ()
    limit: Annotated[
        str | None, Field(description="maximum, quota or nodes, of what will not fit")
    ] = None
    resource: str | None = None
    wanted: float | None = None
    allowed: float | None = None
    hours_ahead: float | None = None
    fix: Text | None = None
    spans: tuple[SpanView, ...] = ()
    also: Annotated[
        tuple[ExcessView, ...], Field(description="What is exceeded beside the tightest resource.")
    ] = ()


class WarningsView(View):
    """What will not fit comes first, the soonest ahead."""

    watched: Annotated[bool, Field(description="Whether the cluster is read at all.")]
    warnings: list[WarningView]
