"""The JSON that the endpoint speaks; OpenAPI describes it from here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.cluster_schemas import ClusterWorkloadView
from api.view import Measured, Replicas, Text, View
from forecaster.models.peak import Taught
from forecaster.planning.capacity import Mode
from forecaster.planning.target import Source

__all__ = [
    "ErrorView",
    "EventBand",
    "ForecastView",
    "HealthView",
    "LeadPeakView",
    "ObservedView",
    "PlanView",
    "ProblemView",
    "QueryErrorView",
    "ReadinessView",
    "RuleView",
    "TargetSummary",
    "TargetView",
    "TrainingView",
    "WorkloadView",
    "WorkloadsView",
]


class LeadPeakView(View):
    """The highest traffic within the lead window that begins at ``at``, from live traffic."""

    at: Annotated[datetime, Field(description="The end of the latest observed interval.")]
    now_rps: Annotated[Measured, Field(description="The traffic of that interval.")]
    quantile: float
    peak_rps: Annotated[float, Field(description="That quantile of the lead peak.")]
    taught: Annotated[
        Taught,
        Field(description="Whose past taught the model: the workload's own, the fleet's, others'."),
    ]


class TargetView(View):
    """What KEDA reads (``replicas``), what was planned, and why."""

    replicas: Annotated[
        Replicas, Field(description="What KEDA reads. 0 is no floor: shadow mode, or off.")
    ]
    planned_replicas: Annotated[
        Replicas, Field(description="The target as planned, the same in active and shadow mode.")
    ]
    namespace: str
    name: str
    mode: Mode
    source: Annotated[
        Source,
        Field(
            description="Who spoke: the lead peak, from live traffic; the outlook; the floor of an "
            "event, where neither did; or nobody."
        ),
    ]
    lead_peak: Annotated[
        LeadPeakView | None,
        Field(description="The last one told; it counts where `source` is `lead_peak`."),
    ]
    reasons: list[Text]
    valid_until: Annotated[
        datetime | None,
        Field(description="When the next step begins; null where nothing is planned."),
    ]
    notices: list[Text]


class ErrorView(View):
    """Why there is no answer: ``error`` for programs, ``reason`` for people."""

    error: str
    reason: Text


class ProblemView(View):
    """One field of a query that cannot be used."""

    field: str
    message: Text
    example: str


class QueryErrorView(ErrorView):
    """Every problem of a query at once."""

    problems: list[ProblemView]


class HealthView(View):
    """The process answers."""

    status: str = "ok"


class ReadinessView(View):
    """Whether every workload has a plan or a stated reason for having none."""

    status: str
    workloads: int
    waiting: Annotated[int, Field(description="How many workloads wait for their first training.")]


class RuleView(View):
    """How a workload turns traffic into replicas."""

    capacity_rps: Annotated[
        float | None, Field(description="null where it is to be measured, and is not known yet")
    ]
    lead_time_seconds: float
    quantile: float
    min_replicas: int
    max_replicas: int
    hold_down_seconds: float


class TargetSummary(View):
    """The target now, as ``/v1/targets`` gives it."""

    replicas: Replicas
    planned_replicas: Replicas
    source: Source
    reasons: list[Text]
    valid_until: datetime | None


class ObservedView(View):
    """The latest complete interval: its start and its traffic per second."""

    start: datetime
    rate_rps: Measured


class PlanView(View):
    """What the plan was made from, and when it begins and ends."""

    made_at: Annotated[datetime, Field(description="The last instant whose traffic was used.")]
    start: datetime
    end: datetime
    model: Text


class TrainingView(View):
    """How training went; ``last_error`` is what failed since it last ended well."""

    trained_at: datetime | None
    seconds: Measured
    runs: int
    failures: int
    last_error: Text | None


class WorkloadView(View):
    """All that is known of one workload; ``reason`` says why there is no target."""

    namespace: str
    name: str
    mode: Mode
    rule: RuleView
    target: TargetSummary | None
    reason: Text | None
    notices: list[Text]
    observed: ObservedView | None
    lead_peak: LeadPeakView | None
    plan: PlanView | None
    training: TrainingView
    cluster: Annotated[
        ClusterWorkloadView | None,
        Field(description="As it is in the cluster, where it is read."),
    ] = None


class WorkloadsView(View):
    """Every workload, in the order of the settings; ``notices`` concern them all."""

    workloads: list[WorkloadView]
    notices: list[Text]


class EventBand(View):
    """An event that concerns the workload, to be marked over its forecast."""

    id: str
    name: Annotated[Text, Field(examples=["Brazil v Scotland"])]
    kind: Annotated[Text, Field(examples=["football"])]
    importance: float
    start: datetime
    end: Annotated[datetime, Field(description="As planned; the ceiling where it is open.")]
    open: Annotated[bool, Field(description="Whether nobody knows the end yet.")]
    latest_end: Annotated[
        datetime,
        Field(
            description="Over at the latest: it may start late (start_uncertainty_seconds), or be "
            "held while traffic has not fallen."
        ),
    ]
    start_uncertainty_seconds: float
    source: Annotated[str, Field(description="rest, settings, or the name of a calendar.")]
    uplift: Annotated[float | None, Field(description="As declared; null where it is learned.")]
    floor_replicas: int | None
    floor_rps: float | None


class ForecastView(View):
    """The outlook and the plan as columns, one entry a step.

    A timestamp is the start of its interval, UTC. ``needed`` (raised to the floors of events) and
    ``replicas`` (held on the way down; the same in every mode) are null behind the plan's end: the
    plan is one lead window shorter than its outlook.
    """

    namespace: str
    name: str
    mode: Mode
    unit: str = "requests per second"
    cutoff: Annotated[datetime, Field(description="The last instant whose traffic was used.")]
    step_seconds: float
    model: Text
    reasons: list[Text]
    capacity_rps: float
    quantile: Annotated[float, Field(description="The quantile that the plan is made at.")]
    plan_start: datetime
    plan_end: datetime
    timestamps: list[str]
    quantiles: Annotated[
        dict[str, list[float]], Field(description="Traffic in `unit`, by quantile.")
    ]
    needed: list[int | None]
    replicas: list[int | None]
    events: Annotated[
        list[EventBand], Field(description="What is known ahead within these steps, by start.")
    ]
