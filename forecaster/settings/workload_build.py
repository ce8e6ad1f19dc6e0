"""From the keys of a workload, in the file or in annotations, to its rule."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.settings.fields import AUTO
from forecaster.settings.values import Measured, WorkloadSettings
from forecaster.settings.workload_shape import DefaultsShape, WorkloadShape

__all__ = ["NOT_MEASURED_YET", "BoundsCross", "build_workload"]

NOT_MEASURED_YET = "capacity: auto, which has not been measured yet"

_RULE_FIELDS = {one.name for one in dataclasses.fields(ScalingRule)} - {"capacity_rps"}
_UNKNOWN_CAPACITY = 1.0  # of a rule that is off: nothing is planned by it


class BoundsCross(ValueError):
    """``min_replicas`` above ``max_replicas``."""


def build_workload(shape: WorkloadShape, defaults: DefaultsShape) -> WorkloadSettings:
    """The workload that ``shape`` describes; what it does not say comes from ``defaults``.

    A lead time that is to be measured starts as the rule's default, within its bounds; a capacity
    that is to be measured leaves the workload off. Raises BoundsCross.
    """
    chosen = {
        name: getattr(defaults, name) if getattr(shape, name) is None else getattr(shape, name)
        for name in _RULE_FIELDS
    }
    least, most = chosen["min_replicas"], chosen["max_replicas"]
    if least > most:
        raise BoundsCross(f"min_replicas {least} is above max_replicas {most}")
    floor, ceiling = defaults.lead_time_floor, defaults.lead_time_ceiling
    measured = Measured(
        chosen["lead_time"] == AUTO, shape.capacity == AUTO, chosen["mode"], floor, ceiling
    )
    if measured.lead_time:
        usual: timedelta = ScalingRule.lead_time
        chosen["lead_time"] = min(max(usual, floor), ceiling)
    off = measured.capacity and measured.mode is not Mode.OFF
    if off:
        chosen["mode"] = Mode.OFF
    capacity = _UNKNOWN_CAPACITY if shape.capacity == AUTO else float(shape.capacity)
    return WorkloadSettings(
        shape.namespace,
        shape.name,
        ScalingRule(capacity_rps=capacity, **chosen),
        dict(shape.labels),
        measured,
        NOT_MEASURED_YET if off else "",
        shape.target_utilisation,
    )
