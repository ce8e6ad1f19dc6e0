"""The recorded timelines, read as they are (README.md beside this file)."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.backtest.hpa import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    AverageValueMetric,
    Fallback,
    FallbackBehavior,
    HpaController,
    HpaSpec,
    Keda,
    PolicyType,
    ScaleBehavior,
    ScalePolicy,
    ScaleRules,
)
from forecaster.backtest.hpa.keda import falls_back

__all__ = ["SCENARIOS", "Recording"]

_HERE = Path(__file__).parent
_DOCUMENTS: dict[str, Any] = json.loads((_HERE / "scenarios.json").read_text())
SCENARIOS = sorted(_DOCUMENTS)


@dataclass(frozen=True)
class Recording:
    """One scenario: when it synced, what each trigger said (NaN: failed), what came of it.

    ``replicas[i]`` is what the Deployment had just before sync i + 1.
    """

    spec: HpaSpec
    sync_seconds: list[float]
    values: list[list[float]]
    replicas: list[int]

    @classmethod
    def read(cls, scenario: str) -> Recording:
        document = _DOCUMENTS[scenario]
        syncs = [row for row in _rows("syncs.csv") if row["scenario"] == scenario]
        changes = [row for row in _rows("replicas.csv") if row["scenario"] == scenario]
        at = [float(row["t_seconds"]) for row in syncs]
        changed_at = [float(row["t_seconds"]) for row in changes]
        after = np.searchsorted(changed_at, [*at[1:], at[-1] + 14], side="left") - 1
        return cls(
            HpaSpec(
                tuple(AverageValueMetric(float(one["target"])) for one in document["triggers"]),
                min_replicas=1,
                max_replicas=150,
                behavior=_behavior(document["behavior"]),
                # Polls of KEDA's own fell at 590 s and 1190 s.
                keda=Keda(600, _fallback(document.get("fallback"))),
            ),
            at,
            [[_value(text) for text in row["values"].split(";")] for row in syncs],
            [int(changes[index]["replicas"]) for index in after],
        )

    @property
    def polls(self) -> list[int]:
        """The rows that are a poll of KEDA's own, half a second early, in place of the sync."""
        gaps = np.diff(self.sync_seconds, prepend=self.sync_seconds[0] - 15)
        return np.flatnonzero(gaps < 14.9).tolist()

    def with_syncs_for_polls(self) -> Recording:
        """The polls moved to where the sync must have been: halfway between its neighbours."""
        at = list(self.sync_seconds)
        for index in self.polls:
            at[index] = (at[index - 1] + at[index + 1]) / 2
        return replace(self, sync_seconds=at)

    def without_fallback(self) -> Recording:
        return replace(self, spec=replace(self.spec, keda=Keda()))

    def disagreements(self) -> list[float]:
        """The syncs after which the controller, on its own all the way, has other replicas."""
        controller = HpaController(self.spec)
        current = 1
        wrong = []
        for at, values, recorded in zip(
            self.sync_seconds, self._as_keda_says(), self.replicas, strict=True
        ):
            fallback = self.spec.keda.fallback
            said = [
                fallback.replicas_at(current) * metric.target
                if fallback and value == np.inf
                else value
                for metric, value in zip(self.spec.metrics, values, strict=True)
            ]
            current = controller.sync(at, current, said)
            if current != recorded:
                wrong.append(at)
        return wrong

    def _as_keda_says(self) -> list[list[float]]:
        """The values, infinite where the fallback speaks."""
        fallback = self.spec.keda.fallback
        if fallback is None:
            return self.values
        values = np.array(self.values)
        for trigger in values.T:
            trigger[falls_back(np.isnan(trigger), fallback.failure_threshold)] = np.inf
        return values.tolist()


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(newline="") as lines:
        return list(csv.DictReader(lines))


def _value(text: str) -> float:
    return np.nan if text == "fail" else float(text)


def _behavior(document: dict[str, Any] | None) -> ScaleBehavior | None:
    if document is None:
        return None
    return ScaleBehavior(
        _rules(DEFAULT_SCALE_UP, document.get("scaleUp", {})),
        _rules(DEFAULT_SCALE_DOWN, document.get("scaleDown", {})),
    )


def _rules(default: ScaleRules, document: dict[str, Any]) -> ScaleRules:
    rules = default
    if "policies" in document:
        policies = [
            ScalePolicy(PolicyType(one["type"]), one["value"], one["periodSeconds"])
            for one in document["policies"]
        ]
        rules = replace(rules, policies=tuple(policies))
    if "stabilizationWindowSeconds" in document:
        window = document["stabilizationWindowSeconds"]
        rules = replace(rules, stabilization_window_seconds=window)
    if "tolerance" in document:
        rules = replace(rules, tolerance_ratio=float(document["tolerance"]))
    return rules


def _fallback(document: dict[str, Any] | None) -> Fallback | None:
    if document is None:
        return None
    return Fallback(
        document["failureThreshold"], document["replicas"], FallbackBehavior(document["behavior"])
    )
