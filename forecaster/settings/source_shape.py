"""The ``source`` section of preroll.yaml: where past traffic comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from forecaster.settings.fields import (
    Count,
    KubernetesLabel,
    PositiveDuration,
    SecretText,
    SecretUrl,
    Text,
    TimeZone,
    Unguessed,
)

__all__ = [
    "QUERY_EXAMPLE",
    "FileShape",
    "LabelsShape",
    "PrometheusShape",
    "Shape",
    "SourceShape",
    "TlsShape",
]

QUERY_EXAMPLE = "sum by (namespace, deployment) (rate(http_requests_total[2m]))"


class Shape(BaseModel):
    """A mapping of the file: no key beside the known ones, no value in an error's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LabelsShape(Shape):
    """Which labels of the query's result name the workload."""

    namespace: Text = Field(
        default="namespace",
        description="The label that holds the namespace.",
        examples=["namespace"],
    )
    name: Text = Field(
        default="deployment",
        description="The label that holds the workload's name.",
        examples=["deployment"],
    )


class TlsShape(Shape):
    """PEM files for HTTPS."""

    ca_file: Text | None = Field(
        default=None, description="Trust this CA alone.", examples=["/etc/preroll/tls/ca.crt"]
    )
    cert_file: Text | None = Field(
        default=None, description="The client's certificate.", examples=["/etc/preroll/tls/tls.crt"]
    )
    key_file: Text | None = Field(
        default=None,
        description="The client certificate's key.",
        examples=["/etc/preroll/tls/tls.key"],
    )
    verify: bool = Field(
        default=True, description="Whether the server's certificate is checked.", examples=[True]
    )


class PrometheusShape(Shape):
    """Prometheus, VictoriaMetrics, Mimir, Thanos: whatever answers /api/v1/query_range."""

    url: SecretUrl = Field(
        description="The server, with a path prefix where it needs one.",
        examples=["http://prometheus:9090"],
    )
    query: Text = Field(
        description="One PromQL expression that gives every workload its series, traffic per "
        "second. A window as long as the step, and at least four scrapes, is best.",
        examples=[QUERY_EXAMPLE],
    )
    labels: LabelsShape = Field(
        default=LabelsShape(),
        description="Which labels of the result name the workload.",
        examples=[{"namespace": "namespace", "name": "deployment"}],
    )
    default_namespace: KubernetesLabel | None = Field(
        default=None,
        description="The namespace of results without that label.",
        examples=["streaming"],
    )
    bearer_token: SecretText | None = Field(
        default=None, description="Sent as Authorization: Bearer. Better in a file.", examples=["…"]
    )
    bearer_token_file: Text | None = Field(
        default=None,
        description="A file with the token; read again when it changes.",
        examples=["/var/run/secrets/kubernetes.io/serviceaccount/token"],
    )
    username: Text | None = Field(
        default=None, description="User name for HTTP basic authentication.", examples=["preroll"]
    )
    password: SecretText | None = Field(
        default=None, description="Password of that user. Better in a file.", examples=["…"]
    )
    password_file: Text | None = Field(
        default=None,
        description="A file with the password; read again when it changes.",
        examples=["/etc/preroll/prometheus-password"],
    )
    headers: dict[str, SecretText] = Field(
        default={},
        description="Headers of every request, such as the tenant.",
        examples=[{"X-Scope-OrgID": "tv"}],
    )
    tls: TlsShape = Field(
        default=TlsShape(),
        description="PEM files for HTTPS.",
        examples=[{"ca_file": "/etc/preroll/tls/ca.crt"}],
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=30), description="For one whole answer.", examples=["30s"]
    )
    max_points_per_query: Count = Field(
        default=10_000,
        ge=1,
        description="Evaluations per request; Prometheus refuses more than 11,000.",
        examples=[10_000],
    )
    allow_partial: bool = Field(
        default=False,
        description="Take answers that the server itself calls incomplete.",
        examples=[False],
    )


class FileShape(Shape):
    """A traffic file, read again whenever it changes: for trials and for exports."""

    path: Text = Field(
        description="CSV or Parquet, also compressed; relative to this settings file.",
        examples=["traffic.csv.gz"],
    )
    unit: Annotated[Literal["rps", "requests"], Unguessed()] = Field(
        default="rps",
        description="What a value is: rps, per second; requests, a count in each step.",
        examples=["requests"],
    )
    timezone: TimeZone | None = Field(
        default=None,
        description="How to read stamps that carry no zone; UTC where left out.",
        examples=["Europe/Paris"],
    )


class SourceShape(Shape):
    """Where past traffic comes from: exactly one of the kinds."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["prometheus"]}, {"required": ["file"]}]}
    )

    prometheus: PrometheusShape | None = Field(
        default=None,
        description="A server that speaks Prometheus' query API.",
        examples=[{"url": "http://prometheus:9090", "query": QUERY_EXAMPLE}],
    )
    file: FileShape | None = Field(
        default=None,
        description="A traffic file.",
        examples=[{"path": "traffic.csv.gz", "unit": "requests"}],
    )
