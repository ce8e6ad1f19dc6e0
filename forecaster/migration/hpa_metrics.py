"""The metrics of an HPA, in one form whatever the version of its API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from forecaster.migration.adapter_query import LabelRequirement
from forecaster.migration.manifests import Manifest, as_mapping, as_texts
from forecaster.migration.quantity import quantity

__all__ = ["EXPORTER_TARGET", "MetricSource", "OldMetric", "read_metrics"]

EXPORTER_TARGET = 10.0


class MetricSource(StrEnum):
    """The ``type`` of a metric."""

    RESOURCE = "Resource"
    CONTAINER = "ContainerResource"
    PODS = "Pods"
    OBJECT = "Object"
    EXTERNAL = "External"


@dataclass(frozen=True)
class OldMetric:
    """One metric: ``target_type`` is Utilization (percent), AverageValue or Value.

    ``described`` is the kind and the name of an Object metric's object.
    """

    source: MetricSource
    name: str
    target_type: str
    target: float
    selector: tuple[LabelRequirement, ...] = ()
    described: tuple[str, str] = ("", "")
    container: str = ""

    @property
    def called(self) -> str:
        """``External metric http_requests, 120 per replica``."""
        per = {"Utilization": " % of requests", "AverageValue": " per replica"}
        wanted = f"{self.target:,.10g}{per.get(self.target_type, ' in all')}"
        return f"{self.source} metric {self.name}, {wanted}"


def read_metrics(one: Manifest, notes: list[str]) -> tuple[OldMetric, ...]:
    """The metrics of an HPA; what cannot be read is noted, and left out."""
    found = []
    share = one.spec.get("targetCPUUtilizationPercentage")  # autoscaling/v1
    if isinstance(share, int):
        found.append(OldMetric(MetricSource.RESOURCE, "cpu", "Utilization", float(share)))
    listed = one.spec.get("metrics")
    for number, data in enumerate(listed if isinstance(listed, list) else []):
        read = _metric(as_mapping(data))
        if isinstance(read, OldMetric):
            found.append(read)
        else:
            notes.append(f"{one.place}: {one.called}: metrics[{number}] is left out: {read}")
    return tuple(found)


def _metric(data: Mapping[str, Any]) -> OldMetric | str:
    try:
        source = MetricSource(str(data.get("type")))
    except ValueError:
        return f"its type {data.get('type')!r} is not known"
    key = source[0].lower() + source[1:]
    body = as_mapping(data.get(key))
    if not body:
        return f"it has no {key}"
    target_type, target = _target(body)
    if target is None or target <= 0:
        return "it has no target that can be read"
    named = as_mapping(body.get("metric"))
    name = body.get("name") or named.get("name") or body.get("metricName")
    if not name:
        return "it has no name"
    described = as_mapping(body.get("describedObject") or body.get("target"))
    return OldMetric(
        source=source,
        name=str(name),
        target_type=target_type,
        target=target,
        selector=_selector(as_mapping(named.get("selector") or body.get("metricSelector"))),
        described=(str(described.get("kind") or ""), str(described.get("name") or "")),
        container=str(body.get("container") or ""),
    )


def _target(body: Mapping[str, Any]) -> tuple[str, float | None]:
    """The target of v2 and v2beta2, or of v2beta1, which had it beside the name."""
    target = as_mapping(body.get("target"))
    for target_type, key, older in (
        ("Utilization", "averageUtilization", "targetAverageUtilization"),
        ("AverageValue", "averageValue", "targetAverageValue"),
        ("Value", "value", "targetValue"),
    ):
        value = target.get(key, body.get(older))
        if value is not None:
            return target_type, quantity(value)
    return "", None


def _selector(data: Mapping[str, Any]) -> tuple[LabelRequirement, ...]:
    found = [
        LabelRequirement(key, values=(value,), equals=True)
        for key, value in as_texts(data.get("matchLabels")).items()
    ]
    listed = data.get("matchExpressions")
    for one in listed if isinstance(listed, list) else []:
        one = as_mapping(one)
        values = one.get("values")
        found.append(
            LabelRequirement(
                str(one.get("key", "")),
                str(one.get("operator", "")),
                tuple(sorted(map(str, values if isinstance(values, list) else []))),
            )
        )
    return tuple(found)
