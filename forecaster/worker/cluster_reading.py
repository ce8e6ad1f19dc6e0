"""What a reading of the cluster knows, and what of it is news; no IO, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from forecaster.cluster.changes import Told
from forecaster.cluster.declared import AnnotationProblem, DeclaredWorkloads
from forecaster.cluster.inventory import Inventory
from forecaster.cluster.seen import AutoscalerSeen, PodSeen, Scaled, ScaledObjectSeen, Seen
from forecaster.cluster.tables import Difference, Workload, workload_of
from forecaster.settings import KubernetesSettings
from forecaster.worker.cluster_messages import (
    ClusterMessage,
    ClusterRoom,
    ClusterSeen,
    Declared,
    LeadTimesSeen,
    SeenWorkload,
)
from forecaster.worker.cluster_targets import ClusterTargets
from forecaster.worker.reading_health import all_answered, health_of
from forecaster.worker.start_up_watch import KeptLead, StartUpWatch

__all__ = ["ClusterReading"]

# A message of this many workloads is read within milliseconds: nobody who serves waits for it.
_MOST_IN_A_MESSAGE = 250
_ROOM_EVERY_SECONDS = 15.0  # each pod that comes or goes changes a quota

T = TypeVar("T")


class ClusterReading:
    """The cluster as the watches tell it; workloads are those of the settings and declared ones.

    ``configured`` are the workloads (``namespace/name``) of the settings. A workload is what is
    scaled under its name in its namespace; a declared one is what its ScaledObject scales. ``kept``
    and ``fine_before`` are what ``unsaved`` and ``unsaved_objects`` gave before a restart.
    """

    def __init__(
        self,
        settings: KubernetesSettings,
        configured: Iterable[str],
        kept: Mapping[str, KeptLead] = {},
        fine_before: Iterable[ScaledObjectSeen] = (),
    ) -> None:
        named = frozenset(configured)
        self._settings = settings
        self._inventory = Inventory()
        self._declared = DeclaredWorkloads(settings.defaults, named, fine_before)
        self._targets = ClusterTargets(named, self._inventory)
        floor, ceiling = settings.defaults.lead_time_floor, settings.defaults.lead_time_ceiling
        self._start_ups = StartUpWatch(floor, ceiling, kept)
        self._told: dict[str, SeenWorkload] | None = None
        self._told_declared: Declared | None = None
        self._told_room = ClusterRoom()
        self._room_at = 0.0
        self._room_changed = True
        self._told_health: ClusterMessage | None = None
        self._dirty: set[str] = set(named)
        self._declared_anew = False
        self.trouble: tuple[str, ...] = ()
        """Why the API server cannot be used at all, or Events cannot be written."""

    def take(self, told: Told, now: float) -> None:
        """Take in what a watch told."""
        for one in self._inventory.take(told):
            self._take(one, now)

    def problems(self) -> tuple[AnnotationProblem, ...]:
        """What is wrong with annotations, for whoever reports it on the objects."""
        return self._declared.problems() if self._settings.annotations else ()

    def scaled_object_of(self, workload: str) -> ScaledObjectSeen | None:
        """KEDA's object of a workload."""
        target = self._targets.target(workload)
        return None if target is None else self._inventory.scaled_object(target)

    def news(self, now: float) -> list[ClusterMessage]:
        """What is other than it was told last."""
        found: list[ClusterMessage] = [*self._declarations(now), *self._room(now)]
        health = health_of(self._inventory, self.trouble)
        if health != self._told_health:
            self._told_health = health
            found.append(health)
        found += self._workloads()
        leads = self._start_ups.measured(now, self._targets.is_known)
        found += (LeadTimesSeen(part) for part in _parts(leads))
        return found

    def unsaved(self) -> dict[str, KeptLead | None]:
        """What has changed since the last call, of what a restart needs; None: let it go."""
        return self._start_ups.unsaved()

    def unsaved_objects(self) -> dict[tuple[str, str], ScaledObjectSeen | None]:
        """The same of ScaledObjects, as they were when their annotations were fine last."""
        return self._declared.unsaved()

    def _take(self, one: Difference, now: float) -> None:
        if one.kind == "ScaledObject":
            self._take_scaled_object(one.before, one.after)
        if isinstance(one.after, AutoscalerSeen):
            self._targets.note(one.after)
        self._room_changed |= one.kind in ("ResourceQuota", "Node")
        for side in (one.before, one.after):
            workload = None if side is None else workload_of(side)
            name = None if workload is None else self._targets.name(workload)
            if name is not None:
                self._dirty.add(name)
        if one.kind == "Pod":
            before, after = one.before, one.after
            assert before is None or isinstance(before, PodSeen)  # noqa: S101
            assert after is None or isinstance(after, PodSeen)  # noqa: S101
            self._note_pod(before, after, now)

    def _take_scaled_object(self, before: Seen | None, after: Seen | None) -> None:
        assert before is None or isinstance(before, ScaledObjectSeen)  # noqa: S101
        assert after is None or isinstance(after, ScaledObjectSeen)  # noqa: S101
        self._declared_anew |= self._declared.take(before, after)
        if after is not None:
            self._targets.note(after)

    def _note_pod(self, before: PodSeen | None, after: PodSeen | None, now: float) -> None:
        first = after or before
        if first is None or first.owner is None:
            return
        name = self._targets.owner((first.namespace, first.owner))
        if name is None:
            return
        node = None
        if after is not None and after.node is not None:
            node = self._inventory.nodes.get("", after.node)
        self._start_ups.note(name, now, before, after, node)

    def _declarations(self, now: float) -> Iterator[Declared]:
        """What is declared, once the ScaledObjects of one namespace at least are known."""
        settings, known = self._settings, self._inventory
        if not settings.annotations:
            self._start_ups.forget_others(now, self._targets.is_known)
            return
        unread = tuple(one for one in settings.namespaces if not self._reads("ScaledObject", one))
        if not known.is_listed("ScaledObject") and len(unread) == len(settings.namespaces):
            return
        told = self._told_declared
        if told is None or self._declared_anew or told.unread != unread:
            self._declared_anew = False
            declared = self._declared.workloads()
            targets = {
                one.settings.workload: (one.source.namespace, one.source.target) for one in declared
            }
            self._know(targets, now)
            told = Declared(
                tuple(one.settings for one in declared),
                tuple(str(one) for one in self._declared.problems()),
                unread,
            )
            if told != self._told_declared:
                self._told_declared = told
                yield told
        if not unread:
            self._declared.forget_unseen()
            self._start_ups.forget_others(now, self._targets.is_known)

    def _know(self, targets: Mapping[str, Workload], now: float) -> None:
        new, gone = self._targets.take_declared(targets)
        self._dirty |= new | gone
        self._room_changed |= bool(new or gone)
        for name in new:
            self._start_ups.tell_again(name)
            for pod in list(self._inventory.pods.of(targets[name])):  # that were there before
                self._note_pod(None, pod, now)

    def _workloads(self) -> Iterator[ClusterSeen]:
        """What is known of workloads, once no kind is being read yet: half of it misleads."""
        first = self._told is None
        if first and not all_answered(self._inventory, self._settings):
            return
        told = self._told = {} if self._told is None else self._told
        changed = {}
        for name in self._dirty:
            one = self._seen(name)
            if one == told.get(name):
                continue
            changed[name] = one
            if one is None:
                del told[name]
            else:
                told[name] = one
        self._dirty.clear()
        parts = list(_parts(changed)) or ([{}] if first else [])
        for place, part in enumerate(parts):
            yield ClusterSeen(part, whole=first and place == 0)

    def _seen(self, workload: str) -> SeenWorkload | None:
        target = self._targets.target(workload)
        if target is None:
            return None
        known = self._inventory
        pods, scaled = known.pods.of(target), known.scaled(target)
        waiting = (one.unschedulable for one in pods if one.unschedulable)
        newest = max(pods, key=lambda one: (one.created, one.name), default=None)
        before = (self._told or {}).get(workload)
        # Nothing but pods says what those of a Rollout ask for, also after the last of them.
        last = before.running if before is not None and scaled is None else None
        counted = self._counted(target, scaled)
        found = SeenWorkload(
            scaled,
            known.scaled_object(target),
            known.autoscaler(target),
            known.pods.ready(target) if counted else None if scaled is None else scaled.ready,
            next(waiting, None),
            len(pods) if counted else None,
            last if newest is None else newest.shape,
        )
        there = (found.scaled, found.scaled_object, found.autoscaler, found.pods or None)
        return None if there == (None, None, None, None) else found

    def _counted(self, target: Workload, scaled: Scaled | None) -> bool:
        """Whether its pods are known: they are read, and belong to it by name."""
        read = self._reads("Pod", target[0])
        return read and (scaled is not None or bool(self._inventory.pods.of(target)))

    def _reads(self, kind: str, namespace: str) -> bool:
        return self._inventory.is_listed(kind, (namespace,))

    def _room(self, now: float) -> Iterator[ClusterRoom]:
        if not self._room_changed or 0.0 <= now - self._room_at < _ROOM_EVERY_SECONDS:
            return
        self._room_changed, self._room_at = False, now
        spaces = self._targets.namespaces()
        quotas = [one for one in self._inventory.quotas if one.namespace in spaces]
        nodes = sorted(self._inventory.nodes, key=lambda one: one.name)
        room = ClusterRoom(
            tuple(sorted(quotas, key=lambda one: (one.namespace, one.name))),
            tuple(nodes) if self._inventory.is_listed("Node") else None,
        )
        if room != self._told_room:
            self._told_room = room
            yield room


def _parts(of: Mapping[str, T]) -> Iterator[dict[str, T]]:
    names = list(of)
    for first in range(0, len(names), _MOST_IN_A_MESSAGE):
        yield {name: of[name] for name in names[first : first + _MOST_IN_A_MESSAGE]}
