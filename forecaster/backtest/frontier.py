"""Slack at equal unserved traffic: the lower envelope of all that was tried, policy by policy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from forecaster.backtest.sweep import UNSERVED_TARGETS, SweptPoint, least_slack

__all__ = ["HEADLINE_TARGETS", "Frontier", "FrontierRow", "build_frontier", "slack_ratio"]

HEADLINE_TARGETS = (0.01, 0.005, 0.002)
"""The targets that a trace's mean ratio is made of."""

_LEAST_SLACK = 0.005
_NOT_REACHED_RATIO = 1.5
_OWN_KNOBS = ("quantile", "hold_down_seconds", "factor", "multiplier")


@dataclass(frozen=True)
class FrontierRow:
    """Each policy's best point at one target, None where none of its settings reached it.

    Nothing is interpolated: the best is the least slack among the settings tried whose unserved
    ratio is at most ``unserved_ratio``, be it far less. A floor's best may be the HPA alone; its
    own knobs are None then.
    """

    unserved_ratio: float
    best: Mapping[str, SweptPoint | None]

    def slack(self, policy: str) -> float | None:
        """The policy's slack; None: not reached, or not tried."""
        point = self.best.get(policy)
        return None if point is None else point.slack_ratio

    def ratio_to_hpa(self, policy: str = "preroll") -> float | None:
        """The policy's slack over the HPA's, each taken as at least 0.5 %.

        None where either did not reach the target.
        """
        return slack_ratio(self.slack(policy), self.slack("hpa"))


@dataclass(frozen=True)
class Frontier:
    """A row for each target, in the order given, and every point that was tried."""

    rows: tuple[FrontierRow, ...]
    points: tuple[SweptPoint, ...]

    def mean_ratio_to_hpa(
        self, policy: str = "preroll", targets: Sequence[float] = HEADLINE_TARGETS
    ) -> float | None:
        """The geometric mean of the policy's ratios over those ``targets`` that the HPA reaches.

        One that the HPA reaches and the policy does not counts 1.5. None where the HPA reaches
        none.
        """
        logs = []
        for row in self.rows:
            if row.unserved_ratio in targets and row.slack("hpa") is not None:
                ratio = row.ratio_to_hpa(policy)
                logs.append(math.log(_NOT_REACHED_RATIO if ratio is None else ratio))
        return math.exp(sum(logs) / len(logs)) if logs else None


def slack_ratio(ours: float | None, hpa: float | None) -> float | None:
    """The one slack over the other, each taken as at least 0.5 %; None where either is None.

    Below that a ratio says nothing: slack may be 0, or negative where traffic was left unserved.
    """
    if ours is None or hpa is None:
        return None
    return max(ours, _LEAST_SLACK) / max(hpa, _LEAST_SLACK)


def build_frontier(
    points: Iterable[SweptPoint], targets: Sequence[float] = UNSERVED_TARGETS
) -> Frontier:
    """The frontier of every policy that has points; of equal slack the fewer unserved wins.

    A floor can be switched off, so the HPA alone is one of every floor's settings: none is worse.
    """
    tried = sorted(points, key=lambda one: (one.policy, -one.unserved_ratio, one.slack_ratio))
    by_policy: dict[str, list[SweptPoint]] = {}
    for point in tried:
        by_policy.setdefault(point.policy, []).append(point)
    alone = by_policy.get("hpa", [])
    for name, own in by_policy.items():
        if name != "hpa":
            own.extend(_without_floor(point, own[0]) for point in alone)
    rows = tuple(
        FrontierRow(target, {name: least_slack(own, target) for name, own in by_policy.items()})
        for target in targets
    )
    return Frontier(rows, tuple(tried))


def _without_floor(alone: SweptPoint, like: SweptPoint) -> SweptPoint:
    """The HPA's point as a setting of the policy ``like``, whose own knobs are off."""
    off = dict.fromkeys((knob for knob in _OWN_KNOBS if knob in like.setting), None)
    return replace(alone, policy=like.policy, setting={**off, **alone.setting})
