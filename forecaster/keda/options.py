"""How KEDA's objects are written: where Preroll answers, and for which versions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from forecaster.settings.keda_values import KedaSettings
from forecaster.settings.versions import OLDEST_KEDA, OLDEST_KUBERNETES, Version, show_version

__all__ = [
    "DEFAULT_OPTIONS",
    "ScaledObjectOptions",
    "options_of",
]

_TOLERANCE_KUBERNETES: Version = (1, 35)  # before, behind an alpha gate or unknown
_TOLERANCE_KEDA: Version = (2, 18)
_FALLBACK_BEHAVIOR_KEDA: Version = (2, 17)
_FORMULA_FALLBACK_KEDA: Version = (2, 20)


@dataclass(frozen=True)
class ScaledObjectOptions:
    """What holds for every object that is written.

    ``url`` is where KEDA reaches Preroll, without a path; ``authenticate`` says whether a token is
    sent, from ``secret`` by the TriggerAuthentication ``authentication``, both in the workload's
    own namespace. ``cpu_utilisation`` is the reactive trigger's target in percent of the requests;
    0 for none. ``keep_scale_up`` leaves scaleUp as an existing object has it. ``kubernetes`` and
    ``keda`` are the oldest versions that have to understand the objects. Seconds where it says so.
    ValueError begins with the name of a bad field.
    """

    url: str = "http://preroll.preroll.svc:8080"
    authenticate: bool = True
    authentication: str = "preroll"
    secret: str = "preroll-token"  # noqa: S105  the name of an object, no secret
    cpu_utilisation: int = 70
    polling_seconds: int = 30
    failure_threshold: int = 3
    scale_down_seconds: int = 300
    formula: bool = False
    keep_scale_up: bool = False
    kubernetes: Version = (1, 35)
    keda: Version = (2, 20)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[^\s/?#]+", self.url):
            raise ValueError(f"url must be a scheme, a host and a port, not {self.url!r}")
        if not 0 <= self.cpu_utilisation <= 1000:
            told = f"must lie between 0 (none) and 1000 percent, not {self.cpu_utilisation}"
            raise ValueError(f"cpu_utilisation {told}")
        for name, least, most in (
            ("polling_seconds", 1, 3600),
            ("failure_threshold", 1, 1000),
            ("scale_down_seconds", 0, 3600),
        ):
            if not least <= getattr(self, name) <= most:
                told = f"must lie between {least} and {most}, not {getattr(self, name)}"
                raise ValueError(f"{name} {told}")
        for name, oldest in (("kubernetes", OLDEST_KUBERNETES), ("keda", OLDEST_KEDA)):
            if getattr(self, name) < oldest:
                stands = show_version(getattr(self, name))
                raise ValueError(f"{name} must be at least {show_version(oldest)}, not {stands}")

    @property
    def has_tolerance(self) -> bool:
        """Whether scaleUp.tolerance is on by default, and handed on by KEDA."""
        return self.kubernetes >= _TOLERANCE_KUBERNETES and self.keda >= _TOLERANCE_KEDA

    @property
    def has_fallback_behavior(self) -> bool:
        """Whether KEDA knows fallback.behavior; before, a fallback is always static."""
        return self.keda >= _FALLBACK_BEHAVIOR_KEDA

    @property
    def has_formula_fallback(self) -> bool:
        """Whether a formula may go on without a failing trigger, by ``??``."""
        return self.keda >= _FORMULA_FALLBACK_KEDA


def options_of(settings: KedaSettings, **changed: Any) -> ScaledObjectOptions:
    """The options that the settings say; ``changed`` replaces some of them, by their names here."""
    chosen = ScaledObjectOptions(
        url=settings.url,
        authenticate=settings.authenticate,
        authentication=settings.authentication,
        secret=settings.secret,
        cpu_utilisation=settings.cpu_utilisation,
        polling_seconds=round(settings.polling_interval.total_seconds()),
        failure_threshold=settings.failure_threshold,
        scale_down_seconds=round(settings.scale_down_window.total_seconds()),
        formula=settings.formula,
        kubernetes=settings.kubernetes_version,
        keda=settings.version,
    )
    return replace(chosen, **changed)


DEFAULT_OPTIONS = ScaledObjectOptions()
