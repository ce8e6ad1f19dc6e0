"""The plans of the fleet, each of an outlook and the events that concern its workload."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from forecaster.errors import ForecastError, PrerollError
from forecaster.events import Calendar
from forecaster.models.outlook import Outlook
from forecaster.planning.capacity import Mode
from forecaster.planning.plan import Plan, build_plan
from forecaster.planning.target import Held
from forecaster.settings import Fleet
from forecaster.worker.known_ahead import KnownAhead

__all__ = ["Plans"]

_log = logging.getLogger(__name__)


class Plans:
    """The latest plan of each workload, under its present rule.

    ``held`` gives the needs of a workload in the steps just past.
    """

    def __init__(self, fleet: Fleet, held: Callable[[str], tuple[Held, ...]]) -> None:
        self.active = {
            one.workload: one for one in fleet.workloads if one.rule.mode is not Mode.OFF
        }
        """The workloads that are planned for."""
        self._held = held
        self._ahead = KnownAhead()
        self._plans: dict[str, Plan] = {}

    def get(self, workload: str) -> Plan | None:
        """The plan of a workload, an ended one included."""
        return self._plans.get(workload)

    def all(self) -> tuple[Plan, ...]:
        """The plans of the workloads that have one, ended ones included."""
        return tuple(self._plans.values())

    def take_outlook(self, outlook: Outlook, held: Iterable[Held]) -> Plan | None:
        """Plan by this outlook from now on.

        None for a workload that is off, or not configured. Raises ForecastError where the outlook
        makes no plan under the rule.
        """
        settings = self.active.get(outlook.series_id)
        if settings is None:
            return None
        # The events that concern this workload around these days: ``build_plan`` is to have them.
        self._ahead.part(settings, outlook.start, outlook.end)
        try:
            plan = build_plan(outlook, settings.rule, tuple(held))
        except (PrerollError, ValueError) as error:  # ValueError: a quantile that it does not reach
            raise ForecastError(f"{outlook.series_id}: {error}") from error
        self._plans[outlook.series_id] = plan
        return plan

    def take_calendar(self, calendar: Calendar, now: datetime) -> list[str]:
        """Plan by another calendar; the workloads whose plans are others now.

        Plans that have ended stay as they are, and one that cannot be made leaves the one before.
        """
        self._ahead.take(calendar)
        spans = {
            name: (self.active[name], plan.outlook.start, plan.outlook.end)
            for name, plan in self._plans.items()
            if plan.end > now
        }
        changed = self._ahead.changed(spans)
        for name in changed:
            try:
                self.take_outlook(self._plans[name].outlook, self._held(name))
            except ForecastError as error:
                _log.error("not planned anew", extra={"workload": name, "error": str(error)})
        return changed
