"""The HPA alone, on measured traffic: what most teams run today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from forecaster.backtest.policies.base import (
    USUAL_UTILISATION,
    Floor,
    Setting,
    check_utilisation,
)
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan

__all__ = ["Hpa"]


@dataclass(frozen=True)
class Hpa:
    """No floor; ``utilisation`` is the target, as a ratio of a replica's capacity."""

    utilisation: float = USUAL_UTILISATION

    def __post_init__(self) -> None:
        check_utilisation(self.utilisation)

    @property
    def name(self) -> str:
        """``hpa``."""
        return "hpa"

    @property
    def setting(self) -> Setting:
        """The target utilisation."""
        return {"utilisation": self.utilisation}

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor | None:
        """None."""
        del span, settings
        return None

    def variants(self) -> tuple[Self, ...]:
        """Itself: the utilisation is its only knob."""
        return (self,)
