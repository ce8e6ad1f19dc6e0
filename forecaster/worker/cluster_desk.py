"""The cluster in the serving process: what the reader tells, beside targets and plans."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable
from datetime import datetime

from forecaster.cluster.delivered import DeliveryBook
from forecaster.cluster.fit import capacity_warnings
from forecaster.cluster.fit_warning import FitWarning, news
from forecaster.cluster.planned import planned
from forecaster.cluster.standing import Standing
from forecaster.errors import NoUsablePlan, StoreError
from forecaster.events import Calendar
from forecaster.planning.plan import Plan
from forecaster.planning.snapshot import WorkloadState
from forecaster.settings import Fleet
from forecaster.store import NoteShelf
from forecaster.worker.cluster_messages import (
    ClusterHealth,
    ClusterMessage,
    ClusterRoom,
    ClusterSeen,
    Declared,
    LeadTimesSeen,
    SeenLead,
    SeenWorkload,
)
from forecaster.worker.cluster_view import ClusterView, ClusterWorkload
from forecaster.worker.late_events import LateEvents
from forecaster.worker.roster import MeasuredLeadTime, Roster

__all__ = ["ClusterDesk"]

_NOTE = "delivered"

_log = logging.getLogger(__name__)


class ClusterDesk:
    """Takes messages in, judges deliveries and plans by them; one thread's.

    ``roster`` hears what concerns the fleet. ``watched`` says whether anybody reads the cluster.
    """

    def __init__(self, roster: Roster, shelf: NoteShelf, *, watched: bool) -> None:
        self._roster = roster
        self._shelf = shelf
        self._watched = watched
        self._seen: dict[str, SeenWorkload] = {}
        self._leads: dict[str, SeenLead] = {}
        self._room = ClusterRoom()
        self._health = ClusterHealth()
        self._problems: tuple[str, ...] = ()
        self._fit: tuple[FitWarning, ...] = ()
        self._told: dict[tuple[str, str, str, str], FitWarning] = {}
        self._late = LateEvents()
        self._book = DeliveryBook()
        self._judged: tuple[object, ...] = ()

    @property
    def fit(self) -> tuple[FitWarning, ...]:
        """What will not fit, by the last look ahead."""
        return self._fit

    def load(self) -> None:
        """Take the deliveries of the last day from the store; what cannot be read is left out."""
        try:
            found = self._shelf.load(_NOTE)
            if found is not None:
                rows = [
                    (str(name), int(minute), base64.b64decode(ring))
                    for name, minute, ring in json.loads(found)
                ]
                self._book = DeliveryBook.from_rows(rows)
        except (StoreError, ValueError, TypeError) as error:
            _log.warning("deliveries unreadable", extra={"error": str(error)})

    def save(self) -> None:
        """Keep them for a restart."""
        rows = [
            (name, minute, base64.b64encode(ring).decode())
            for name, minute, ring in self._book.to_rows()
        ]
        try:
            self._shelf.save(_NOTE, json.dumps(rows))
        except StoreError as error:
            _log.warning("deliveries not stored", extra={"error": str(error)})

    def take(self, message: ClusterMessage) -> None:
        """What the reader tells."""
        match message:
            case ClusterSeen(workloads):
                for name, one in workloads.items():
                    if one is None:
                        self._seen.pop(name, None)
                    else:
                        self._seen[name] = one
            case Declared(workloads, problems):
                self._problems = problems
                self._roster.take_declared(workloads)
            case LeadTimesSeen(leads):
                self._leads |= leads
                self._roster.take_lead_times(
                    {
                        name: MeasuredLeadTime(one.measured.lead_time, one.measured.reason)
                        for name, one in leads.items()
                        if one.measured.measured is not None
                    }
                )
            case ClusterRoom():
                self._room = message
            case ClusterHealth():
                self._health = message

    def take_calendar(self, calendar: Calendar, fleet: Fleet, now: datetime) -> None:
        """What is known ahead at ``now``: some of it may have come too late."""
        self._late.take(calendar, fleet, now)

    def take_trouble(self, reason: str, now: datetime) -> None:
        """Nobody reads the cluster from now on; what is known grows old."""
        as_of = {kind: at or now.timestamp() for kind, at in self._health.as_of.items()}
        self._health = ClusterHealth((reason,), self._health.known, as_of)

    def note(self, states: Iterable[WorkloadState], now: datetime) -> None:
        """What is asked for and what is there, of the workloads that the cluster has."""
        names = []
        for state in states:
            name = state.workload
            names.append(name)
            seen = self._seen.get(name)
            if seen is None:
                continue
            try:
                target: int | None = state.target(now).replicas
            except NoUsablePlan:
                target = None
            standing = Standing.seen(
                seen.ready, seen.scaled, seen.autoscaler, seen.scaled_object, seen.unschedulable
            )
            self._book.note(name, now.timestamp(), target, state.rule.lead_time, standing)
        self._book.retain(names)

    def look_ahead(self, plans: Iterable[Plan], now: datetime) -> tuple[FitWarning, ...]:
        """Whether the plans will fit; what is new of what will not.

        Nothing is computed anew while plans, room and workloads are the same as last.
        """
        if not self._watched:
            return ()
        ahead = tuple(one for one in plans if one.end > now)
        judged = (ahead, self._room, tuple(self._seen.items()))
        if judged == self._judged:
            return ()
        self._judged = judged
        found = []
        for plan in ahead:
            namespace, _, name = plan.outlook.series_id.partition("/")
            seen = self._seen.get(plan.outlook.series_id, SeenWorkload())
            found.append(
                planned(
                    namespace,
                    name,
                    plan,
                    seen.scaled,
                    seen.scaled_object,
                    seen.autoscaler,
                    seen.pods,
                )
            )
        self._fit = capacity_warnings(now, found, self._room.quotas, self._room.nodes)
        # Against what was told, not what was computed last: what grows in small steps is told too.
        fresh, keys = news(self._told.values(), self._fit), {one.key for one in self._fit}
        self._told = {key: one for key, one in self._told.items() if key in keys}
        self._told |= {one.key: one for one in fresh}
        return fresh

    def view(self, fleet: Fleet, now: datetime) -> ClusterView:
        """What is known now, for whoever serves it."""
        workloads = {}
        for one in fleet.workloads:
            name = one.workload
            workloads[name] = ClusterWorkload(
                self._seen.get(name),
                self._leads.get(name),
                self._roster.capacity_of(name),
                self._book.get(name),
            )
        return ClusterView(
            self._watched,
            workloads,
            self._fit,
            self._late.told(now),
            self._health,
            self._problems,
        )
