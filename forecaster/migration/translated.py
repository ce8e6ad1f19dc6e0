"""An HPA's metric as a trigger of KEDA with the same meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecaster.migration.adapter import AdapterRule
from forecaster.migration.adapter_query import AdapterQuery, external_query, object_query
from forecaster.migration.hpa_metrics import MetricSource, OldMetric
from forecaster.migration.old_setup import OldAutoscaler
from forecaster.migration.quantity import plain_number

__all__ = ["Translated", "pods_of", "translate"]

_MEBIBYTE = 2.0**20


@dataclass(frozen=True)
class Translated:
    """``trigger`` None: there is none, and ``told`` says why; ``change`` is a note's kind.

    ``promql`` is the query that stands behind a trigger of Prometheus, ``series`` its series.
    """

    metric: OldMetric
    trigger: Mapping[str, Any] | None
    change: str
    told: str
    promql: str = ""
    series: str = ""


def pods_of(old: OldAutoscaler) -> str:
    """The regular expression of the names of its pods.

    A Deployment's pods have a hash and five letters, a StatefulSet's a number.
    """
    name = re.escape(old.target_name).replace("\\-", "-")
    hashed = "[0-9]+" if old.target_kind == "StatefulSet" else "[0-9a-z]+-[0-9a-z]{5}"
    return f"{name}-{hashed}"


def translate(
    metric: OldMetric, old: OldAutoscaler, rules: Sequence[AdapterRule], prometheus: str
) -> Translated:
    """Resource metrics become cpu and memory, the adapter's become its query, asked by KEDA."""
    if metric.source in (MetricSource.RESOURCE, MetricSource.CONTAINER):
        return _resource(metric)
    external = metric.source is MetricSource.EXTERNAL
    found = [
        (rule, series)
        for rule in rules
        if rule.external is external and (series := rule.series_of(metric.name)) is not None
    ]
    if not found:
        told = (
            f"{metric.called}: no rule of prometheus-adapter that was given makes it; give its "
            "ConfigMap too, or write the trigger by hand"
        )
        return Translated(metric, None, "dropped", told)
    rule, series = found[0]
    query = _query(metric, old, rule, series)
    if query.why_not:
        return Translated(metric, None, "dropped", f"{metric.called}: {query.why_not}")
    per_replica = metric.target_type == "AverageValue"
    trigger = {
        "type": "prometheus",
        "name": re.sub(r"[^a-z0-9]+", "-", metric.name.lower()).strip("-")[:60] or "prometheus",
        "metricType": "AverageValue" if per_replica else "Value",
        "metadata": {
            "serverAddress": prometheus,
            "query": query.promql,
            "threshold": plain_number(metric.target),
            # Nothing on record was an error to the HPA, on which it holds; KEDA's default is 0.
            "ignoreNullValues": "false",
        },
    }
    told = f"{metric.called} → trigger prometheus, with the query of {rule.place}"
    return Translated(metric, trigger, "kept", told, query.promql, series)


def _query(metric: OldMetric, old: OldAutoscaler, rule: AdapterRule, series: str) -> AdapterQuery:
    if metric.source is MetricSource.EXTERNAL:
        return external_query(rule, series, old.namespace, metric.selector)
    if metric.source is MetricSource.PODS:
        # The HPA takes the mean of the pods: their sum, shared by all replicas.
        return object_query(
            rule, series, old.namespace, metric.selector, "pod", pods_of(old), pattern=True
        )
    kind, name = metric.described
    return object_query(
        rule, series, old.namespace, metric.selector, kind.lower() or "namespace", name
    )


def _resource(metric: OldMetric) -> Translated:
    if metric.name not in ("cpu", "memory"):
        told = f"{metric.called}: KEDA has triggers for cpu and memory alone"
        return Translated(metric, None, "dropped", told)
    value = plain_number(metric.target)
    if metric.target_type == "AverageValue":
        value = f"{plain_number(metric.target * 1000)}m"
        if metric.name == "memory":
            value = f"{plain_number(metric.target / _MEBIBYTE)}Mi"
    metadata = {"value": value}
    if metric.container:
        metadata["containerName"] = metric.container
    trigger = {
        "type": metric.name,
        "name": metric.name,
        "metricType": metric.target_type,
        "metadata": metadata,
    }
    return Translated(metric, trigger, "kept", f"{metric.called} → trigger {metric.name}")
