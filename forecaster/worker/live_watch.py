"""The last lead peak of each workload, as the refresher told it."""

from __future__ import annotations

from forecaster.planning.live import NO_LIVE, NO_TRAFFIC, Live, ToldPeak
from forecaster.planning.target import Held
from forecaster.settings import Fleet
from forecaster.worker.messages import Foretold

__all__ = ["LiveWatch"]


class LiveWatch:
    """What was foretold last; how long it counts is for the planner to say.

    ``trouble`` is why lead-peak models cannot be read, or None.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._stale_after = fleet.live_age
        self._step = fleet.step
        self._told: dict[str, ToldPeak] = {}
        self._silent: dict[str, str] = {}
        self.trouble: str | None = None
        self.take_fleet(fleet)

    def take_fleet(self, fleet: Fleet) -> None:
        """Other workloads or rules; a lead peak that was told under another one is dropped."""
        self._rules = {name: one.rule for name, one in fleet.active.items()}
        self._told = {name: one for name, one in self._told.items() if self._fits(name, one)}
        self._silent = {name: why for name, why in self._silent.items() if name in self._rules}

    def take(self, foretold: Foretold) -> None:
        """What the refresher said.

        One that has only just started, and has heard nothing yet, takes no lead peak back: what
        was told before grows old by itself. A lead peak that was told under another rule or step
        is passed over.
        """
        fitting = {name: one for name, one in foretold.lead_peaks.items() if self._fits(name, one)}
        self._told.update(fitting)
        for name, why in foretold.silent.items():
            if why != NO_TRAFFIC:
                self._told.pop(name, None)
            self._silent[name] = why
        self.trouble = foretold.trouble

    def live(self, workload: str, held: tuple[Held, ...]) -> Live:
        """What live traffic says of a workload, and what is held of steps just past."""
        silence = self._silent.get(workload, NO_LIVE.silence)
        return Live(self._told.get(workload), self._stale_after, silence, held)

    def _fits(self, workload: str, told: ToldPeak) -> bool:
        rule, step = self._rules.get(workload), self._step
        if rule is None:
            return False
        wanted = (step, rule.lead_steps(step), rule.quantile)
        return (told.step, told.lead_steps, told.quantile) == wanted
