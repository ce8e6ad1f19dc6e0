"""The objects of one kind as they are known, with an index by the workload they are about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from forecaster.cluster.seen import (
    AutoscalerSeen,
    NodeSeen,
    PodSeen,
    Scaled,
    ScaledObjectSeen,
    Seen,
    TargetRef,
)

__all__ = ["Difference", "Key", "PodTable", "Table", "Workload", "key_of_seen", "workload_of"]

Key = tuple[str, str]
"""Namespace and name; a node's namespace is empty."""

Workload = tuple[str, TargetRef]
"""A namespace, and what is scaled in it."""

T = TypeVar("T", bound=Seen)


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is another one than before; None where there was none, or is none now."""

    kind: str
    before: Seen | None
    after: Seen | None


def key_of_seen(value: Seen) -> Key:
    """Where the object is kept."""
    if isinstance(value, Scaled):
        return value.namespace, value.ref.name
    return ("" if isinstance(value, NodeSeen) else value.namespace), value.name


def workload_of(value: Seen) -> Workload | None:
    """The workload that the object is about; None for quotas and nodes."""
    if isinstance(value, PodSeen):
        return None if value.owner is None else (value.namespace, value.owner)
    if isinstance(value, ScaledObjectSeen | AutoscalerSeen):
        return value.namespace, value.target
    return (value.namespace, value.ref) if isinstance(value, Scaled) else None


class Table(Generic[T]):
    """All objects of a kind; what is asked of it costs the same however many there are."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._objects: dict[Key, T] = {}
        self._of: dict[Workload, dict[Key, T]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[T]:
        return iter(self._objects.values())

    def get(self, namespace: str, name: str) -> T | None:
        """The object of that name."""
        return self._objects.get((namespace, name))

    def of(self, workload: Workload) -> Collection[T]:
        """Those that are about a workload."""
        found = self._of.get(workload)
        return () if found is None else found.values()

    def workloads(self) -> Collection[Workload]:
        """The workloads that there is one for."""
        return self._of.keys()

    def put(self, value: T) -> Difference | None:
        """Take it in; None where it is as it was."""
        key = key_of_seen(value)
        before = self._objects.get(key)
        if before == value:
            return None
        if before is not None:
            self._unlink(key, before)
        self._objects[key] = value
        self._link(key, value)
        return Difference(self.kind, before, value)

    def drop(self, key: Key) -> Difference | None:
        """Forget it; None where it was not known."""
        before = self._objects.pop(key, None)
        if before is None:
            return None
        self._unlink(key, before)
        return Difference(self.kind, before, None)

    def absent(self, namespace: str | None, present: set[Key]) -> list[Key]:
        """What is known in ``namespace``, or in all, and is not among those present."""
        return [
            key
            for key in self._objects
            if key not in present and (namespace is None or key[0] == namespace)
        ]

    def _link(self, key: Key, value: T) -> None:
        workload = workload_of(value)
        if workload is not None:
            self._of.setdefault(workload, {})[key] = value

    def _unlink(self, key: Key, value: T) -> None:
        workload = workload_of(value)
        if workload is not None:
            same = self._of[workload]
            del same[key]
            if not same:
                del self._of[workload]


class PodTable(Table[PodSeen]):
    """Pods, with the number of those that are ready counted along."""

    def __init__(self) -> None:
        super().__init__("Pod")
        self._ready: dict[Workload, int] = {}

    def ready(self, workload: Workload) -> int:
        """How many of its pods are ready and not about to end."""
        return self._ready.get(workload, 0)

    def _link(self, key: Key, value: PodSeen) -> None:
        super()._link(key, value)
        self._count(value, 1)

    def _unlink(self, key: Key, value: PodSeen) -> None:
        super()._unlink(key, value)
        self._count(value, -1)

    def _count(self, value: PodSeen, by: int) -> None:
        workload = workload_of(value)
        if workload is None or value.ready is None or value.ending:
            return
        count = self._ready.get(workload, 0) + by
        if count:
            self._ready[workload] = count
        else:
            del self._ready[workload]
