"""Several series as one fleet: measures added up, frontiers at each series' own best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.backtest.frontier import FrontierRow, slack_ratio
from forecaster.backtest.measures import Measures
from forecaster.backtest.proof import Proof, SeriesProof
from forecaster.backtest.replay import POLICY_NAMES

__all__ = ["Pooled", "PooledRow", "pooled_frontier", "pooled_measures"]


@dataclass(frozen=True)
class Pooled:
    """One policy over the ``series`` that it was replayed for."""

    measures: Measures
    series: int


@dataclass(frozen=True)
class PooledRow:
    """Slack at one target, each series at its own best setting for it, replica-hours added up.

    Over the ``series`` whose HPA alone reaches the target; ``slack`` is None for a policy that does
    not reach it on one of those, or was not tried there. ``not_tried`` says on how many of them,
    for each policy that was silent for some.
    """

    unserved_ratio: float
    slack: Mapping[str, float | None]
    series: int
    not_tried: Mapping[str, int] = field(default_factory=dict)

    def ratio_to_hpa(self, policy: str = "preroll") -> float | None:
        """The policy's slack over the HPA's, each taken as at least 0.5 %."""
        return slack_ratio(self.slack.get(policy), self.slack.get("hpa"))


def pooled_measures(proof: Proof) -> dict[str, Pooled]:
    """Each policy's measures over all series.

    Unserved traffic is that of all over all traffic, slack that of all replica-hours; seconds,
    hours, actions and cost are added up, and the longest shortage is the longest of any series.
    """
    found = {}
    for name in POLICY_NAMES:
        with_it = [one for one in proof.series.values() if name in one.replays]
        if with_it:
            found[name] = Pooled(_added(name, with_it), len(with_it))
    return found


def pooled_frontier(proof: Proof) -> tuple[PooledRow, ...]:
    """A row for each target; nothing where no frontier was asked for."""
    with_one = [one for one in proof.series.values() if one.frontier is not None]
    if not with_one:
        return ()
    targets = (
        [row.unserved_ratio for row in with_one[0].frontier.rows] if with_one[0].frontier else []
    )
    return tuple(_row(index, target, with_one) for index, target in enumerate(targets))


def _row(index: int, target: float, series: Sequence[SeriesProof]) -> PooledRow:
    rows = [(one, one.frontier.rows[index]) for one in series if one.frontier is not None]
    reached = [(_oracle_hours(one), row) for one, row in rows if row.slack("hpa") is not None]
    names = [name for name in POLICY_NAMES if any(name in row.best for _, row in rows)]
    silent = {name: sum(name not in row.best for _, row in reached) for name in names}
    return PooledRow(
        target,
        {name: _slack(name, reached) for name in names},
        len(reached),
        {name: count for name, count in silent.items() if count},
    )


def _slack(name: str, reached: Sequence[tuple[float, FrontierRow]]) -> float | None:
    hours = idle = 0.0
    for oracle_hours, row in reached:
        slack = row.slack(name)
        if slack is None:
            return None
        hours += oracle_hours
        idle += slack * oracle_hours
    return idle / hours if hours else None


def _added(name: str, series: Sequence[SeriesProof]) -> Measures:
    every = [one.replays[name].measures for one in series]
    traffic = np.array([_traffic(one) for one in series])
    unserved = np.array([one.unserved_ratio for one in every])
    oracle = np.array([one.replica_hours / (1.0 + one.slack_ratio) for one in every])
    hours = np.array([one.replica_hours for one in every])
    costs = [one.cost for one in every if one.cost is not None]
    return Measures(
        unserved_ratio=float((unserved * traffic).sum() / traffic.sum()) if traffic.any() else 0.0,
        underprovisioned_seconds=sum(one.underprovisioned_seconds for one in every),
        longest_shortage_seconds=max(one.longest_shortage_seconds for one in every),
        slack_ratio=float(hours.sum() / oracle.sum() - 1.0),
        replica_hours=float(hours.sum()),
        paid_replica_hours=sum(one.paid_replica_hours for one in every),
        scaling_actions=sum(one.scaling_actions for one in every),
        cost=sum(costs) if costs else None,
    )


def _traffic(one: SeriesProof) -> float:
    return 0.0 if one.span is None else float(np.nansum(one.span.rate_rps))


def _oracle_hours(one: SeriesProof) -> float:
    if one.span is None:
        return 0.0
    needed = one.settings.oracle_replicas(one.span)
    return float(needed[one.span.observed].sum()) * one.span.step_seconds / 3600.0
