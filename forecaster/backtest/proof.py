"""The proof: what Preroll would have said of past traffic, and what each autoscaler would have run.

Values only; ``proof_tasks`` does the work, ``proof_json`` writes it down, ``verdict`` says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from forecaster.backtest.frontier import Frontier
from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.backtest.peak_scores import PeakScores
from forecaster.backtest.policies import USUAL_UTILISATION
from forecaster.backtest.replay import PolicyReplay
from forecaster.backtest.replay_settings import ReplaySettings
from forecaster.backtest.report import BacktestReport, InputUnit
from forecaster.backtest.span import ReplaySpan
from forecaster.events import EMPTY_CALENDAR, Calendar, Event
from forecaster.models.peak.training import DEFAULT_LEVELS
from forecaster.planning.capacity import ScalingRule
from forecaster.planning.limits import MOST_REPLICAS
from forecaster.traffic.history import TrafficSeries

__all__ = ["DEFAULT_POLICIES", "FRONTIER_QUANTILES", "Proof", "ProofSettings", "SeriesProof"]

DEFAULT_POLICIES = ("oracle", "hpa", "schedule", "exporter", "outlook", "preroll")
"""What is replayed where nothing is said: all that need no model of their own."""
FRONTIER_QUANTILES = (
    *(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85),
    *(0.9, 0.95, 0.98, 0.99, 0.995),
)
"""What a frontier tries as Preroll's quantile: with an HPA beneath, low ones are of use too."""


@dataclass(frozen=True)
class ProofSettings:
    """What is asked, the same for every series.

    ``levels`` are the lead peak's quantiles that are scored and written; ``quantile`` is the one
    that Preroll is replayed at. ``capacity_rps`` None: each series' highest traffic of the test
    needs 100 replicas. ``utilisation`` is what the rivals' HPA aims at as they are replayed, as a
    share of a replica's capacity. ``frontier`` is whether every policy's knob is swept as well.
    ``calendar`` are events that count as known ahead, all of them at every training, whenever they
    were added; a series is taken for the workload of its id.
    """

    lead_time: timedelta = ScalingRule.lead_time
    quantile: float = ScalingRule.quantile
    levels: tuple[float, ...] = DEFAULT_LEVELS
    policies: tuple[str, ...] = DEFAULT_POLICIES
    frontier: bool = False
    capacity_rps: float | None = None
    min_replicas: int = 1
    max_replicas: int = MOST_REPLICAS
    tolerance_ratio: float = 0.1
    utilisation: float = USUAL_UTILISATION
    startup_seconds: tuple[float, ...] = ()
    price_per_replica_hour: float | None = None
    timezone: str = "UTC"
    calendar: Calendar = EMPTY_CALENDAR


@dataclass(frozen=True, eq=False)
class SeriesProof:
    """One series.

    ``decisions`` has ``ProofSettings.quantile`` among its levels, and may have more levels than
    were asked; ``scores`` are of those asked. ``settings`` has the capacity that was used.
    ``span`` is what was replayed, None where nothing was observed in the test. ``replays`` are by
    the policy's name, in the order of ``POLICY_NAMES``; ``silent`` says why others of those asked
    are not there. ``frontier`` is None where it was not asked for. ``events`` are those whose
    declared floors Preroll was replayed with.
    """

    series: TrafficSeries
    decisions: PeakDecisions
    scores: PeakScores
    settings: ReplaySettings
    span: ReplaySpan | None
    replays: Mapping[str, PolicyReplay] = field(default_factory=dict)
    frontier: Frontier | None = None
    silent: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, eq=False)
class Proof:
    """All series, in the order of the input; one at least.

    ``scores`` are those of the lead peak over all series, pooled. ``day_ahead`` scores the outlook,
    None where no series is long enough. ``left_out`` maps a series to the reason why nothing is
    said of it. ``notices`` are what else a reader should know, one sentence each.
    """

    unit: InputUnit
    asked: ProofSettings
    series: Mapping[str, SeriesProof]
    scores: PeakScores
    day_ahead: BacktestReport | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def step(self) -> timedelta:
        """The step that all series share."""
        return next(iter(self.series.values())).series.step

    @property
    def lead_steps(self) -> int:
        """The n of the lead window, which has n + 1 steps."""
        return next(iter(self.series.values())).decisions.lead_steps
