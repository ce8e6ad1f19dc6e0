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

SECTIONS = ("outlook", "training", "endpoint")


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
    if "endpoint" in sections:
        if shutil.which("wrk") is None:
            print("## Endpoint\n\nnot measured: wrk is not installed (Debian: wrk)\n")
        else:
            print("## Endpoint\n", flush=True)
            subprocess.run([sys.executable, "-m", "benchmarks.endpoint"], check=True)
    print(f"\n{time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
