"""Measured capacity against the truth, over simulated workloads: the table of docs/capacity.md.

python -m benchmarks.capacity
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from forecaster.planning.measured_capacity import Measured, Refused, measure_capacity
from tests.planning.load_simulation import Load, simulate

RUNS = 24
CASES = {
    "a fixed number of replicas": Load(fixed_replicas=40),
    "autoscaled near the target": Load(),
    "the same, with batch work in a tenth of the hours": Load(batch_share=0.1),
    "fixed, five days": Load(days=5, fixed_replicas=40),
    "autoscaled, 35 % dearer after 8 days": Load(release_day=8.3, release_factor=1.35),
    "fixed, a limit just above the target": Load(limit=0.42, fixed_replicas=25),
    "fixed, highest load at 70 % of the target": Load(fixed_replicas=58),
    "autoscaled, the cost of a request wanders by 8 %": Load(wander=0.08),
    "autoscaled, 10 % dearer after 8 days": Load(release_day=8.3, release_factor=1.1),
}
FRESH = (Load(fixed_replicas=40), Load(), Load(least=12))
QUIET = (
    Load(fixed_replicas=40),
    Load(least=12, batch_share=0.1),
    Load(wander=0.08, fixed_replicas=40),
    Load(wander=0.08),
    Load(days=5, fixed_replicas=40, batch_share=0.05),
)


def measured(load: Load) -> Measured | Refused:
    signals = simulate(load)
    return measure_capacity(*signals.each(), 0.7, signals.now)


def changed(found: Measured | Refused) -> bool:
    if isinstance(found, Refused):
        return found.changed_at is not None
    return any("a request costs" in note for note in found.notes)


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        for name, load in CASES.items():
            found = list(pool.map(measured, [replace(load, seed=100 + n) for n in range(RUNS)]))
            known = [one for one in found if isinstance(one, Measured)]
            truth = load.capacity(0.7, released=load.release_day is not None)
            ratio = np.array([one.capacity_rps for one in known]) / truth
            inside = sum(one.low_rps <= truth <= one.high_rps for one in known)
            middle = f"{ratio.mean():.3f} ± {ratio.std():.3f}"
            print(f"| {name} | {middle} | {inside} of {len(known)} |", flush=True)
        late = [
            replace(one, seed=300 + n, release_day=12.2, release_factor=1.3)
            for one in FRESH
            for n in range(12)
        ]
        told = [one for one in pool.map(measured, late) if isinstance(one, Refused)]
        cost = np.array([one.cost_ratio for one in told if one.cost_ratio is not None])
        of = f"{len(cost)} of {len(late)}"
        print(f"released 1.8 days ago: {of}, {cost.mean():.3f} ± {cost.std():.3f}")
        quiet = [replace(one, seed=400 + n) for one in QUIET for n in range(20)]
        false = [changed(one) for one in pool.map(measured, quiet)]
        print(f"told without a release: {sum(false)} of {len(quiet)}")
    signals = simulate(Load(days=28, least=12))
    began = time.process_time()
    measure_capacity(*signals.each(), 0.7, signals.now)
    print(f"28 days by the minute: {time.process_time() - began:.2f} s")


if __name__ == "__main__":
    main()
