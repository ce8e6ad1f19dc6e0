"""What is known of the cluster now, by kind and by workload; pure, and kept by one thread.

    inventory = Inventory()
    for difference in inventory.take(told):            # what the watches tell
        difference.kind, difference.before, difference.after
    inventory.autoscaler(workload), inventory.pods.ready(workload)

A change costs the same however many objects there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forecaster.cluster.changes import Broken, Changed, Gone, Listed, Told, WatchState
from forecaster.cluster.seen import (
    AutoscalerSeen,
    NodeSeen,
    PodSeen,
    QuotaSeen,
    Scaled,
    ScaledObjectSeen,
    Seen,
)
from forecaster.cluster.tables import Difference, Key, PodTable, Table, Workload, key_of_seen

__all__ = ["Inventory"]


class Inventory:
    """The objects that are known, and how the watches that tell of them are doing.

    ``broken`` says by (kind, namespace, name) why an object cannot be used; what was known of it
    before still holds. ``states`` are the watches', by (kind, namespace or None).
    """

    def __init__(self) -> None:
        self.scaled_objects = Table[ScaledObjectSeen]("ScaledObject")
        self.autoscalers = Table[AutoscalerSeen]("HorizontalPodAutoscaler")
        self.deployments = Table[Scaled]("Deployment")
        self.stateful_sets = Table[Scaled]("StatefulSet")
        self.quotas = Table[QuotaSeen]("ResourceQuota")
        self.nodes = Table[NodeSeen]("Node")
        self.pods = PodTable()
        self.broken: dict[tuple[str, str, str], str] = {}
        self.states: dict[tuple[str, str | None], WatchState] = {}
        self._listed: set[tuple[str, str | None]] = set()
        self._tables: Mapping[str, Table[Any]] = {
            one.kind: one
            for one in (
                self.scaled_objects,
                self.autoscalers,
                self.deployments,
                self.stateful_sets,
                self.quotas,
                self.nodes,
                self.pods,
            )
        }

    def take(self, told: Told) -> list[Difference]:
        """Take in what a watch told; what is different now, in the order it became so."""
        if isinstance(told, Changed):
            return self._put(told.kind, told.value)
        if isinstance(told, Gone):
            return self._drop(told)
        if isinstance(told, Listed):
            return self._replace(told)
        if isinstance(told, Broken):
            self.broken[told.kind, told.namespace, told.name] = told.message
        else:
            self.states[told.kind, told.namespace] = told
        return []

    def scaled_object(self, workload: Workload) -> ScaledObjectSeen | None:
        """KEDA's object of a workload; KEDA refuses a second one."""
        return next(iter(self.scaled_objects.of(workload)), None)

    def autoscaler(self, workload: Workload) -> AutoscalerSeen | None:
        """The HPA of a workload."""
        return next(iter(self.autoscalers.of(workload)), None)

    def scaled(self, workload: Workload) -> Scaled | None:
        """The Deployment or StatefulSet that a workload is; None where it is something else."""
        namespace, target = workload
        table = {"Deployment": self.deployments, "StatefulSet": self.stateful_sets}.get(target.kind)
        return None if table is None else table.get(namespace, target.name)

    def quotas_in(self, namespace: str) -> list[QuotaSeen]:
        """The quotas of a namespace."""
        return [one for one in self.quotas if one.namespace == namespace]

    def is_listed(self, kind: str, namespaces: Iterable[str] = ()) -> bool:
        """Whether all objects of a kind, of all namespaces that are read, have been told once.

        Only then is what is not known not there. ``namespaces`` are those of the settings.
        """
        if (kind, None) in self._listed:
            return True
        named = tuple(namespaces)
        return bool(named) and all((kind, one) in self._listed for one in named)

    def problems(self) -> list[str]:
        """Why watches cannot read, one line each."""
        return [one.problem for one in self.states.values() if one.problem is not None]

    def age_seconds(self, kind: str, now: float) -> float | None:
        """How old what is known of a kind is, the oldest watch's; None where one knows nothing."""
        ages = [one.age_seconds(now) for one in self.states.values() if one.kind == kind]
        known = [age for age in ages if age is not None]
        return max(known) if known and len(known) == len(ages) else None

    def _put(self, kind: str, value: Seen) -> list[Difference]:
        key = key_of_seen(value)
        self.broken.pop((kind, *key), None)
        table = self._tables[kind]
        before = table.get(*key)
        found: list[Difference | None] = []
        if _another(before, value):
            found.append(table.drop(key))
        found.append(table.put(value))
        return [one for one in found if one is not None]

    def _drop(self, told: Gone) -> list[Difference]:
        key = (told.namespace, told.name)
        self.broken.pop((told.kind, *key), None)
        difference = self._tables[told.kind].drop(key)
        return [] if difference is None else [difference]

    def _replace(self, told: Listed) -> list[Difference]:
        self._listed.add((told.kind, told.namespace))
        present: set[Key] = {(one.namespace, one.name) for one in told.broken}
        present |= {key_of_seen(value) for value in told.values}
        for place in [
            one for one in self.broken if one[0] == told.kind and told.namespace in (None, one[1])
        ]:
            del self.broken[place]
        table = self._tables[told.kind]
        gone = [table.drop(key) for key in table.absent(told.namespace, present)]
        found = [one for one in gone if one is not None]
        for value in told.values:
            found.extend(self._put(told.kind, value))
        for one in told.broken:
            self.broken[one.kind, one.namespace, one.name] = one.message
        return found


def _another(before: Seen | None, after: Seen) -> bool:
    """Whether an object was deleted and made again under its name."""
    if isinstance(before, PodSeen) and isinstance(after, PodSeen):
        return before.uid != after.uid
    return False
