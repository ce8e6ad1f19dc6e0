"""Which workloads an event concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["EVERY_WORKLOAD", "Selector"]


@dataclass(frozen=True)
class Selector:
    """Namespaces, workloads and labels; what is empty selects everything.

    A workload is selected where one of ``namespaces``, one of ``workloads`` and all of ``labels``
    fit. ``workloads`` are ``namespace/name`` or a bare name; ``*`` stands for any characters.
    """

    namespaces: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def matches(self, namespace: str, name: str, labels: Mapping[str, str] | None = None) -> bool:
        """Whether the event concerns this workload.

        >>> Selector(workloads=("video/*",)).matches("video", "manifest")
        True
        >>> Selector(labels=(("tier", "edge"),)).matches("video", "manifest", {"tier": "core"})
        False
        """
        if self.namespaces and not any(fnmatchcase(namespace, one) for one in self.namespaces):
            return False
        whole = f"{namespace}/{name}"
        if self.workloads and not any(
            fnmatchcase(whole if "/" in one else name, one) for one in self.workloads
        ):
            return False
        found = labels or {}
        return all(found.get(key) == value for key, value in self.labels)

    @property
    def everything(self) -> bool:
        """Whether no workload is left out."""
        return not (self.namespaces or self.workloads or self.labels)


EVERY_WORKLOAD = Selector()
