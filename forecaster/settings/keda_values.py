"""How KEDA's objects are written, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from forecaster.settings.versions import Version

__all__ = ["NO_KEDA", "KedaSettings"]


@dataclass(frozen=True)
class KedaSettings:
    """What ``preroll scaledobject`` writes for every workload; see ``KedaShape`` for each.

    ``authenticate`` is whether a token is sent. ``cpu_utilisation`` is in percent, 0 for none.
    """

    url: str = "http://preroll.preroll.svc:8080"
    authenticate: bool = False
    authentication: str = "preroll"
    secret: str = "preroll-token"  # noqa: S105  the name of an object, no secret
    cpu_utilisation: int = 70
    polling_interval: timedelta = timedelta(seconds=30)
    failure_threshold: int = 3
    scale_down_window: timedelta = timedelta(minutes=5)
    formula: bool = False
    version: Version = (2, 20)
    kubernetes_version: Version = (1, 35)


NO_KEDA = KedaSettings()
