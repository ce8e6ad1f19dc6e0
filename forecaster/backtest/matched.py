"""Preroll and the HPA at equal unserved traffic: the frontier's two best settings, run again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from forecaster.backtest.frontier import Frontier
from forecaster.backtest.named import named_policy
from forecaster.backtest.policies import Hpa, Policy, Preroll
from forecaster.backtest.proof import SeriesProof
from forecaster.backtest.replay import PolicyReplay, replay_policy
from forecaster.backtest.span import ReplaySpan
from forecaster.backtest.sweep import SweptPoint

__all__ = ["HEADLINE_TARGET", "Matched", "distance", "match", "matched_points"]

HEADLINE_TARGET = 0.005
"""The unserved ratio at which a headline compares, where both reached it."""


@dataclass(frozen=True, eq=False)
class Matched:
    """Both at their best settings for one target: the points, and what each ran there.

    Where no floor was better than none, ``own`` and ``ours`` are the HPA alone.
    """

    target: float
    own: SweptPoint
    other: SweptPoint
    ours: PolicyReplay
    theirs: PolicyReplay


def matched_points(frontier: Frontier) -> tuple[float, SweptPoint, SweptPoint] | None:
    """The target nearest to 0.5 % that Preroll and the HPA both reached, and their points there.

    Near is by ratio: 0.2 % is farther away than 1 %. None where they share no target.
    """
    both = [
        (row.unserved_ratio, own, other)
        for row in frontier.rows
        if (own := row.best.get("preroll")) is not None
        and (other := row.best.get("hpa")) is not None
    ]
    return min(both, key=lambda one: distance(one[0]), default=None)


def distance(target: float) -> float:
    """How far an unserved ratio is from the headline's, by their ratio."""
    return abs(math.log(target / HEADLINE_TARGET))


def match(one: SeriesProof) -> Matched | None:
    """Both replayed at the headline's target; None without a frontier, or without such a target."""
    found = matched_points(one.frontier) if one.frontier is not None else None
    if found is None or one.span is None:
        return None
    target, own, other = found
    ours, theirs = (
        replay_policy(one.span, _policy(point, one, one.span), one.settings)
        for point in (own, other)
    )
    return Matched(target, own, other, ours, theirs)


def _policy(point: SweptPoint, one: SeriesProof, span: ReplaySpan) -> Policy:
    quantile, utilisation = point.setting.get("quantile"), point.setting["utilisation"]
    if quantile is None:
        return Hpa() if utilisation is None else Hpa(utilisation)
    hold_down = timedelta(seconds=point.setting["hold_down_seconds"] or 0)
    preroll = named_policy(
        "preroll", span, one.decisions, quantile, hold_down=hold_down, events=one.events
    )
    return replace(cast(Preroll, preroll), utilisation=utilisation)
