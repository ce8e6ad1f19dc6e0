"""Eight weeks of a hundred workloads by the minute, through real HTTP, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.traffic.stand_in import serving

WORKLOADS, DAYS = 100, 56
STEPS = DAYS * 1440
MEBIBYTE = 2**20
ARRAYS = WORKLOADS * STEPS * 8 / MEBIBYTE

CLIENT = """
import json, resource, sys, time
from datetime import UTC, datetime, timedelta
import numpy as np
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

url, days = sys.argv[1], int(sys.argv[2])
start = datetime(2024, 1, 1, tzinfo=UTC)
with PrometheusSource(PrometheusConnection(url), FleetQuery("q")) as source:
    source.fetch(start, start + timedelta(minutes=1), timedelta(minutes=1))  # all is imported
    before, began = peak(), time.perf_counter()
    history = source.fetch(start, start + timedelta(days=days), timedelta(minutes=1)).history
    print(json.dumps({
        "before": before,
        "grown": peak() - before,
        "seconds": time.perf_counter() - began,
        "sum": float(sum(np.nansum(one.rate_rps) for one in history)),
        "values": int(sum(np.isfinite(one.rate_rps).sum() for one in history)),
    }))
"""


@pytest.mark.slow
def test_eight_weeks_of_a_hundred_workloads_need_little_more_than_their_arrays(record_property):
    largest = 0

    def answer(asked):
        nonlocal largest
        start, end = int(asked.form["start"]), int(asked.form["end"])
        points = ",".join(f'[{t},"{t % 9973}.0625"]' for t in range(start, end + 1, 60))
        results = ",".join(
            f'{{"metric":{{"namespace":"tv","deployment":"w{i:03d}"}},"values":[{points}]}}'
            for i in range(WORKLOADS)
        )
        body = f'{{"status":"success","data":{{"resultType":"matrix","result":[{results}]}}}}'
        largest = max(largest, len(body))
        return 200, {"content-type": "application/json"}, body

    with serving() as server:
        server.answer = answer
        command = [sys.executable, "-c", CLIENT, server.url, str(DAYS)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=280)
    figures = json.loads(done.stdout)
    record_property("figures", figures)

    first = 1704067200 + 60
    expected = sum(t % 9973 + 0.0625 for t in range(first, first + STEPS * 60, 60))
    assert figures["values"] == WORKLOADS * STEPS
    assert figures["sum"] == pytest.approx(WORKLOADS * expected, rel=1e-12)
    # The arrays, one body as bytes and as text, some air: not every body, nor the arrays twice.
    body = largest / MEBIBYTE
    sys.stdout.write(f"arrays {ARRAYS:.0f} MiB, largest body {body:.0f} MiB, {figures}\n")
    assert figures["grown"] < ARRAYS + 2 * body + 20
