"""One trace under several policies: the same pods, the same HPA, the planner's own code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.backtest.hpa import (
    AverageValueMetric,
    Band,
    HpaSpec,
    Metric,
    Signal,
    Simulation,
    Source,
    simulate,
)
from forecaster.backtest.measures import Measures, Shortage, find_shortages, measure
from forecaster.backtest.policies.base import Floor, Policy, Setting
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.span import ReplaySpan
from forecaster.traffic.history import FloatArray

__all__ = ["POLICY_NAMES", "PolicyReplay", "replay_oracle", "replay_policy", "simulate_floor"]

POLICY_NAMES = (
    "oracle",
    "hpa",
    "schedule",
    "exporter",
    "outlook",
    "holt_winters",
    "prophet",
    "preroll",
)
"""Every policy's name, in the order in which they are shown."""

# A Kubernetes quantity has three decimals, and a workload may see less traffic than that.
_METRIC_PER_REPLICA = 1000.0


@dataclass(frozen=True, eq=False)
class PolicyReplay:
    """What one policy ran, step by step, and what that comes to.

    ``asked``, ``ready`` and ``short`` (missing to traffic over capacity) are the means of each
    step in replicas, shape (steps,); ``short`` is NaN in gaps. ``shortages`` are in order of time.
    """

    name: str
    setting: Setting
    measures: Measures
    asked: FloatArray
    ready: FloatArray
    short: FloatArray
    shortages: tuple[Shortage, ...]

    def worst(self, count: int) -> tuple[Shortage, ...]:
        """The shortages with the most unserved traffic, the worst first."""
        ordered = sorted(self.shortages, key=lambda one: (-one.unserved_requests, one.start))
        return tuple(ordered[:count])


def replay_policy(
    span: ReplaySpan,
    policy: Policy,
    settings: ReplaySettings,
    counted: ReplaySpan | None = None,
) -> PolicyReplay:
    """What the policy would have run over the span.

    It begins with as many ready replicas as the first observed step needs, the same for all.
    ``counted`` is a span that begins later and ends with this one: what came before it was run all
    the same, so that pods and HPA are in full swing, but counts nowhere.
    """
    simulation = simulate_floor(span, policy.floor(span, settings), policy.utilisation, settings)
    shown = span if counted is None else counted
    before = len(span) - len(shown)
    asked, ready = simulation.asked, simulation.ready
    if before:  # a change at the very first instant is an action, unless it was before the window
        asked, ready = asked.after(before), ready.after(before)
    shortages = find_shortages(ready, shown, settings)
    return PolicyReplay(
        name=policy.name,
        setting=policy.setting,
        measures=measure(asked, ready, shown, settings, shortages),
        asked=asked.mean(),
        ready=ready.mean(),
        short=ready.short_of(settings.needed(shown.rate_rps)),
        shortages=shortages,
    )


def replay_oracle(span: ReplaySpan, settings: ReplaySettings) -> PolicyReplay:
    """Perfect foresight: exactly what each step needs, ready in time; by definition no slack.

    It asks for each replica one lead window before the step that needs it, and pays from then on.
    """
    needed = settings.oracle_replicas(span)
    lead = settings.lead_steps(span.series.step)
    started = np.cumsum(np.maximum(np.diff(needed, append=needed[-1]), 0))  # by each step's end
    before = np.concatenate([[0], started[:-1]])
    beyond = started[np.minimum(np.arange(len(span)) + lead - 1, len(span) - 1)]
    asked = (needed + beyond - before).astype(np.float64)
    ready = needed.astype(np.float64)
    hours_per_replica = span.step_seconds / 3600.0
    paid = float(asked[span.observed].sum()) * hours_per_replica
    price = settings.price_per_replica_hour
    return PolicyReplay(
        name="oracle",
        setting={},
        measures=Measures(
            unserved_ratio=0.0,
            underprovisioned_seconds=0.0,
            longest_shortage_seconds=0.0,
            slack_ratio=0.0,
            replica_hours=float(ready[span.observed].sum()) * hours_per_replica,
            paid_replica_hours=paid,
            scaling_actions=int(np.count_nonzero(np.diff(needed))),
            cost=None if price is None else paid * price,
        ),
        asked=asked,
        ready=ready,
        short=np.where(span.observed, 0.0, np.nan),
        shortages=(),
    )


def simulate_floor(
    span: ReplaySpan, floor: Floor | None, utilisation: float | None, settings: ReplaySettings
) -> Simulation:
    """The HPA over the span: the floor's metric, and measured traffic at ``utilisation``.

    Each may be None, not both: ValueError. In a gap the measured metric fails and the HPA holds.
    """
    metrics: list[Metric] = []
    sources: list[Source] = []
    if floor is not None:
        metrics.append(floor.metric)
        sources.append(floor.source)
    if utilisation is not None:
        metrics.append(AverageValueMetric(_METRIC_PER_REPLICA * utilisation))
        traffic = span.known_rps / settings.capacity_rps * _METRIC_PER_REPLICA
        sources.append(Signal(traffic, settings.metric_delay_seconds, served=True))
    if not metrics:
        raise ValueError("a policy needs a floor or a utilisation, for example 0.7")
    behavior = settings.behavior
    if floor is not None and floor.behavior is not None:
        behavior = floor.behavior
    spec = HpaSpec(
        metrics=tuple(metrics),
        min_replicas=settings.min_replicas,
        max_replicas=settings.max_replicas,
        behavior=behavior,
        tolerance_ratio=settings.tolerance_ratio,
        band=Band.INCLUSIVE if floor is None else floor.band,
    )
    initial = min(int(settings.oracle_replicas(span)[0]), settings.max_replicas)
    return simulate(
        spec,
        sources,
        steps=len(span),
        step_seconds=span.step_seconds,
        startup=settings.startup,
        initial_replicas=initial,
        rng=np.random.default_rng(settings.seed),
    )
