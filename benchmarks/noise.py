"""How much slack is chance: what a forecast would need that knows each minute's true mean.

The mean of the half hour around each step, the future half included, times the one factor that
reaches a target: no start-up time, no HPA, no hold. What is left between that and a policy's slack
is what a better forecast could still win on traffic that is noise around such a mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from benchmarks.proof import TEST
from benchmarks.traces import Trace
from forecaster.backtest import ReplaySpan, auto_capacity
from forecaster.backtest.frontier import HEADLINE_TARGETS

__all__ = ["render_noise"]

_AROUND = timedelta(minutes=30)
_HALVINGS = 30


def render_noise(traces: Sequence[Trace]) -> str:
    lines = [
        "| trace | 1 % unserved | 0.5 % | 0.2 % |",
        "|---|---:|---:|---:|",
    ]
    for trace in traces:
        cells = " | ".join(f"{_slack(trace, target):.1%}" for target in HEADLINE_TARGETS)
        lines.append(f"| {trace.name} | {cells} |")
    return "\n".join(lines)


def _slack(trace: Trace, target: float) -> float:
    series = trace.series
    span = ReplaySpan(series, series.end - TEST)
    capacity = auto_capacity(span)
    width = max(3, round(_AROUND / series.step) // 2 * 2 + 1)
    mean = pd.Series(series.rate_rps).rolling(width, center=True, min_periods=1).mean()
    seen = ~np.isnan(span.rate_rps)
    traffic = span.rate_rps[seen]
    around = mean.to_numpy()[span.first :][seen]
    low, high = 0.5, 50.0
    for _ in range(_HALVINGS):
        factor = (low + high) / 2
        ready = np.maximum(np.ceil(around * factor / capacity), 1)
        short = np.maximum(traffic - ready * capacity, 0).sum() / traffic.sum()
        low, high = (factor, high) if short > target else (low, factor)
    ready = np.maximum(np.ceil(around * high / capacity), 1)
    needed = np.maximum(np.ceil(traffic / capacity), 1)
    return float(ready.sum() / needed.sum() - 1)
