"""Day-ahead accuracy and coverage: the last 14 days, an origin a day, against naive and rivals."""

from __future__ import annotations

import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

import numpy as np

from benchmarks.rivals import installed_rivals, rival_path
from benchmarks.traces import Trace
from forecaster.backtest.baselines import seasonal_naive
from forecaster.backtest.losses import coverage, wape
from forecaster.backtest.rolling_origin import RollingOrigin, hold_out
from forecaster.models import OutlookConfig, train_outlook
from forecaster.traffic.history import FloatArray

__all__ = ["Accuracy", "measure_accuracy", "render_accuracy"]

_QUANTILES = (0.1, 0.5, 0.9, 0.98)


@dataclass(frozen=True)
class Accuracy:
    name: str
    wape: float
    naive: float
    rivals: dict[str, float]
    coverage: dict[float, float]

    @property
    def to_naive(self) -> float:
        return self.wape / self.naive

    @property
    def to_best_rival(self) -> float:
        return self.wape / min(self.rivals.values())


def measure_accuracy(traces: list[Trace], jobs: int = 2) -> list[Accuracy]:
    judged = [trace for trace in traces if trace.judged]
    rivals = installed_rivals()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        # The dearest first, so that the two cores end together.
        order = sorted(judged, key=lambda trace: trace.series.step)
        done = {}
        for one in pool.map(_measure, order, [rivals] * len(order)):
            print(f"  {one.name}: {one.to_naive:.2f} of seasonal naive", flush=True)
            done[one.name] = one
    return [done[trace.name] for trace in judged]


def _measure(trace: Trace, rivals: tuple[str, ...]) -> Accuracy:
    series = trace.series
    holdout = hold_out(series, RollingOrigin(test=timedelta(days=14)))
    config = OutlookConfig(_QUANTILES, horizon=timedelta(days=1))
    paths: dict[str, list[FloatArray]] = {}
    quantiles, observed = [], []
    for cutoff in holdout.cutoffs:
        known = series.before(cutoff)
        assert known is not None
        first = len(known)
        actual = series.rate_rps[first : first + holdout.horizon_steps]
        observed.append(actual)
        quantiles.append(train_outlook(known, cutoff, config).outlook.rate_rps[:, : len(actual)])
        paths.setdefault("naive", []).append(seasonal_naive(known, len(actual)))
        for name in rivals:
            paths.setdefault(name, []).append(rival_path(name, known, len(actual)))
    truth, bands = np.concatenate(observed), np.hstack(quantiles)
    errors = {name: wape(truth, np.concatenate(path)) for name, path in paths.items()}
    return Accuracy(
        trace.name,
        wape(truth, bands[_QUANTILES.index(0.5)]),
        errors.pop("naive"),
        errors,
        {q: coverage(truth, bands[i]) for i, q in enumerate(_QUANTILES)},
    )


def render_accuracy(rows: list[Accuracy]) -> str:
    names = list(rows[0].rivals)
    lines = [
        "| trace | WAPE | ÷ seasonal naive | "
        + " | ".join(f"{name} ÷ naive" for name in names)
        + " | ÷ best rival | coverage 0.1 | 0.5 | 0.9 | 0.98 |",
        "|---|" + "---:|" * (len(names) + 7),
    ]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.wape:.3f} | {row.to_naive:.2f} | "
            + " | ".join(f"{row.rivals[name] / row.naive:.2f}" for name in names)
            + f" | {row.to_best_rival:.2f} | "
            + " | ".join(f"{row.coverage[q]:.3f}" for q in _QUANTILES)
            + " |"
        )
    ratios = [row.to_naive for row in rows]
    at_090 = [row.coverage[0.9] for row in rows]
    near = sum(row.to_best_rival <= 1.02 for row in rows)
    inside = sum(0.85 <= c <= 0.95 for c in at_090)
    lines += [
        "",
        f"- ratio to seasonal naive: median {statistics.median(ratios):.3f}, "
        f"highest {max(ratios):.3f}",
        f"- within 1.02 × the best of {', '.join(names)}: {near} of {len(rows)} traces",
        f"- coverage of the 0.9 quantile: median {statistics.median(at_090):.3f}, "
        f"within 0.85–0.95 on {inside} of {len(rows)} traces",
    ]
    return "\n".join(lines)
