"""The keys of a workload in preroll.yaml, and of ``defaults``, which hold for all of them."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.settings.capacity_shape import Utilisation
from forecaster.settings.fields import (
    CapacityOrAuto,
    HoldDown,
    KubernetesLabel,
    KubernetesName,
    LeadTime,
    LeadTimeOrAuto,
    MostReplicas,
    Quantile,
    Replicas,
    Text,
)
from forecaster.settings.source_shape import Shape

__all__ = ["DefaultsShape", "WorkloadShape"]

LEAD_TIME_FLOOR = timedelta(seconds=30)
LEAD_TIME_CEILING = timedelta(minutes=15)
_RULE = ScalingRule(capacity_rps=1)  # the domain's defaults are the file's defaults


class DefaultsShape(Shape):
    """What holds for every workload that does not say otherwise."""

    lead_time: LeadTimeOrAuto = Field(
        default=_RULE.lead_time,
        description="From 'value served' to 'pod ready': HPA sync, scheduling, node, image, "
        "readiness. auto: measured from the cluster's pods; 5m until it is.",
        examples=["5m", "auto"],
    )
    lead_time_floor: LeadTime = Field(
        default=LEAD_TIME_FLOOR,
        description="A measured lead time is never shorter.",
        examples=["30s"],
    )
    lead_time_ceiling: LeadTime = Field(
        default=LEAD_TIME_CEILING,
        description="A measured lead time is never longer.",
        examples=["15m"],
    )
    quantile: Quantile = Field(
        default=_RULE.quantile,
        description="The risk: 0.98 is short in 2 % of decisions before reactive help.",
        examples=[0.98],
    )
    min_replicas: Replicas = Field(
        default=_RULE.min_replicas, description="Never fewer than this.", examples=[2]
    )
    max_replicas: MostReplicas = Field(
        default=_RULE.max_replicas, description="Never more than this.", examples=[100]
    )
    hold_down: HoldDown = Field(
        default=_RULE.hold_down,
        description="How long a higher target outlives the need, before the HPA's own window.",
        examples=["0s"],
    )
    mode: Mode = Field(
        default=_RULE.mode,
        description="active: KEDA gets the target. shadow: all is shown, KEDA gets 0 (no floor). "
        "off: nothing is planned.",
        examples=["shadow"],
    )


class WorkloadShape(Shape):
    """One workload; what it does not say comes from the defaults."""

    namespace: KubernetesLabel = Field(
        description="Its Kubernetes namespace.", examples=["streaming"]
    )
    name: KubernetesName = Field(
        description="Its name, as the traffic source and KEDA's address know it.",
        examples=["player-api"],
    )
    capacity: CapacityOrAuto = Field(
        description="Traffic per second that one replica serves at its target utilisation. auto: "
        "measured from history; no floor until it is.",
        examples=[120, "auto"],
    )
    target_utilisation: Utilisation | None = Field(
        default=None,
        description="The saturation at which its capacity is measured; else that of capacity.",
        examples=[0.6],
    )
    lead_time: LeadTimeOrAuto | None = Field(
        default=None,
        description="From 'value served' to 'pod ready', or auto.",
        examples=["5m", "auto"],
    )
    quantile: Quantile | None = Field(
        default=None,
        description="The risk: 0.98 is short in 2 % of decisions.",
        examples=[0.98],
    )
    min_replicas: Replicas | None = Field(
        default=None, description="Never fewer than this.", examples=[2]
    )
    max_replicas: MostReplicas | None = Field(
        default=None, description="Never more than this.", examples=[100]
    )
    hold_down: HoldDown | None = Field(
        default=None, description="How long a higher target outlives the need.", examples=["5m"]
    )
    mode: Mode | None = Field(
        default=None, description="active, shadow or off.", examples=["shadow"]
    )
    labels: dict[Text, Text] = Field(
        default={},
        description="What events may select it by, beside its name.",
        examples=[{"tier": "edge"}],
    )
