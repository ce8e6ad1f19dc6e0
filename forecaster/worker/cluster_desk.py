"""The cluster in the serving process: what the reader tells, beside targets and plans."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from forecaster.cluster.delivered import DeliveryBook
from forecaster.cluster.fit import capacity_warnings
from forecaster.cluster.fit_warning import FitWarning, WarningKey, news
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
    ReaderAlive,
    SeenLead,
    SeenWorkload,
)
from forecaster.worker.cluster_view import ClusterView, ClusterWorkload
from forecaster.worker.late_events import LateEvents
from forecaster.worker.roster import MeasuredLeadTime, Roster

__all__ = ["ClusterDesk"]

_NOTE = "delivered"
_TOO_OLD_SECONDS = 60.0
_AGAIN = timedelta(minutes=5)

_NOTHING = SeenWorkload()

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
        self._told: dict[WarningKey, FitWarning] = {}
        self._late = LateEvents()
        self._book = DeliveryBook()
        self._judged: tuple[object, ...] = ()
        self._judged_at = datetime.min.replace(tzinfo=UTC)

    @property
    def fit(self) -> tuple[FitWarning, ...]:
        """What will not fit, in the words in which it was news.

        While it lasts, its words of now change with each minute: nobody is to be told each time.
        """
        return tuple(self._told.values())

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

    def save(self) -> str | None:
        """Keep them for a restart; why they cannot be kept, or None."""
        rows = [
            (name, minute, base64.b64encode(ring).decode())
            for name, minute, ring in self._book.to_rows()
        ]
        try:
            self._shelf.save(_NOTE, json.dumps(rows))
        except StoreError as error:
            _log.warning("deliveries not stored", extra={"error": str(error)})
            return str(error)
        return None

    def take(self, message: ClusterMessage) -> None:
        """What the reader tells."""
        match message:
            case ClusterSeen(workloads, whole):
                if whole:
                    self._seen = {}
                for name, one in workloads.items():
                    if one is None:
                        self._seen.pop(name, None)
                    else:
                        self._seen[name] = one
            case Declared(workloads, problems, unread):
                self._problems = problems
                self._roster.take_declared(workloads, unread)
                names = {one.workload for one in self._roster.fleet().workloads}
                self._leads = {name: one for name, one in self._leads.items() if name in names}
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
            case ReaderAlive():
                pass

    def take_calendar(self, calendar: Calendar, fleet: Fleet, now: datetime) -> None:
        """What is known ahead at ``now``: some of it may have come too late."""
        self._late.take(calendar, fleet, now)

    def take_trouble(self, reason: str, now: datetime) -> None:
        """Nobody reads the cluster from now on; what is known grows old."""
        as_of = {kind: at or now.timestamp() for kind, at in self._health.as_of.items()}
        self._health = ClusterHealth((reason,), self._health.known, as_of)

    def note(self, states: Iterable[WorkloadState], now: datetime) -> None:
        """What is asked for and what is there, of the workloads that the cluster has.

        What is known of pods must be of now: nobody is judged by what was there some time ago.
        """
        at = now.timestamp()
        as_of = self._health.as_of.get("Pod" if "Pod" in self._health.as_of else "Deployment")
        if as_of is not None and at - as_of > _TOO_OLD_SECONDS:
            return
        for state in states:
            seen = self._seen.get(state.workload)
            if seen is None or seen.ready is None:
                continue
            try:
                target: int | None = state.target(now).replicas
            except NoUsablePlan:
                target = None
            standing = Standing.seen(
                seen.ready, seen.scaled, seen.autoscaler, seen.scaled_object, seen.unschedulable
            )
            self._book.note(state.workload, at, target, state.rule.lead_time, standing)

    def retain(self, workloads: Iterable[str]) -> None:
        """Forget the deliveries of all others."""
        self._book.retain(workloads)

    def look_ahead(self, plans: Iterable[Plan], now: datetime) -> tuple[FitWarning, ...]:
        """Whether the plans will fit; what is new of what will not.

        While plans, room and workloads are the same it is only computed anew now and then, for
        time goes by. What was told is told again when it has grown, or is another peak.
        """
        if not self._watched:
            return ()
        ahead = tuple(one for one in plans if one.end > now)
        seen_of = [self._seen.get(plan.outlook.series_id, _NOTHING) for plan in ahead]
        judged = (ahead, self._room, tuple(map(_taking_room, seen_of)))
        if judged == self._judged and timedelta(0) <= now - self._judged_at < _AGAIN:
            return ()
        self._judged, self._judged_at = judged, now
        found = []
        for plan, seen in zip(ahead, seen_of, strict=True):
            namespace, _, name = plan.outlook.series_id.partition("/")
            found.append(
                planned(
                    namespace,
                    name,
                    plan,
                    seen.scaled,
                    seen.scaled_object,
                    seen.autoscaler,
                    seen.pods,
                    seen.running,
                )
            )
        self._fit = capacity_warnings(now, found, self._room.quotas, self._room.nodes)
        # Against what was told, not what was computed last: what grows in small steps is told too.
        keys = {one.key for one in self._fit}
        self._told = {
            key: one for key, one in self._told.items() if key in keys and one.spans[0].end > now
        }
        fresh = news(self._told.values(), self._fit)
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


def _taking_room(seen: SeenWorkload) -> tuple[object, ...]:
    """What matters of a workload for whether its plan fits; not, for one, how many are ready."""
    scaled, keda, hpa = seen.scaled, seen.scaled_object, seen.autoscaler
    return (
        None if scaled is None else (scaled.replicas, scaled.pod),
        None if keda is None else (keda.name, keda.min_replicas, keda.max_replicas),
        None if hpa is None else (hpa.name, hpa.min_replicas, hpa.max_replicas),
        seen.pods,
        seen.running,
    )
