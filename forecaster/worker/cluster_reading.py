"""What a reading of the cluster knows, and what of it is news; no IO, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from forecaster.cluster.changes import Told
from forecaster.cluster.declared import AnnotationProblem, DeclaredWorkloads
from forecaster.cluster.inventory import Inventory
from forecaster.cluster.lead_time import MeasuredLead, measured_lead_time
from forecaster.cluster.seen import PodSeen, ScaledObjectSeen, TargetRef
from forecaster.cluster.start_up_rows import StartUpRow
from forecaster.cluster.start_ups import StartUps
from forecaster.cluster.tables import Difference, Workload, workload_of
from forecaster.settings import KubernetesSettings
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

__all__ = ["ClusterReading", "KeptLead"]

_MEASURE_ALL_SECONDS = 600.0
_KINDS = ("Deployment", "StatefulSet")


@dataclass(frozen=True)
class KeptLead:
    """What is kept of a workload for a restart: its start-ups, and the lead time they came to."""

    rows: tuple[StartUpRow, ...]
    measured: MeasuredLead | None


class ClusterReading:
    """The cluster as the watches tell it; workloads are those of the settings and declared ones.

    ``configured`` are the workloads (``namespace/name``) of the settings. A workload is what is
    scaled under its name in its namespace; a declared one is what its ScaledObject scales.
    """

    def __init__(
        self,
        settings: KubernetesSettings,
        configured: Iterable[str],
        kept: Mapping[str, KeptLead] = {},
    ) -> None:
        self._settings = settings
        self._configured = frozenset(configured)
        self._inventory = Inventory()
        self._declared = DeclaredWorkloads(settings.defaults, self._configured)
        self._targets: dict[str, Workload] = {}  # of declared workloads
        self._names: dict[Workload, str] = {}
        self._start_ups = {name: StartUps.from_rows(one.rows) for name, one in kept.items()}
        self._leads = {name: one.measured for name, one in kept.items() if one.measured}
        self._told: dict[str, SeenWorkload] = {}
        self._told_leads: dict[str, SeenLead] = {}
        self._told_others: dict[type, ClusterMessage] = {}
        self._unsaved: set[str] = set()
        self._dirty: set[str] = set(self._configured)
        self._measure: set[str] = set(kept)
        self._declared_anew = False
        self._all_measured_at = 0.0
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
        target = self._target(workload)
        return None if target is None else self._inventory.scaled_object(target)

    def news(self, now: float) -> list[ClusterMessage]:
        """What is other than it was told last."""
        found: list[ClusterMessage] = []
        if self._settings.annotations and self._inventory.is_listed(
            "ScaledObject", self._settings.namespaces
        ):
            found.append(self._declarations(now))
        seen = {name: self._seen(name) for name in self._dirty}
        self._dirty.clear()
        changed = {name: one for name, one in seen.items() if one != self._told.get(name)}
        for name, one in changed.items():
            if one is None:
                self._told.pop(name, None)
            else:
                self._told[name] = one
        leads = self._lead_times(now)
        quotas = tuple(sorted(self._inventory.quotas, key=lambda one: (one.namespace, one.name)))
        nodes = tuple(sorted(self._inventory.nodes, key=lambda one: one.name))
        found += [ClusterRoom(quotas, nodes if self._settings.nodes else None), self._health()]
        found = [one for one in found if self._told_others.get(type(one)) != one]
        self._told_others |= {type(one): one for one in found}
        if changed:
            found.append(ClusterSeen(changed))
        if leads:
            found.append(LeadTimesSeen(leads))
        return found

    def unsaved(self) -> dict[str, KeptLead]:
        """What has changed since the last call, of what a restart needs."""
        names, self._unsaved = self._unsaved, set()
        return {
            name: KeptLead(tuple(self._start_ups[name].to_rows()), self._leads.get(name))
            for name in names
            if name in self._start_ups
        }

    def _take(self, one: Difference, now: float) -> None:
        if one.kind == "ScaledObject":
            before, after = one.before, one.after
            assert before is None or isinstance(before, ScaledObjectSeen)  # noqa: S101
            assert after is None or isinstance(after, ScaledObjectSeen)  # noqa: S101
            self._declared_anew |= self._declared.take(before, after)
        for side in (one.before, one.after):
            workload = None if side is None else workload_of(side)
            name = None if workload is None else self._name(workload)
            if name is not None:
                self._dirty.add(name)
        if one.kind == "Pod":
            self._note_pod(one.before, one.after, now)

    def _note_pod(self, before: object, after: object, now: float) -> None:
        first = after if isinstance(after, PodSeen) else before
        if not isinstance(first, PodSeen) or first.owner is None:
            return
        name = self._name((first.namespace, first.owner))
        if name is None:
            return
        node = None
        if isinstance(after, PodSeen) and after.node is not None:
            node = self._inventory.nodes.get("", after.node)
        start_ups = self._start_ups.setdefault(name, StartUps())
        found = start_ups.note(
            now,
            before if isinstance(before, PodSeen) else None,
            after if isinstance(after, PodSeen) else None,
            node,
        )
        self._measure.add(name)
        if found is not None:
            self._unsaved.add(name)

    def _declarations(self, now: float) -> Declared:
        if self._declared_anew:
            self._declared_anew = False
            targets = {
                one.settings.workload: (one.source.namespace, one.source.target)
                for one in self._declared.workloads()
            }
            for name, target in targets.items():
                if self._targets.get(name) != target:
                    self._dirty.add(name)
            self._dirty |= self._targets.keys() - targets.keys()
            new = {name: one for name, one in targets.items() if self._targets.get(name) != one}
            self._targets = targets
            self._names = {target: name for name, target in targets.items()}
            for target in new.values():  # pods that were there before
                for pod in list(self._inventory.pods.of(target)):
                    self._note_pod(None, pod, now)
        return Declared(
            tuple(one.settings for one in self._declared.workloads()),
            tuple(str(one) for one in self._declared.problems()),
        )

    def _seen(self, workload: str) -> SeenWorkload | None:
        target = self._target(workload)
        if target is None:
            return None
        known = self._inventory
        pods = known.pods.of(target)
        waiting = (one.unschedulable for one in pods if one.unschedulable)
        found = SeenWorkload(
            known.scaled(target),
            known.scaled_object(target),
            known.autoscaler(target),
            known.pods.ready(target),
            next(waiting, None),
            len(pods),
        )
        return None if found == SeenWorkload() else found

    def _lead_times(self, now: float) -> dict[str, SeenLead]:
        if now - self._all_measured_at >= _MEASURE_ALL_SECONDS:  # start-ups grow old, pods wait on
            self._all_measured_at = now
            self._measure |= self._start_ups.keys()
        floor = self._settings.defaults.lead_time_floor
        ceiling = self._settings.defaults.lead_time_ceiling
        found = {}
        for name in self._measure:
            before = self._leads.get(name)
            summary = self._start_ups[name].summary(now)
            measured = measured_lead_time(now, summary, before, floor=floor, ceiling=ceiling)
            one = SeenLead(measured, summary)
            if one != self._told_leads.get(name):
                self._leads[name], self._told_leads[name], found[name] = measured, one, one
        self._measure.clear()
        return found

    def _health(self) -> ClusterHealth:
        known = self._inventory
        tables = (
            known.scaled_objects,
            known.autoscalers,
            known.deployments,
            known.stateful_sets,
            known.pods,
            known.quotas,
            known.nodes,
        )
        as_of: dict[str, float | None] = {}
        for state in known.states.values():
            as_of.setdefault(state.kind, None)
            if not state.connected:
                oldest, since = as_of[state.kind], state.as_of or 0.0
                as_of[state.kind] = since if oldest is None else min(oldest, since)
        broken = sorted(known.broken.items())
        shown = [f"{kind} {place}/{name}: {why}" for (kind, place, name), why in broken[:3]]
        if len(broken) > 3:
            shown.append(f"and {len(broken) - 3} more objects that cannot be used")
        return ClusterHealth(
            (*self.trouble, *known.problems(), *shown),
            {one.kind: len(one) for one in tables},
            as_of,
        )

    def _name(self, workload: Workload) -> str | None:
        """The workload that is this target; the settings' come first."""
        namespace, target = workload
        plain = f"{namespace}/{target.name}"
        return plain if plain in self._configured else self._names.get(workload)

    def _target(self, workload: str) -> Workload | None:
        """What a workload is in the cluster; None where nothing of its name is known."""
        declared = self._targets.get(workload)
        if declared is not None:
            return declared
        if workload not in self._configured:
            return None
        return next(self._candidates(workload), None)

    def _candidates(self, workload: str) -> Iterator[Workload]:
        namespace, _, name = workload.partition("/")
        for kind in _KINDS:
            target = (namespace, TargetRef(kind, name))
            if self._inventory.scaled(target) is not None:
                yield target
        for one in self._inventory.scaled_objects:  # what is no Deployment, such as a Rollout
            if (one.namespace, one.target.name) == (namespace, name):
                yield namespace, one.target
