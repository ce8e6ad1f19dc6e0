"""The keys of preroll.yaml below ``keda``: how ``preroll scaledobject`` writes KEDA's objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from forecaster.durations import format_duration
from forecaster.settings.fields import Count, KubernetesName, PositiveDuration, Text, refused
from forecaster.settings.keda_values import NO_KEDA
from forecaster.settings.source_shape import Shape
from forecaster.settings.versions import (
    OLDEST_KEDA,
    OLDEST_KUBERNETES,
    Version,
    read_version,
    show_version,
)

__all__ = ["KedaShape"]

_HOUR = timedelta(hours=1)
_ADDRESS = r"^https?://[^\s/?#]+$"


def _address(value: str) -> str:
    if re.fullmatch(_ADDRESS, value) is None:
        raise refused(f"{value!r} is not a scheme, a host and a port alone")
    return value


def _whole_seconds(value: timedelta) -> timedelta:
    if value % timedelta(seconds=1) or value > _HOUR:
        raise refused(f"{format_duration(value)} must be whole seconds, an hour at the most")
    return value


def _version_from(oldest: Version) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            read_version(value, oldest)
        except ValueError as error:
            raise refused(str(error)) from None
        return value

    return check


_VERSION_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^v?\d+\.\d+"})
_Address = Annotated[
    Text, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": _ADDRESS})
]
_Seconds = Annotated[PositiveDuration, AfterValidator(_whole_seconds)]
_KedaVersion = Annotated[Text, AfterValidator(_version_from(OLDEST_KEDA)), _VERSION_SCHEMA]
_KubernetesVersion = Annotated[
    Text, AfterValidator(_version_from(OLDEST_KUBERNETES)), _VERSION_SCHEMA
]


class KedaShape(Shape):
    """How KEDA's objects are written; the service itself does not look at it."""

    url: _Address = Field(
        default=NO_KEDA.url,
        description="Where KEDA reaches this server: Service, namespace and port.",
        examples=["http://preroll.preroll.svc:8080"],
    )
    authenticate: bool | None = Field(
        default=None,
        description="Send a token; left out, where the server has tokens.",
        examples=[True],
    )
    authentication: KubernetesName = Field(
        default=NO_KEDA.authentication,
        description="The TriggerAuthentication in each workload's namespace.",
        examples=["preroll"],
    )
    secret: KubernetesName = Field(
        default=NO_KEDA.secret,
        description="The Secret beside it, with the token under the key token.",
        examples=["preroll-token"],
    )
    cpu_utilisation: Count = Field(
        ge=0,
        le=1000,
        default=NO_KEDA.cpu_utilisation,
        description="The target of the CPU trigger beside Preroll's, in percent of the requests; "
        "0 for none.",
        examples=[70],
    )
    polling_interval: _Seconds = Field(
        default=NO_KEDA.polling_interval,
        description="How often KEDA's own loop asks; HPA asks every 15 s whatever it is.",
        examples=["30s"],
    )
    failure_threshold: Count = Field(
        ge=1,
        le=1000,
        default=NO_KEDA.failure_threshold,
        description="How many failures in a row engage the fallback.",
        examples=[3],
    )
    scale_down_window: _Seconds = Field(
        default=NO_KEDA.scale_down_window,
        description="On the way down the highest value of so long counts.",
        examples=["5m"],
    )
    formula: bool = Field(
        default=NO_KEDA.formula,
        description="Write all external triggers as one formula (scalingModifiers).",
        examples=[False],
    )
    version: _KedaVersion = Field(
        default=show_version(NO_KEDA.version),
        description="The oldest KEDA that has to understand the objects, in quotes.",
        examples=["2.20"],
    )
    kubernetes_version: _KubernetesVersion = Field(
        default=show_version(NO_KEDA.kubernetes_version),
        description="The oldest Kubernetes that has to, in quotes.",
        examples=["1.35"],
    )
