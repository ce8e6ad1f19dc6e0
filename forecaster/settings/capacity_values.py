"""What capacity is measured from, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.traffic.prometheus import FleetQuery

__all__ = ["NO_CAPACITY", "CapacitySettings"]


@dataclass(frozen=True)
class CapacitySettings:
    """``target_utilisation`` holds for workloads without one of their own.

    ``replicas`` and ``saturation`` are both there or both None: then nothing is measured.
    """

    target_utilisation: float = 0.7
    replicas: FleetQuery | None = None
    saturation: FleetQuery | None = None


NO_CAPACITY = CapacitySettings()
