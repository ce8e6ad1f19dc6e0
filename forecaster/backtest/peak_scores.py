"""How the lead peak's quantiles did: coverage, pinball loss, and who spoke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.backtest.losses import coverage, pinball
from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.events import Event
from forecaster.planning.capacity import ScalingRule, replicas_for
from forecaster.planning.event_floor import served_floors
from forecaster.planning.hold import hold

__all__ = ["DECISION_COLUMNS", "PeakScores", "decision_rows", "score_peaks"]

DECISION_COLUMNS = ("timestamp", "quantile", "lead_peak", "replicas")
_DIGITS = ".7g"


@dataclass(frozen=True)
class PeakScores:
    """Of all decisions whose lead window was wholly observed.

    ``coverage`` is the share of them whose peak was at most each quantile; ``pinball`` the mean
    over the quantiles, in the unit asked for; ``live_ratio`` the share of all decisions in which
    live traffic spoke, not the outlook.
    """

    coverage: Mapping[float, float]
    pinball: float
    live_ratio: float
    windows: int


def score_peaks(parts: Sequence[PeakDecisions], per_rps: float = 1.0) -> PeakScores:
    """Scores over one or several series, pooled; ``per_rps`` turns requests per second into the
    unit of the pinball loss. ValueError without any decision."""
    if not parts:
        raise ValueError("there is no decision to score")
    levels = parts[0].levels
    observed = np.concatenate([one.observed_rps for one in parts]) * per_rps
    said = np.concatenate([one.peak_rps for one in parts], axis=1) * per_rps
    live = np.concatenate([one.live for one in parts])
    return PeakScores(
        coverage={q: coverage(observed, row) for q, row in zip(levels, said, strict=True)},
        pinball=pinball(observed, said, levels),
        live_ratio=float(live.mean()),
        windows=int((~np.isnan(observed)).sum()),
    )


def decision_rows(
    decisions: PeakDecisions,
    rule: ScalingRule,
    per_rps: float = 1.0,
    events: Sequence[Event] = (),
) -> Iterator[tuple[str, str, str, int]]:
    """One row of :data:`DECISION_COLUMNS` for every step and level, gaps included.

    ``timestamp`` is the decision's instant, UTC; ``lead_peak`` is in the unit of ``per_rps``;
    ``replicas`` are the planner's, raised to what ``events`` declare as floors, within the limits
    of ``rule`` and held down as it says.
    """
    series, count = decisions.series, decisions.peak_rps.shape[1]
    step, first = series.step, series.index_of(decisions.start)
    stamps = [
        (decisions.start + index * step).strftime("%Y-%m-%dT%H:%M:%SZ") for index in range(count)
    ]
    known = series.rate_rps[first - 1 : first + count - 1]
    floors = served_floors(events, rule, decisions.start, step, known)
    for level, row in zip(decisions.levels, decisions.peak_rps, strict=True):
        needed = np.maximum(replicas_for(row, rule), floors)
        replicas = hold(needed, rule.hold_steps(step)).tolist()
        text = repr(float(level))
        for stamp, peak, count in zip(stamps, (row * per_rps).tolist(), replicas, strict=True):
            yield stamp, text, format(peak, _DIGITS), count
