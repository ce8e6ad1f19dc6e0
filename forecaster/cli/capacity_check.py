"""What ``preroll check-config`` says of capacities that are to be measured."""

from __future__ import annotations

from forecaster.cli.traffic_input import listed
from forecaster.settings import Settings

__all__ = ["capacity_warnings"]


def capacity_warnings(settings: Settings) -> list[str]:
    """A warning where a capacity is to be measured and nothing says what from."""
    auto = tuple(one.workload for one in settings.fleet.workloads if one.measured.capacity)
    if not auto or settings.capacity.saturation is not None:
        return []
    return [
        f"capacity: auto of {listed(auto)} is measured from ready replicas and their saturation, "
        "and nothing says where those are: set capacity.replicas_query and "
        "capacity.saturation_query, as deploy/examples/preroll.yaml does"
    ]
