"""Preroll's trigger, and the reactive ones beside it."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

from forecaster.keda.existing import Existing
from forecaster.keda.naming import is_preroll_trigger
from forecaster.keda.options import ScaledObjectOptions

__all__ = ["preroll_trigger", "triggers_beside"]


def preroll_trigger(
    path: str, options: ScaledObjectOptions, *, asks: str = "targets", name: str = "preroll"
) -> dict[str, Any]:
    """The trigger that asks for the target of ``namespace/name``, or what else ``asks`` names."""
    metadata = {
        "url": f"{options.url}/v1/{asks}/{quote(path, safe='/')}",
        "valueLocation": "replicas",
        "targetValue": "1",
        "format": "json",
    }
    trigger: dict[str, Any] = {
        "type": "metrics-api",
        "name": name,
        "metricType": "AverageValue",
        "metadata": metadata,
    }
    if options.authenticate:
        metadata["authMode"] = "bearer"
        trigger["authenticationRef"] = {"name": options.authentication}
    return trigger


def triggers_beside(
    path: str, options: ScaledObjectOptions, found: Existing | None
) -> list[dict[str, Any]]:
    """Preroll's trigger, in the place of an older one of its kind, and those beside it."""
    kept = [copy.deepcopy(dict(one)) for one in (() if found is None else found.triggers)]
    ours = preroll_trigger(path, options)
    places = [at for at, one in enumerate(kept) if is_preroll_trigger(one)]
    others = [one for one in kept if not is_preroll_trigger(one)]
    for one in others:
        if one.get("name") == ours["name"]:
            one["name"] = f"{one['name']}-{one.get('type')}"
    if not others and options.cpu_utilisation:
        others = [
            {
                "type": "cpu",
                "name": "cpu",
                "metricType": "Utilization",
                "metadata": {"value": str(options.cpu_utilisation)},
            }
        ]
    others.insert(min(places[0], len(others)) if places else 0, ours)
    return others
