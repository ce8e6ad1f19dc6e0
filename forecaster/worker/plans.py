"""The plans of the fleet, each of an outlook without events and the events that are known now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from forecaster.errors import ForecastError, PrerollError, StoreError
from forecaster.events import Calendar, Event
from forecaster.events.uplift import UpliftModel
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.outlook import Outlook
from forecaster.planning.plan import Plan, build_plan
from forecaster.planning.target import Held
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import StoredUplift
from forecaster.worker.floors_ahead import FloorsAhead
from forecaster.worker.known_ahead import KnownAhead
from forecaster.worker.words import without_name

__all__ = ["Plans"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Known:
    """What the plan of a workload is made of, but for the calendar."""

    settings: WorkloadSettings
    outlook: Outlook
    uplift: UpliftModel | None

    def lifted(self, calendar: Calendar) -> Outlook:
        if self.uplift is None:
            return self.outlook
        return outlook_with_events(self.outlook, self.uplift, calendar)


class Plans:
    """The latest plan of each workload, under its present rule.

    ``held`` gives the needs of a workload in the steps just past.
    """

    def __init__(self, fleet: Fleet, held: Callable[[str], tuple[Held, ...]]) -> None:
        self.active = fleet.active
        """The workloads that are planned for."""
        self._held = held
        self._ahead = KnownAhead()
        self._floors = FloorsAhead(self.active)
        self._plans: dict[str, Plan] = {}
        self._known: dict[str, _Known] = {}
        self.untaught: dict[str, str] = {}
        """Why it cannot be read what past events taught, of those workloads where it cannot."""

    def get(self, workload: str) -> Plan | None:
        """The plan of a workload, an ended one included."""
        return self._plans.get(workload)

    def all(self) -> tuple[Plan, ...]:
        """The plans of the workloads that have one, ended ones included."""
        return tuple(self._plans.values())

    def floors(self, workload: str, now: datetime) -> tuple[Event, ...]:
        """The events with a floor that concern a workload about ``now``, planned for or not."""
        return self._floors.of(workload, now) if workload in self.active else ()

    def take_fleet(self, fleet: Fleet) -> list[str]:
        """Other workloads or rules: plan by them at once.

        Returns the workloads of which no outlook is known here that makes a plan.
        """
        before = dict(self.active)
        self.active.clear()
        self.active.update(fleet.active)  # the same mapping: the floors look into it too
        for name in before.keys() - self.active.keys():
            self._drop(name)
        without = []
        for name, settings in self.active.items():
            if settings == before.get(name):
                continue
            self._floors.forget(name)
            known = self._known.get(name)
            try:
                if known is None:
                    raise ForecastError(f"{name}: no outlook yet")
                known = replace(known, settings=settings)
                self._plan(known, self._held(name))
                self._known[name] = known
            except ForecastError:
                self._drop(name)
                without.append(name)
        return without

    def take_outlook(
        self, outlook: Outlook, held: Iterable[Held], uplift: StoredUplift | None = None
    ) -> Plan | None:
        """Plan by this outlook from now on, lifted by the events that are known, now and later.

        Without ``uplift`` it is taken as it is: an older Preroll has lifted it already. An uplift
        that cannot be read counts as one that knows no past event, and is ``untaught``. None for a
        workload that is off, or not configured. Raises ForecastError where the outlook makes no
        plan under the rule.
        """
        settings = self.active.get(outlook.series_id)
        if settings is None:
            return None
        known = _Known(settings, outlook, None if uplift is None else self._taught(uplift))
        plan = self._plan(known, held)
        self._known[outlook.series_id] = known
        return plan

    def take_calendar(self, calendar: Calendar, now: datetime) -> list[str]:
        """Plan by another calendar; the workloads whose plans or floors are others now.

        Plans that have ended stay as they are, and one that cannot be made leaves the one before.
        """
        floors = self._floors.take(calendar, now)  # first: they hold whatever becomes of a plan
        spans = {
            name: (self.active[name], plan.outlook.start, plan.outlook.end)
            for name, plan in self._plans.items()
            if plan.end > now
        }
        changed = self._ahead.take(calendar, spans)
        for name in changed:
            try:
                self._plan(self._known[name], self._held(name))
            except ForecastError as error:
                _log.error("not planned anew", extra={"workload": name, "error": str(error)})
        return list(dict.fromkeys([*changed, *floors]))

    def _plan(self, known: _Known, held: Iterable[Held]) -> Plan:
        name = known.settings.workload
        # Asked for in any case: only what was asked for is seen to change.
        part = self._ahead.part(known.settings, known.outlook.start, known.outlook.end)
        try:
            lifted, rule = known.lifted(part), known.settings.rule
            plan = build_plan(lifted, rule, tuple(held), part.events)
        except (PrerollError, ValueError) as error:  # ValueError: a quantile that it does not reach
            raise ForecastError(f"{name}: {error}") from error
        self._plans[name] = plan
        return plan

    def _drop(self, workload: str) -> None:
        self._plans.pop(workload, None)
        self._known.pop(workload, None)
        self.untaught.pop(workload, None)
        self._floors.forget(workload)

    def _taught(self, uplift: StoredUplift) -> UpliftModel:
        name = uplift.workload
        self.untaught.pop(name, None)
        try:
            return uplift.unpack()
        except StoreError as error:
            _log.error("uplift unusable", extra={"workload": name, "error": str(error)})
            reason = without_name(str(error), name)
            self.untaught[name] = f"{reason}; events lift by what is declared alone"
            return UpliftModel()
