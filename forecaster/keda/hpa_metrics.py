"""The metrics of an HPA as KEDA's triggers, and what KEDA has no equal for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecaster.keda.manifests import mapping_at
from forecaster.keda.trap import Trap, name_of

__all__ = ["EXPORTER_METRICS", "triggers_of"]

EXPORTER_METRICS = ("prescaling_metric", "prescale_metric")
"""What prescaling-exporter calls its metric, now and in older versions."""

_Found = tuple[tuple[dict[str, Any], ...], tuple[Trap, ...]]
# What Kubernetes does with an HPA that names no metric.
_DEFAULT_UTILISATION = 80


def triggers_of(hpa: Mapping[str, Any]) -> _Found:
    """KEDA's triggers for an HPA of autoscaling/v1, v2beta2 or v2, and what is lost, as traps."""
    spec = mapping_at(hpa, "spec")
    version = str(hpa.get("apiVersion"))
    if version == "autoscaling/v1":
        return _of_v1(hpa, spec)
    if version not in ("autoscaling/v2", "autoscaling/v2beta2"):
        told = "its metrics are written in another way, and none of them is taken over"
        advice = "give it as autoscaling/v2: kubectl get hpa NAME -o yaml"
        return (), (Trap("hpa-version", name_of(hpa), "apiVersion", version, told, advice),)
    metrics = spec.get("metrics")
    if not metrics:
        return (_resource("cpu", "Utilization", str(_DEFAULT_UTILISATION), None),), ()
    triggers, lost = [], []
    for at, metric in enumerate(metrics if isinstance(metrics, list) else []):
        trigger = _resource_trigger(mapping_at(metric))
        if trigger is None:
            lost.append(_lost(hpa, at, mapping_at(metric)))
        else:
            triggers.append(trigger)
    return tuple(_named_apart(triggers)), tuple(lost)


def _of_v1(hpa: Mapping[str, Any], spec: Mapping[str, Any]) -> _Found:
    share = spec.get("targetCPUUtilizationPercentage") or _DEFAULT_UTILISATION
    more = "autoscaling.alpha.kubernetes.io/metrics"
    lost: tuple[Trap, ...] = ()
    if more in mapping_at(hpa, "metadata", "annotations"):
        told = "the metrics in it are not taken over"
        advice = "give the HPA as autoscaling/v2: kubectl get hpa NAME -o yaml"
        place = f"metadata.annotations[{more}]"
        lost = (Trap("hpa-version", name_of(hpa), place, "", told, advice),)
    return (_resource("cpu", "Utilization", str(share), None),), lost


def _resource_trigger(metric: Mapping[str, Any]) -> dict[str, Any] | None:
    """The cpu or memory trigger of a Resource or ContainerResource metric, else None."""
    kind = metric.get("type")
    if kind not in ("Resource", "ContainerResource"):
        return None
    resource = mapping_at(metric, "resource" if kind == "Resource" else "containerResource")
    target, name = mapping_at(resource, "target"), resource.get("name")
    if name not in ("cpu", "memory"):
        return None
    container = str(resource["container"]) if resource.get("container") else None
    if target.get("type") == "Utilization" and target.get("averageUtilization") is not None:
        return _resource(name, "Utilization", str(target["averageUtilization"]), container)
    if target.get("type") == "AverageValue" and target.get("averageValue") is not None:
        return _resource(name, "AverageValue", str(target["averageValue"]), container)
    return None


def _resource(kind: str, metric_type: str, value: str, container: str | None) -> dict[str, Any]:
    metadata = {"value": value}
    if container is not None:
        metadata["containerName"] = container
    return {"type": kind, "name": kind, "metricType": metric_type, "metadata": metadata}


def _named_apart(triggers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """KEDA refuses two triggers of one name: the second one of a container is called after it."""
    seen: set[str] = set()
    for one in triggers:
        name, count = one["name"], 2
        if name in seen and "containerName" in one["metadata"]:
            name = f"{name}-{one['metadata']['containerName']}"
        while name in seen:
            name, count = f"{one['name']}-{count}", count + 1
        seen.add(name)
        one["name"] = name
    return triggers


def _lost(hpa: Mapping[str, Any], at: int, metric: Mapping[str, Any]) -> Trap:
    kind = str(metric.get("type"))
    below = {"External": "external", "Pods": "pods", "Object": "object"}.get(kind, "")
    body = mapping_at(metric, below) if below else {}
    name = str(mapping_at(body, "metric").get("name") or "")
    place = f"spec.metrics[{at}]"
    shown = f"{kind} {name}".strip()
    if not below:
        told = "KEDA has no trigger for it, and it is left out"
        advice = "write one by hand, or leave it out"
        return Trap("metric-lost", name_of(hpa), place, shown, told, advice)
    if kind == "External" and name in EXPORTER_METRICS:
        told = (
            "it is prescaling-exporter's, whose windows and events no trigger can stand for; it is "
            "left out"
        )
        advice = (
            "move the whole set-up with preroll migrate, which makes Preroll's floors of them; for "
            "example: kubectl get hpa,deployments,prescalingevents,configmaps --all-namespaces "
            "--output yaml | preroll migrate - --output migration"
        )
        return Trap("exporter-metric", name_of(hpa), place, shown, told, advice)
    effect = (
        "it comes through an adapter's metrics API, and KEDA has to ask the source itself; it is "
        "left out"
    )
    return Trap("metric-lost", name_of(hpa), place, shown, effect, _by_hand(kind, name, body))


def _by_hand(kind: str, name: str, body: Mapping[str, Any]) -> str:
    """What to write instead: a prometheus trigger with the adapter's query behind the name."""
    target = mapping_at(body, "target")
    metric_type = "Value" if target.get("type") == "Value" else "AverageValue"
    threshold = str(target.get("averageValue") or target.get("value") or "1")
    labels = mapping_at(body, "metric", "selector", "matchLabels")
    said = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    where = f"{{{said}}}" if said else ""
    of = {
        "Pods": "the query of the adapter's rule, summed over the pods",
        "Object": "the query of the adapter's rule for that object",
    }.get(kind, "the query of the adapter's rule")
    return (
        f"write a trigger: {{type: prometheus, name: {name.replace('_', '-') or 'requests'}, "
        f"metricType: {metric_type}, metadata: {{serverAddress: http://prometheus:9090, "
        f'query: "…", threshold: "{_plain_number(threshold)}"}}}}, with {of} {name}{where} as the '
        "query: it must give one number"
    )


def _plain_number(quantity: str) -> str:
    """A quantity such as 1500m as the plain number that a threshold is."""
    factors = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    for unit in sorted(factors, key=len, reverse=True):
        if quantity.endswith(unit):
            try:
                return f"{float(quantity.removesuffix(unit)) * factors[unit]:.15g}"
            except ValueError:
                return quantity
    return quantity
