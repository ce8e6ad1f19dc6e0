"""All workloads that ScaledObjects declare, and what is wrong with the annotations of others.

declared = DeclaredWorkloads(settings.defaults, {one.workload for one in fleet.workloads})
if declared.take(difference.before, difference.after):      # of ScaledObjects
    declared.workloads(), declared.problems()
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from forecaster.cluster.annotations import DeclaredWorkload, read_annotations
from forecaster.cluster.parsing import ANNOTATION_PREFIX
from forecaster.cluster.seen import ScaledObjectSeen
from forecaster.errors import SettingsProblem
from forecaster.settings.workload_shape import DefaultsShape

__all__ = ["AnnotationProblem", "DeclaredWorkloads"]

_NAME = f"{ANNOTATION_PREFIX}name"


@dataclass(frozen=True)
class AnnotationProblem:
    """One annotation that cannot be used.

    ``kept``: the object was fine before, and what it declared then still holds.
    """

    source: ScaledObjectSeen
    problem: SettingsProblem
    kept: bool = False

    def __str__(self) -> str:
        return f"ScaledObject {self.source.namespace}/{self.source.name}: {self.text}"

    @property
    def text(self) -> str:
        """The problem alone, without the object's name."""
        return f"{self.problem}" + ("; what it said before holds" if self.kept else "")


class DeclaredWorkloads:
    """What is declared now; only an object that changed is judged again.

    An edit that cannot be used does not take a floor away: the workload stays as it was declared
    before, until the edit is repaired or the object is gone. ``configured`` are the workloads
    (``namespace/name``) of the settings; they come first. ``kept`` are the objects as they were
    when they were fine last, before a restart: what ``unsaved`` gave.
    """

    def __init__(
        self,
        defaults: DefaultsShape,
        configured: Collection[str],
        kept: Iterable[ScaledObjectSeen] = (),
    ) -> None:
        self._defaults = defaults
        self._configured = frozenset(configured)
        self._kept = {(one.namespace, one.name): one for one in kept}
        self._unseen = set(self._kept)
        self._unsaved: set[tuple[str, str]] = set()
        self._good: dict[tuple[str, str], DeclaredWorkload] = {}
        self._bad: dict[tuple[str, str], tuple[AnnotationProblem, ...]] = {}
        self._judged: tuple[tuple[DeclaredWorkload, ...], tuple[AnnotationProblem, ...]] | None = (
            None
        )

    def take(self, before: ScaledObjectSeen | None, after: ScaledObjectSeen | None) -> bool:
        """Take in an object that changed; whether anything about declarations is different now."""
        self._judged = None
        if after is None:
            return before is not None and self._drop((before.namespace, before.name))
        key = (after.namespace, after.name)
        self._unseen.discard(key)
        good, bad = self._good.get(key), self._bad.get(key, ())
        judged = read_annotations(after, self._defaults)
        if judged is None:
            return self._drop(key)
        if isinstance(judged, DeclaredWorkload):
            self._good[key] = judged
            self._bad.pop(key, None)
            self._keep(key, judged.source)
        else:
            if key in self._kept and self._kept[key].uid != after.uid:
                self._good.pop(key, None)
                self._keep(key, None)
            if good is None:
                self._restore(key)
            kept = key in self._good
            self._bad[key] = tuple(AnnotationProblem(after, one, kept) for one in judged)
        found = (_said(self._good.get(key)), _texts(self._bad.get(key, ())))
        return found != (_said(good), _texts(bad))

    def workloads(self) -> tuple[DeclaredWorkload, ...]:
        """Those that count, by the objects' names; the very same value until something changes."""
        return self._all()[0]

    def problems(self) -> tuple[AnnotationProblem, ...]:
        """Everything that is wrong, by the objects' names; the very same value as well."""
        return self._all()[1]

    def forget_unseen(self) -> None:
        """Every object has been taken in: what others declared before a restart is over."""
        for key in self._unseen:
            self._keep(key, None)
        self._unseen.clear()

    def unsaved(self) -> dict[tuple[str, str], ScaledObjectSeen | None]:
        """What has changed since the last call, of what a restart needs; None: let it go."""
        keys, self._unsaved = self._unsaved, set()
        return {key: self._kept.get(key) for key in keys}

    def _all(self) -> tuple[tuple[DeclaredWorkload, ...], tuple[AnnotationProblem, ...]]:
        if self._judged is None:
            counted: list[DeclaredWorkload] = []
            found = [problem for key in sorted(self._bad) for problem in self._bad[key]]
            for one, in_the_way in self._judge_all():
                if in_the_way is None:
                    counted.append(one)
                else:
                    found.append(AnnotationProblem(one.source, in_the_way))
            self._judged = tuple(counted), tuple(found)
        return self._judged

    def _said_by(self, key: tuple[str, str]) -> Mapping[str, str]:
        return self._good[key].source.annotations

    def _drop(self, key: tuple[str, str]) -> bool:
        good, bad = self._good.pop(key, None), self._bad.pop(key, None)
        self._keep(key, None)
        return good is not None or bad is not None

    def _keep(self, key: tuple[str, str], source: ScaledObjectSeen | None) -> None:
        if source is not None:  # without what is of the moment
            source = replace(source, autoscaler=None, paused=False)
        if source == self._kept.get(key):
            return
        if source is None:
            del self._kept[key]
        else:
            self._kept[key] = source
        self._unsaved.add(key)

    def _restore(self, key: tuple[str, str]) -> None:
        """Go on from what it declared before a restart, under the defaults of now."""
        source = self._kept.get(key)
        judged = None if source is None else read_annotations(source, self._defaults)
        if isinstance(judged, DeclaredWorkload):
            self._good[key] = judged

    def _judge_all(self) -> Iterator[tuple[DeclaredWorkload, SettingsProblem | None]]:
        """Each declaration, with what stands in its way: the settings, or another object.

        Who has a workload's name as its own comes before who asks for it by an annotation.
        """
        taken: dict[str, str] = {}
        for key in sorted(self._good, key=lambda one: (_NAME in self._said_by(one), one)):
            one = self._good[key]
            workload = one.settings.workload
            place = _NAME if _NAME in one.source.annotations else f"{ANNOTATION_PREFIX}enabled"
            if workload in self._configured:
                told = f"{workload} stands in Preroll's settings, which come first"
                yield one, SettingsProblem(place, told, f'{ANNOTATION_PREFIX}enabled: "false"')
            elif workload in taken:
                told = f"{workload} is declared by ScaledObject {taken[workload]} already"
                yield one, SettingsProblem(place, told, f"{_NAME}: {one.source.name}")
            else:
                taken[workload] = f"{one.source.namespace}/{one.source.name}"
                yield one, None


def _texts(problems: tuple[AnnotationProblem, ...]) -> list[str]:
    return [one.text for one in problems]


def _said(one: DeclaredWorkload | None) -> object:
    """What matters of a declaration; the object's status and version do not."""
    return None if one is None else (one.settings, one.source.target, one.source.uid)
