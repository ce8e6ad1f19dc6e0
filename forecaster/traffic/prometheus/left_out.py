"""Results of the query that belong to no configured workload: counted and named, never held."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LeftOut"]


class LeftOut:
    """Each series counts once, in however many answers it comes."""

    def __init__(self) -> None:
        self._others: dict[str, set[int]] = {}
        self._nameless: dict[str, set[int]] = {}

    def other(self, series_id: str, labels: Mapping[str, str]) -> None:
        """A series of a workload that is not configured."""
        self._others.setdefault(series_id, set()).add(_fingerprint(labels))

    def nameless(self, missing: str, labels: Mapping[str, str]) -> None:
        """A series that lacks the label ``missing``, so that it names no workload."""
        self._nameless.setdefault(missing, set()).add(_fingerprint(labels))

    @property
    def others(self) -> tuple[str, ...]:
        """The ids of the workloads that are not configured, sorted."""
        return tuple(sorted(self._others))

    def notices(self) -> tuple[str, ...]:
        """How many series were left out, in one text for each of the reasons."""
        texts = []
        if self._others:
            count = sum(len(labels) for labels in self._others.values())
            texts.append(f"{count} series of other workloads {_were(count)} left out")
        for missing, labels in self._nameless.items():
            count = len(labels)
            texts.append(f"{count} series without the label {missing!r} {_were(count)} left out")
        return tuple(texts)


def _fingerprint(labels: Mapping[str, str]) -> int:
    return hash(frozenset(labels.items()))


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
