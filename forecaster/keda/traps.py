"""Everything in a set of objects that is accepted, and does not do what it seems to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from forecaster.keda.existing import is_made_by_keda
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import headroom_path, is_preroll_trigger, target_path
from forecaster.keda.object_traps import object_traps, rule_traps, triggers_in
from forecaster.keda.objects import TRANSFER
from forecaster.keda.options import DEFAULT_OPTIONS, ScaledObjectOptions
from forecaster.keda.trap import Trap, name_of
from forecaster.keda.trigger_traps import trigger_traps
from forecaster.settings.values import WorkloadSettings

__all__ = ["find_traps"]

# A team declares its workload on the object itself.
_DECLARED = "preroll.io/enabled"
_EXTERNAL_METRICS = "v1beta1.external.metrics.k8s.io"
# KEDA's own Service, however its release is called.
_KEDAS_SERVICE = "-metrics-apiserver"


def find_traps(
    objects: Iterable[Mapping[str, Any]],
    known: Iterable[WorkloadSettings] | None = None,
    options: ScaledObjectOptions = DEFAULT_OPTIONS,
) -> list[Trap]:
    """The traps of KEDA's objects and of what stands beside them (HPAs, workloads, APIServices).

    ``known`` are the workloads of the settings, None where there are none to compare with;
    ``options`` says which versions have to understand the objects, and whether a token is needed.
    The order is that of the objects.
    """
    listed = list(objects)
    rules = None if known is None else {one.workload: one for one in known}
    traps: list[Trap] = []
    for data in listed:
        kind = data.get("kind")
        if kind == "ScaledObject":
            traps += _scaled_object(data, rules, options)
        elif kind == "APIService":
            traps += _api_service(data)
    traps += _adapters_metrics(listed)
    traps += _two_for_one(listed)
    traps += _requests(listed)
    return traps


def _scaled_object(
    data: Mapping[str, Any],
    known: Mapping[str, WorkloadSettings] | None,
    options: ScaledObjectOptions,
) -> Iterator[Trap]:
    subject, workload = name_of(data), _workload(data)
    yield from object_traps(subject, data, options)
    asked = places = None
    for at, trigger in enumerate(triggers_in(data)):
        place = f"spec.triggers[{at}]"
        yield from trigger_traps(
            subject, place, trigger, mapping_at(data, "spec"), workload, options
        )
        url = str(mapping_at(trigger, "metadata").get("url") or "")
        if is_preroll_trigger(trigger):
            asked = target_path(url)
        places = headroom_path(url) or places
    asked = asked or places
    if known is None or asked is None:
        return
    if asked in known:
        if not places:
            yield from rule_traps(subject, data, known[asked])
    elif mapping_at(data, "metadata", "annotations").get(_DECLARED) != "true":
        told = "no such workload is in preroll.yaml, and Preroll answers 404"
        namespace, _, name = asked.partition("/")
        advice = (
            f"write workloads: [{{namespace: {namespace}, name: {name}, capacity: …}}] there, or "
            f'annotate the ScaledObject: {_DECLARED}: "true", preroll.io/capacity: "…"'
        )
        yield Trap("unknown-workload", subject, "", asked, told, advice)


def _workload(data: Mapping[str, Any]) -> str:
    namespace = mapping_at(data, "metadata").get("namespace") or "default"
    return f"{namespace}/{mapping_at(data, 'spec', 'scaleTargetRef').get('name')}"


def _api_service(data: Mapping[str, Any]) -> Iterator[Trap]:
    """KEDA has to be the one that answers for external metrics."""
    if mapping_at(data, "metadata").get("name") != _EXTERNAL_METRICS:
        return
    service = mapping_at(data, "spec", "service")
    name = str(service.get("name") or "")
    if name.endswith(_KEDAS_SERVICE):
        return
    shown = f"{service.get('namespace')}/{name}" if name else "missing"
    told = (
        "another one than KEDA answers for external metrics, a cluster has room for one, and no "
        "ScaledObject scales by an external trigger meanwhile"
    )
    advice = (
        "take the external rules out of that adapter, delete the APIService, and install KEDA, "
        "which makes it anew"
    )
    yield Trap("second-owner", name_of(data), "spec.service", shown, told, advice)


def _adapters_metrics(objects: Sequence[Mapping[str, Any]]) -> Iterator[Trap]:
    """An HPA that asks an adapter for external metrics, beside ScaledObjects that need KEDA."""
    scaled_objects = [one for one in objects if one.get("kind") == "ScaledObject"]
    taken = {_taken_over(one) for one in scaled_objects}
    for one in objects:
        hpa = one.get("kind") == "HorizontalPodAutoscaler" and not is_made_by_keda(one)
        if not hpa or not scaled_objects or name_of(one) in taken:
            continue
        metrics = mapping_at(one, "spec").get("metrics")
        for at, metric in enumerate(metrics if isinstance(metrics, list) else []):
            if mapping_at(metric).get("type") == "External":
                name = mapping_at(metric, "external", "metric").get("name")
                told = (
                    "it comes from another adapter than KEDA, a cluster has room for one, and one "
                    "of them goes without its external metrics"
                )
                advice = f"give it to preroll scaledobject by --from, with {name_of(one)}"
                place = f"spec.metrics[{at}]"
                yield Trap("second-owner", name_of(one), place, str(name), told, advice)


def _two_for_one(objects: Sequence[Mapping[str, Any]]) -> Iterator[Trap]:
    """Two that scale one workload undo each other's work."""
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    scalers = [
        one
        for one in objects
        if one.get("kind") == "ScaledObject"
        or (one.get("kind") == "HorizontalPodAutoscaler" and not is_made_by_keda(one))
    ]
    for one in scalers:
        target = mapping_at(one, "spec", "scaleTargetRef")
        key = (str(target.get("kind") or "Deployment"), _workload(one))
        other = first.setdefault(key, one)
        if other is one or _same(one, other) or _takes_over(one, other) or _takes_over(other, one):
            continue
        told = f"{name_of(other)} scales the same, and the two undo each other's work"
        kinds = {one.get("kind"), other.get("kind")}
        advice = "keep one of them"
        if len(kinds) == 2:
            hpa = one if one.get("kind") != "ScaledObject" else other
            advice = (
                f'let KEDA take the HPA over: annotation {TRANSFER}: "true" and advanced.'
                f"horizontalPodAutoscalerConfig.name: {mapping_at(hpa, 'metadata').get('name')} on "
                "the ScaledObject"
            )
        yield Trap("two-autoscalers", name_of(one), "spec.scaleTargetRef", key[1], told, advice)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two versions of one object, such as the one found and the one made of it."""
    return name_of(one) == name_of(other)


def _takes_over(scaled_object: Mapping[str, Any], hpa: Mapping[str, Any]) -> bool:
    return name_of(hpa) == _taken_over(scaled_object)


def _taken_over(scaled_object: Mapping[str, Any]) -> str | None:
    """The HPA that KEDA takes over by this object, as ``name_of`` names it."""
    if scaled_object.get("kind") != "ScaledObject":
        return None
    config = mapping_at(scaled_object, "spec", "advanced", "horizontalPodAutoscalerConfig")
    metadata = mapping_at(scaled_object, "metadata")
    if mapping_at(metadata, "annotations").get(TRANSFER) != "true" or not config.get("name"):
        return None
    named = {"name": config["name"], "namespace": metadata.get("namespace")}
    return name_of({"kind": "HorizontalPodAutoscaler", "metadata": named})


def _requests(objects: Sequence[Mapping[str, Any]]) -> Iterator[Trap]:
    """A share of a request needs a request: KEDA's webhook refuses the object otherwise."""
    scaled = {
        (
            str(one.get("kind")),
            f"{mapping_at(one, 'metadata').get('namespace') or 'default'}/"
            f"{mapping_at(one, 'metadata').get('name')}",
        ): one
        for one in objects
        if one.get("kind") in ("Deployment", "StatefulSet")
    }
    for one in objects:
        if one.get("kind") != "ScaledObject":
            continue
        kind = str(mapping_at(one, "spec", "scaleTargetRef").get("kind") or "Deployment")
        workload = scaled.get((kind, _workload(one)))
        if workload is None:
            continue
        for at, trigger in enumerate(triggers_in(one)):
            bare = _without_request(workload, trigger)
            if bare:
                resource = str(trigger["type"])
                told = f"{', '.join(bare)} has no resources.requests.{resource} to be a share of"
                advice = f"write resources: {{requests: {{{resource}: …}}}} in {name_of(workload)}"
                place = f"spec.triggers[{at}]"
                yield Trap("no-requests", name_of(one), place, resource, told, advice)


def _without_request(workload: Mapping[str, Any], trigger: Mapping[str, Any]) -> list[str]:
    if trigger.get("type") not in ("cpu", "memory") or trigger.get("metricType") != "Utilization":
        return []
    only = mapping_at(trigger, "metadata").get("containerName")
    containers = mapping_at(workload, "spec", "template", "spec").get("containers")
    return [
        f"container {mapping_at(one).get('name')}"
        for one in (containers if isinstance(containers, list) else [])
        if only in (None, mapping_at(one).get("name"))
        and not _has(mapping_at(one, "resources"), str(trigger["type"]))
    ]


def _has(resources: Mapping[str, Any], resource: str) -> bool:
    """A limit alone is a request as well."""
    return any(resource in mapping_at(resources, one) for one in ("requests", "limits"))
