"""Preroll as the migrated settings run it: the lead peak and the floors of events, over the HPA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import numpy as np

from forecaster.backtest import EXAMPLE_BEHAVIOR
from forecaster.backtest.policies.base import Floor, Setting, check_utilisation, served_floor
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.events import Event
from forecaster.planning.capacity import replicas_for
from forecaster.planning.event_floor import served_floors
from forecaster.planning.hold import hold
from forecaster.traffic.history import FloatArray

__all__ = ["MovedPreroll"]


@dataclass(frozen=True, eq=False)
class MovedPreroll:
    """One replica is planned to be ``share`` full, as the HPA beneath wants it too.

    ``lead_peak_rps`` as in ``Preroll``; where it is NaN an event's floor is served all the same.
    ``events`` are those of the workload, rules made into events; without them only the forecast
    speaks. ``called`` is the name in output.
    """

    quantile: float
    lead_peak_rps: FloatArray
    share: float
    events: Sequence[Event] = ()
    hold_down: timedelta = timedelta(0)
    called: str = "preroll"

    def __post_init__(self) -> None:
        check_utilisation(self.share)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.called

    @property
    def utilisation(self) -> float | None:
        """The target of the HPA beneath: what it was before."""
        return self.share

    @property
    def setting(self) -> Setting:
        """The quantile, and the utilisation beneath."""
        return {"quantile": self.quantile, "utilisation": self.share}

    def floor(self, span: ReplaySpan, settings: ReplaySettings) -> Floor:
        """The larger of what was forecast and what events declare, held as the planner does."""
        rule = settings.rule(self.quantile, self.hold_down)
        rule = replace(rule, capacity_rps=rule.capacity_rps * self.share)
        unknown = np.isnan(self.lead_peak_rps)
        needed = replicas_for(np.where(unknown, 0.0, self.lead_peak_rps), rule)
        step = span.series.step
        declared = served_floors(self.events, rule, span.at(0), step, span.known_rps)
        needed = np.maximum(needed, declared)
        floor = served_floor(hold(needed, rule.hold_steps(step)), unknown & (declared == 0))
        return replace(floor, behavior=EXAMPLE_BEHAVIOR)

    def variants(self) -> tuple[Self, ...]:
        """Itself."""
        return (self,)
