"""An HPA's ``behavior`` as the simulated controller takes it, with the API server's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecaster.backtest.hpa import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    PolicyType,
    ScaleBehavior,
    ScalePolicy,
    ScaleRules,
    SelectPolicy,
)
from forecaster.errors import ManifestError
from forecaster.migration.manifests import as_mapping

__all__ = ["read_behavior"]


def read_behavior(data: Mapping[str, Any]) -> ScaleBehavior | None:
    """None where the HPA has none, which is another code path; ManifestError for a bad value.

    Tolerances are left out: controllers that act on the exporter's 11/10 are older than they are.
    """
    if not data:
        return None
    try:
        return ScaleBehavior(
            _rules(as_mapping(data.get("scaleUp")), DEFAULT_SCALE_UP),
            _rules(as_mapping(data.get("scaleDown")), DEFAULT_SCALE_DOWN),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(
            f"behavior {dict(data)} cannot be read: {error}; a policy is for example "
            "{type: Percent, value: 20, periodSeconds: 60}"
        ) from error


def _rules(data: Mapping[str, Any], default: ScaleRules) -> ScaleRules:
    listed = data.get("policies")
    policies = tuple(
        ScalePolicy(PolicyType(str(one["type"])), int(one["value"]), int(one["periodSeconds"]))
        for one in (listed if isinstance(listed, list) else [])
    )
    window = data.get("stabilizationWindowSeconds")
    return ScaleRules(
        policies=policies or default.policies,
        stabilization_window_seconds=(
            default.stabilization_window_seconds if window is None else float(window)
        ),
        select_policy=SelectPolicy(str(data.get("selectPolicy") or "Max")),
    )
