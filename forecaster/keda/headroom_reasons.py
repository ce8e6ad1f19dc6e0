"""Why head-room's objects are as they are: their comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecaster.keda.object_traps import triggers_in
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.yaml_text import Comments

__all__ = ["headroom_reasons"]

_BEHAVIOR = "spec.advanced.horizontalPodAutoscalerConfig.behavior"
_UP, _DOWN = f"{_BEHAVIOR}.scaleUp", f"{_BEHAVIOR}.scaleDown"
_POD = "spec.template.spec"


def headroom_reasons(
    data: Mapping[str, Any], options: ScaledObjectOptions, workload: str = ""
) -> Comments:
    """The comments of the PriorityClass, the placeholders' Deployment or their ScaledObject.

    ``workload`` is the ``namespace/name`` that places are held for.
    """
    kind = data.get("kind")
    if kind == "PriorityClass":
        return _priority_class()
    return _deployment(workload) if kind == "Deployment" else _scaled_object(data, options)


def _priority_class() -> Comments:
    return {
        "": "One for the cluster. Placeholder pods do nothing but hold places on nodes ahead of a "
        "peak. To switch head-room off, delete all that has the label app.kubernetes.io/name: "
        "preroll-placeholder, and this.",
        "preemptionPolicy": "A placeholder takes only what is free.",
        "value": "Below every ordinary pod's 0, so the scheduler gives its place away at once; and "
        "not below -10, from where on the cluster autoscaler adds no nodes for a pod.",
    }


def _deployment(workload: str) -> Comments:
    return {
        "": f"Placeholder pods for {workload}: the same requests, no work, no grace period. How "
        "many is KEDA's to say, so there are no replicas here: a file that is applied again does "
        "not undo it.",
        f"{_POD}.containers": "It only sleeps. The requests are the sum of those of the "
        "workload's containers and sidecars: print this anew when they change.",
        f"{_POD}.terminationGracePeriodSeconds": "A place is given up without a wait.",
    }


def _scaled_object(data: Mapping[str, Any], options: ScaledObjectOptions) -> Comments:
    reasons = {
        "": "How many placeholders: what the plan asks for until a new node could be there, less "
        "the pods that are there. 0 most of the day, in shadow mode and without a plan. Without a "
        "fallback on purpose: one of 0 replicas flaps between 0 and 1, any other costs nodes "
        "whenever Preroll is away. While it is away the placeholders stay as they are.",
        "spec.minReplicaCount": "Between peaks nothing is held, and nothing is paid for.",
        "spec.maxReplicaCount": "The workload's own. Preroll never asks for more than is left of "
        "it.",
        "spec.pollingInterval": "From 0 KEDA's own loop starts the first placeholder, then HPA the "
        "others.",
        "spec.cooldownPeriod": "From 1 to 0 at once. HPA never goes below 1, and one placeholder "
        "that is left without a place brings a whole node.",
        f"{_UP}.policies": "All of them in one sync.",
        f"{_DOWN}.stabilizationWindowSeconds": "They go just before the pods come that they held "
        "the places for. Any that stay are put out by these, wait for a place of their own, and "
        "bring nodes that nobody needs. Nodes stay for some minutes without them.",
    }
    for at, one in enumerate(triggers_in(data)):
        place = f"spec.triggers[{at}]"
        reasons[f"{place}.metricType"] = "With a target of 1 the value is the number of pods."
        reasons[f"{place}.metadata.url"] = (
            "Whose places are held: the workload as preroll.yaml names it."
        )
        if "authenticationRef" in one:
            reasons[f"{place}.authenticationRef"] = (
                "That of the workload's own ScaledObject, in the same namespace."
            )
    if options.has_tolerance:
        reasons[f"{_DOWN}.tolerance"] = "Not a tenth of them is left behind."
    return reasons
