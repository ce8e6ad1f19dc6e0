"""A daily schedule typed by hand over an HPA: KEDA's cron trigger, or a script that sets minima."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import numpy as np

from forecaster.backtest.policies.base import (
    USUAL_UTILISATION,
    Floor,
    Setting,
    check_factor,
    check_utilisation,
    served_floor,
)
from forecaster.backtest.policies.clock_table import clock_days
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.planning.capacity import replicas_for

__all__ = ["Schedule"]

_FACTORS = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.15)


@dataclass(frozen=True)
class Schedule:
    """Per clock slot, the highest traffic of the last ``days`` days × ``factor``, as a floor.

    Working days and weekends apart once 14 days are known; the slots are those of ``timezone``.
    The HPA beneath is the one the team had before, so it has the usual utilisation.
    """

    factor: float = 1.0
    utilisation: float | None = USUAL_UTILISATION
    days: int = 14
    slot: timedelta = timedelta(minutes=30)
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        check_factor(self.factor)
        check_utilisation(self.utilisation)

    @property
    def name(self) -> str:
        """``schedule``."""
        return "schedule"

    @property
    def setting(self) -> Setting:
        """The factor, and the utilisation of the HPA beneath."""
        return {"factor": self.factor, "utilisation": self.utilisation}

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        """The typed replicas; a slot that was never observed has the minimum."""
        rates = np.zeros(len(span))
        for today in clock_days(
            span,
            settings.lead_steps(span.series.step),
            days=self.days,
            slot=self.slot,
            timezone=self.timezone,
            day_classes=True,
        ):
            rates[today.first : today.last] = np.nan_to_num(today.peaks_rps)[today.slot]
        return served_floor(replicas_for(rates * self.factor, settings.rule()))

    def variants(self) -> tuple[Self, ...]:
        """From half of the highest traffic to a little more than all of it."""
        return tuple(replace(self, factor=factor) for factor in _FACTORS)
