"""Which nodes a pod may be placed on: its selectors and tolerations, against labels and taints.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["ANYWHERE", "Placement", "Requirement", "Taint", "Toleration"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition on one label, as node affinity and the scopes of a quota state it.

    Of an operator that is not known nothing is asked.
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels are such.

        >>> Requirement("pool", "NotIn", ("video",)).matches({})
        True
        """
        told = labels.get(self.key)
        match self.operator:
            case "In":
                return told in self.values
            case "NotIn":
                return told not in self.values
            case "Exists":
                return told is not None
            case "DoesNotExist":
                return told is None
            case "Gt" | "Lt":
                return told is not None and self._compares(told)
        return True

    def _compares(self, told: str) -> bool:
        try:
            number, bound = int(told), int("".join(self.values))
        except ValueError:
            return False
        return number > bound if self.operator == "Gt" else number < bound

    def __str__(self) -> str:
        values = ", ".join(self.values)
        match self.operator:
            case "In" if len(self.values) == 1:
                return f"{self.key}={values}"
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"no {self.key}"
        return f"{self.key} {self.operator} ({values})"


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods off a node that do not tolerate it: NoSchedule and NoExecute alone."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}{'=' if self.value else ''}{self.value}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Toleration:
    """An empty key stands for every key, an empty effect for every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Whether a pod that has it may be placed in spite of the taint."""
        if self.effect not in ("", taint.effect) or self.key not in ("", taint.key):
            return False
        if self.operator == "Equal":
            return bool(self.key) and self.value == taint.value
        return True


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a pod may be: one of ``terms``, all of its requirements met; any node without terms."""

    terms: tuple[tuple[Requirement, ...], ...] = ()
    tolerations: tuple[Toleration, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The labels that matter."""
        return frozenset(one.key for term in self.terms for one in term)

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a node of these labels is one that it asks for."""
        if not self.terms:
            return True
        return any(all(one.matches(labels) for one in term) for term in self.terms)

    def tolerates(self, taints: Iterable[Taint]) -> bool:
        """Whether none of these taints keeps it off."""
        return all(any(own.tolerates(one) for own in self.tolerations) for one in taints)

    def __str__(self) -> str:
        return " or ".join(", ".join(map(str, term)) for term in self.terms)


ANYWHERE = Placement()
"""No selector and no toleration: any node without taints."""
