"""The shape of preroll.yaml: its keys, their meaning, defaults and examples.

These models read and describe the file and go no further: ``build.py`` turns them into the frozen
values that the rest of Preroll works with. The JSON schema for editors is made from them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from forecaster.settings.capacity_shape import CapacityShape
from forecaster.settings.events_shape import EventsShape
from forecaster.settings.fields import (
    Count,
    HistorySpan,
    PositiveDuration,
    Step,
    Text,
    TimeZone,
    Tokens,
    TrainingInterval,
)
from forecaster.settings.keda_shape import KedaShape
from forecaster.settings.kubernetes_shape import KubernetesShape
from forecaster.settings.source_shape import QUERY_EXAMPLE, Shape, SourceShape
from forecaster.settings.workload_shape import DefaultsShape, WorkloadShape

__all__ = [
    "LiveShape",
    "LogShape",
    "ServerShape",
    "SettingsShape",
    "StoreShape",
    "TrainingShape",
]


class TrainingShape(Shape):
    """When outlooks are trained anew."""

    every: TrainingInterval = Field(
        default=timedelta(hours=6),
        description="How often; a plan reaches 48 h ahead.",
        examples=["6h"],
    )


class LiveShape(Shape):
    """How long live traffic counts."""

    stale_after: PositiveDuration | None = Field(
        default=None,
        description="How old the end of the latest traffic may become before the outlook speaks; "
        "where it is left out, 4 steps.",
        examples=["4m"],
    )


class ServerShape(Shape):
    """Where KEDA asks."""

    host: Text = Field(
        default="127.0.0.1",
        description="The address to listen on; 0.0.0.0 in a pod.",
        examples=["0.0.0.0"],  # noqa: S104  an example, not the default
    )
    port: Count = Field(
        ge=0, default=8080, le=65_535, description="The port; 0 takes a free one.", examples=[8080]
    )
    tokens: Tokens | None = Field(
        default=None,
        description="Bearer tokens that callers may use. Better in a file. With neither, the "
        "endpoint is open.",
        examples=[["…"]],
    )
    tokens_file: Text | None = Field(
        default=None,
        description="A file with one bearer token per line.",
        examples=["/etc/preroll/tokens"],
    )
    events_tokens: Tokens | None = Field(
        default=None,
        description="Bearer tokens that may write events, and read. Better in a file. With "
        "neither, nobody may write.",
        examples=[["…"]],
    )
    events_tokens_file: Text | None = Field(
        default=None,
        description="A file with one such token per line.",
        examples=["/etc/preroll/events-tokens"],
    )
    prescaling_metrics: bool = Field(
        default=False,
        description="Serve prescaling-exporter's metrics at /metrics, for HPAs that have not moved "
        "yet.",
        examples=[True],
    )


class StoreShape(Shape):
    """What survives a restart."""

    path: Text = Field(
        default="/var/lib/preroll/preroll.sqlite",
        description="The embedded database; its folder must be writable.",
        examples=["/var/lib/preroll/preroll.sqlite"],
    )


class LogShape(Shape):
    """What is logged, to stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe level that is shown.", examples=["info"]
    )
    format: Literal["json", "text"] = Field(
        default="json",
        description="json: one object per line; text: for people.",
        examples=["json"],
    )


class SettingsShape(Shape):
    """Settings of Preroll: which workloads to plan for, from which traffic, and how to serve."""

    source: SourceShape = Field(
        description="Where past traffic comes from.",
        examples=[{"prometheus": {"url": "http://prometheus:9090", "query": QUERY_EXAMPLE}}],
    )
    step: Step = Field(
        default=timedelta(minutes=1),
        description="The grid of traffic and of targets; divides a day into equal parts.",
        examples=["1m"],
    )
    history: HistorySpan = Field(
        default=timedelta(days=28),
        description="How much past to train on; four weeks or more know the weekdays.",
        examples=["28d"],
    )
    timezone: TimeZone = Field(
        default="UTC",
        description="Where the audience lives; matters around the change of clocks.",
        examples=["Europe/Paris"],
    )
    defaults: DefaultsShape = Field(
        default=DefaultsShape(),
        description="What holds for every workload that does not say otherwise.",
        examples=[{"lead_time": "5m"}],
    )
    workloads: list[WorkloadShape] = Field(
        default_factory=list,
        json_schema_extra={"minItems": 1},  # a list that is written holds something
        description="What is scaled; may be left out where ScaledObjects declare it.",
        examples=[[{"namespace": "streaming", "name": "player-api", "capacity": 120}]],
    )
    capacity: CapacityShape = Field(
        default=CapacityShape(),
        description="What capacity is measured from, besides traffic.",
        examples=[{"target_utilisation": 0.7}],
    )
    events: EventsShape = Field(
        default=EventsShape(),
        description="What is known ahead: in this file, and in calendars elsewhere.",
        examples=[{"sources": [{"name": "matches", "file": "matches.csv"}]}],
    )
    training: TrainingShape = Field(
        default=TrainingShape(),
        description="When outlooks are trained anew.",
        examples=[{"every": "6h"}],
    )
    live: LiveShape = Field(
        default=LiveShape(),
        description="How long live traffic counts.",
        examples=[{"stale_after": "4m"}],
    )
    kubernetes: KubernetesShape = Field(
        default=KubernetesShape(),
        description="What is read of the cluster.",
        examples=[{"watch": True}],
    )
    keda: KedaShape = Field(
        default=KedaShape(),
        description="How KEDA's objects are written.",
        examples=[{"url": "http://preroll.preroll.svc:8080"}],
    )
    server: ServerShape = Field(
        default=ServerShape(), description="Where KEDA asks.", examples=[{"port": 8080}]
    )
    store: StoreShape = Field(
        default=StoreShape(),
        description="What survives a restart.",
        examples=[{"path": "/var/lib/preroll/preroll.sqlite"}],
    )
    log: LogShape = Field(
        default=LogShape(), description="What is logged, to stderr.", examples=[{"level": "info"}]
    )
