"""``make bench DATA=DIR``: every figure, as ratios within one run, as Markdown on stdout."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.traces import Trace

SECTIONS = (
    "outlook",
    "training",
    "proof",
    "cold-start",
    "hard-series",
    "known-ahead",
    "events-fleet",
    "cliffs",
    "cluster",
    "endpoint",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of *.csv.gz traces (requests per step)")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="one section; repeatable")
    options = parser.parse_args()
    sections = options.only or SECTIONS
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"

    from benchmarks.outlook import measure_accuracy, render_accuracy
    from benchmarks.traces import load_traces
    from benchmarks.training import measure_training, render_training

    started = time.monotonic()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores\n", flush=True)
    traces = load_traces(options.data)
    if "training" in sections:
        minutes = [t for t in traces if t.series.step == timedelta(minutes=1) and t.judged]
        rows = [measure_training(trace.name, trace.series) for trace in minutes]
        print("## Training\n\n" + render_training(rows) + "\n", flush=True)
    if "outlook" in sections:
        print("## Day-ahead outlook\n", flush=True)
        print("\n" + render_accuracy(measure_accuracy(traces)) + "\n", flush=True)
    if "proof" in sections:
        prove(traces)
    if "cold-start" in sections:
        from benchmarks.cold_start import measure_cold_start, render_cold_start

        print("## Cold start\n", flush=True)
        print("\n" + render_cold_start(measure_cold_start(traces, options.data)) + "\n", flush=True)
    if "hard-series" in sections:
        from benchmarks.hard_series import measure_shift, measure_sparse
        from benchmarks.proof import proof_traces

        print("## Hard series\n", flush=True)
        if options.data is not None:
            print("\n" + measure_sparse(options.data) + "\n", flush=True)
        print("\n" + measure_shift(proof_traces(traces)) + "\n", flush=True)
    if "known-ahead" in sections:
        from benchmarks.known_ahead import measure_day_ahead, measure_slack

        print("## Known ahead: the tournament with its matches\n", flush=True)
        print("\n" + measure_day_ahead() + "\n", flush=True)
        print("\n" + measure_slack() + "\n", flush=True)
    if "events-fleet" in sections:
        from benchmarks.events_fleet import measure_events_fleet

        print("## A year of events for a thousand workloads\n", flush=True)
        print("\n" + measure_events_fleet() + "\n", flush=True)
    if "cliffs" in sections:
        from benchmarks.cliffs import measure_cliffs

        print("## Cliffs\n", flush=True)
        print("\n" + measure_cliffs(traces) + "\n", flush=True)
    if "cluster" in sections:
        from benchmarks.cluster import measure_cluster

        print("## Reading a large cluster\n", flush=True)
        print("\n" + measure_cluster() + "\n", flush=True)
    if "endpoint" in sections:
        if shutil.which("wrk") is None:
            print("## Endpoint\n\nnot measured: wrk is not installed (Debian: wrk)\n")
        else:
            print("## Endpoint\n", flush=True)
            subprocess.run([sys.executable, "-m", "benchmarks.endpoint"], check=True)
    print(f"\n{time.monotonic() - started:.0f} s in all")


def prove(traces: list[Trace]) -> None:
    from benchmarks.noise import render_noise
    from benchmarks.proof import (
        CLUSTERS,
        measure_proof,
        proof_traces,
        render_coverage,
        render_proof,
    )

    print("## Slack at equal unserved traffic\n", flush=True)
    cells = measure_proof(traces)
    for name in CLUSTERS:
        print(f"\n### {name}\n\n{render_proof(cells, name)}\n", flush=True)
    noise = render_noise(proof_traces(traces))
    print(f"\n### Slack of a forecast that knew the half hour around\n\n{noise}\n", flush=True)
    print(f"\n### Coverage of the lead peak\n\n{render_coverage(cells)}\n", flush=True)


if __name__ == "__main__":
    main()
