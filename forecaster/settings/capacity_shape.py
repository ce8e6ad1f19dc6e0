"""The keys of preroll.yaml below ``capacity``: what a replica's capacity is measured from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from forecaster.settings.fields import Text, refused
from forecaster.settings.source_shape import Shape

__all__ = ["REPLICAS_EXAMPLE", "SATURATION_EXAMPLE", "TARGET_UTILISATION", "CapacityShape"]

TARGET_UTILISATION = 0.7
REPLICAS_EXAMPLE = "sum by (namespace, deployment) (kube_deployment_status_replicas_ready)"
SATURATION_EXAMPLE = (
    "sum by (namespace, deployment) (app:cpu_use:rate5m) / "
    "sum by (namespace, deployment) (app:cpu_request)"
)
_MOST = 10.0


def _utilisation(value: object) -> object:
    if isinstance(value, bool):
        raise refused(f"{str(value).lower()} is not a number")
    if isinstance(value, int | float) and _MOST < value <= 100:
        raise refused(f"{value:g} is too much for a ratio; {value:g} % is {value / 100:g}")
    return value


Utilisation = Annotated[
    float, Field(gt=0, le=_MOST, allow_inf_nan=False), BeforeValidator(_utilisation)
]


class CapacityShape(Shape):
    """What ``capacity: auto`` and ``preroll capacity`` measure from, besides traffic.

    Both queries go to the server of ``source.prometheus``; their results are named by its labels.
    """

    target_utilisation: Utilisation = Field(
        default=TARGET_UTILISATION,
        description="The saturation that a replica shall have when it serves its capacity.",
        examples=[0.7],
    )
    replicas_query: Text | None = Field(
        default=None,
        description="One PromQL expression: how many replicas of each workload are ready.",
        examples=[REPLICAS_EXAMPLE],
    )
    saturation_query: Text | None = Field(
        default=None,
        description="One PromQL expression: how busy the mean replica of each workload is, as a "
        "ratio, such as CPU use by request.",
        examples=[SATURATION_EXAMPLE],
    )
