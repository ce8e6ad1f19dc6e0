"""What becomes of one HPA: triggers beside Preroll's, its traffic, what a replica serves, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from forecaster.keda.hpa_metrics import EXPORTER_METRICS
from forecaster.keda.naming import scaled_object_name
from forecaster.migration.adapter import AdapterRule
from forecaster.migration.hpa_metrics import (
    EXPORTER_TARGET,
    MetricSource,
    OldMetric,
)
from forecaster.migration.load import Load, load_of
from forecaster.migration.old_setup import OldAutoscaler, OldSetup
from forecaster.migration.translated import translate

__all__ = ["Change", "MigratedWorkload", "Note", "is_exporter_metric", "migrate_workload", "taken"]


class Change(StrEnum):
    """What a note is about."""

    KEPT = "kept"
    CHANGED = "changed"
    DROPPED = "dropped"
    CHECK = "to check"


@dataclass(frozen=True)
class Note:
    """Something that a person should know of one workload."""

    change: Change
    text: str


@dataclass(frozen=True)
class MigratedWorkload:
    """One HPA's future.

    ``triggers`` are KEDA's beside Preroll's own; ``load`` is its traffic and what a replica serves
    of it. ``reads_exporter`` is whether its HPA asks for the exporter's metric.
    """

    old: OldAutoscaler
    load: Load
    triggers: tuple[Mapping[str, Any], ...] = field(repr=False)
    notes: tuple[Note, ...]
    reads_exporter: bool

    @property
    def workload(self) -> str:
        """``namespace/name``."""
        return self.old.workload

    @property
    def object_name(self) -> str:
        """The name of its ScaledObject."""
        return scaled_object_name(self.old.target_name)

    @property
    def only_external(self) -> bool:
        """Whether, without external metrics, nothing is left that could scale it up."""
        return all(one.source is MetricSource.EXTERNAL for one in self.old.metrics)


def is_exporter_metric(metric: OldMetric, rules: Sequence[AdapterRule]) -> bool:
    """Whether a metric is the exporter's: by its name, or by the series that its rule names."""
    if metric.name in EXPORTER_METRICS:
        return True
    if metric.source is not MetricSource.EXTERNAL and metric.source is not MetricSource.OBJECT:
        return False
    return any(rule.series_of(metric.name) in EXPORTER_METRICS for rule in rules)


def taken(old: OldAutoscaler, rules: Sequence[AdapterRule]) -> bool:
    """Whether an HPA has to move: it has to do with the exporter, or asks for external metrics.

    Those of custom.metrics.k8s.io and of metrics-server may stay as they are.
    """
    external = any(one.source is MetricSource.EXTERNAL for one in old.metrics)
    exporter = any(is_exporter_metric(one, rules) for one in old.metrics)
    return old.annotated or external or exporter


def migrate_workload(old: OldAutoscaler, setup: OldSetup, prometheus: str) -> MigratedWorkload:
    """``prometheus`` is the address that KEDA's triggers ask."""
    notes: list[Note] = []
    exporter = [one for one in old.metrics if is_exporter_metric(one, setup.rules)]
    others = [one for one in old.metrics if one not in exporter]
    notes += _exporter_notes(old, exporter)
    translated = [translate(one, old, setup.rules, prometheus) for one in others]
    for one in translated:
        notes.append(Note(Change(one.change), one.told))
    triggers = _named_apart([one.trigger for one in translated if one.trigger is not None])
    if not triggers:
        notes.append(_nothing_reactive(old))
    load = load_of(old, others, translated)
    notes += [Note(Change.CHECK if load.assumed else Change.KEPT, text) for text in load.told]
    if old.behavior:
        notes.append(Note(Change.KEPT, "behavior.scaleDown of the HPA"))
        notes.append(
            Note(
                Change.CHANGED,
                "behavior.scaleUp: the whole way at once, and no dead band, so that a floor is met",
            )
        )
    return MigratedWorkload(old, load, tuple(triggers), tuple(notes), bool(exporter))


def _nothing_reactive(old: OldAutoscaler) -> Note:
    if old.requests_cpu is not None:
        told = "a cpu trigger is added: its HPA had no metric for what nobody foresaw"
        return Note(Change.CHANGED, told)
    return Note(
        Change.CHECK,
        "nothing reactive stands beneath Preroll's floor: what nobody foresaw is met by nobody. "
        f"Give the {old.target_kind} too: where its pods request CPU, a cpu trigger is added",
    )


def _exporter_notes(old: OldAutoscaler, exporter: Sequence[OldMetric]) -> list[Note]:
    notes = []
    for one in exporter:
        notes.append(
            Note(
                Change.CHANGED,
                f"{one.source} metric {one.name} (11, 10, 9 and 0 against {one.target:g}) → "
                "Preroll's floor, in replicas",
            )
        )
        if one.target != EXPORTER_TARGET:
            notes.append(
                Note(Change.CHECK, f"its target was {one.target:g}; the exporter needs 10 to work")
            )
    if old.window is not None:
        window = old.window
        clocks = f"{window.start:%H:%M} to {window.end:%H:%M}"
        notes.append(
            Note(Change.KEPT, f"the daily window {clocks} with {window.replicas} replicas")
        )
        if window.end < window.start:
            notes.append(
                Note(Change.CHANGED, "the window crosses midnight, where the exporter ended it")
            )
        if window.replicas > old.max_replicas:
            told = f"the window asks for more than maxReplicas, {old.max_replicas}"
            notes.append(Note(Change.CHECK, told))
        if not exporter:
            told = "the annotations had no effect: the HPA does not ask for the exporter's metric"
            notes.append(Note(Change.CHECK, told))
    elif exporter:
        notes.append(
            Note(
                Change.CHANGED,
                "without a window of its own the exporter had no value for it, and the HPA never "
                "scaled down; events now reach it, as so many times its traffic",
            )
        )
    return notes


def _named_apart(triggers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """KEDA refuses two triggers of one name."""
    seen = {"preroll"}
    named: list[Mapping[str, Any]] = []
    for one in triggers:
        name, count = str(one["name"]), 2
        while name in seen:
            name, count = f"{one['name']}-{count}", count + 1
        seen.add(name)
        named.append({**one, "name": name})
    return named
