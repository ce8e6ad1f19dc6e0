"""Which object of the cluster a workload is, and the other way round."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from forecaster.cluster.inventory import Inventory
from forecaster.cluster.seen import AutoscalerSeen, ScaledObjectSeen, TargetRef
from forecaster.cluster.tables import Workload

__all__ = ["ClusterTargets"]

_KINDS = ("Deployment", "StatefulSet")


class ClusterTargets:
    """Workloads of the settings go by their name, declared ones by what their ScaledObject scales.

    Of several objects of the same name, a workload of the settings is the one that KEDA or an HPA
    scales. ``configured`` are ``namespace/name``.
    """

    def __init__(self, configured: Collection[str], inventory: Inventory) -> None:
        self._configured = configured
        self._inventory = inventory
        self._declared: Mapping[str, Workload] = {}
        self._names: dict[Workload, str] = {}
        self._kinds: dict[str, set[str]] = {}  # beside the usual ones, such as Rollout

    @property
    def declared(self) -> Mapping[str, Workload]:
        """The targets of declared workloads."""
        return self._declared

    def take_declared(self, targets: Mapping[str, Workload]) -> tuple[set[str], set[str]]:
        """All declared workloads; which are new or scale something else, and which are gone."""
        before, self._declared = self._declared, targets
        self._names = {target: name for name, target in targets.items()}
        new = {name for name, target in targets.items() if before.get(name) != target}
        return new, before.keys() - targets.keys()

    def note(self, seen: ScaledObjectSeen | AutoscalerSeen) -> None:
        """KEDA or an HPA scales this, whatever kind it is of."""
        if seen.target.kind not in _KINDS:
            plain = f"{seen.namespace}/{seen.target.name}"
            if plain in self._configured:
                self._kinds.setdefault(plain, set()).add(seen.target.kind)

    def is_known(self, workload: str) -> bool:
        """Whether it is a workload of the settings, or declared now."""
        return workload in self._configured or workload in self._declared

    def namespaces(self) -> set[str]:
        """Where workloads are."""
        return {one.partition("/")[0] for one in (*self._configured, *self._declared)}

    def name(self, target: Workload) -> str | None:
        """The workload that an object of this target concerns; the settings' come first."""
        plain = f"{target[0]}/{target[1].name}"
        return plain if plain in self._configured else self._names.get(target)

    def owner(self, target: Workload) -> str | None:
        """The same, but None for an object that only has the name of a workload's."""
        name = self.name(target)
        return name if name is not None and self.target(name) in (None, target) else None

    def target(self, workload: str) -> Workload | None:
        """What a workload is in the cluster; None where nothing of its name is known."""
        declared = self._declared.get(workload)
        if declared is not None:
            return declared
        if workload not in self._configured:
            return None
        known = self._inventory
        first = None
        for one in self._candidates(workload):
            if known.scaled_object(one) is not None or known.autoscaler(one) is not None:
                return one
            if first is None and known.scaled(one) is not None:
                first = one
        return first

    def _candidates(self, workload: str) -> Iterator[Workload]:
        namespace, _, name = workload.partition("/")
        for kind in (*_KINDS, *sorted(self._kinds.get(workload, ()))):
            yield namespace, TargetRef(kind, name)
