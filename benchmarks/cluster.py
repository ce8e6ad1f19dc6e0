"""What reading a large cluster costs: the initial list, memory, a change, a burst of changes.

    python -m benchmarks --only cluster

A stand-in API server holds the objects, in the sizes that a real one sends, in a process on one
core; the reader of the cluster runs in another process on the other core, with the client, the
watches, the inventory and the annotations that the service runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from forecaster.threads import THREAD_LIMITS
from tests.cluster.reading import write_kubeconfig

__all__ = ["measure_cluster"]

READER_CORE, SERVER_CORE = "0", "1"
WORKLOADS, PODS_EACH = 5000, 10
PATCHES, BURST = 50, 10_000
REST_SECONDS = 20
ROOT = Path(__file__).resolve().parent.parent


class Process:
    """One of benchmarks/cluster_processes.py, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def order(self, **words: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def heard(self, key: str) -> dict[str, Any]:
        """The next thing that it says with this key."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told: dict[str, Any] = json.loads(line)
            if key in told:
                return told
        raise SystemExit(f"a process of the benchmark ended before it said {key}")


@contextmanager
def running(core: str, *words: str) -> Iterator[Process]:
    command = ["taskset", "-c", core, sys.executable, "-m", "benchmarks.cluster_processes", *words]
    environment = {**os.environ, **dict.fromkeys(THREAD_LIMITS, "1")}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Process(process)
    finally:
        process.kill()
        process.wait(20)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def measure_cluster() -> str:
    """Seconds and MiB as Markdown."""
    with ExitStack() as stack:
        size = ["--workloads", str(WORKLOADS), "--pods", str(PODS_EACH)]
        server = stack.enter_context(running(SERVER_CORE, "stand-in", *size))
        standing = server.heard("port")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kubeconfig = write_kubeconfig(
            folder / "kubeconfig", f"http://127.0.0.1:{standing['port']}", None
        )
        words = ["--kubeconfig", str(kubeconfig), *size]
        reader = stack.enter_context(running(READER_CORE, "read", *words))
        imported, listed = reader.heard("imported_mib"), reader.heard("listed")
        time.sleep(REST_SECONDS)
        reader.order(rest=True)
        rest = reader.heard("steady_mib")
        waits = [_patch(reader, int(standing["port"]), at) for at in range(PATCHES)]
        reader.order(pods=BURST)
        reader.heard("waiting")
        server.order(pods=BURST, ready_after=None)
        server.heard("prepared")
        began = time.monotonic()
        server.order(go=True)
        burst = reader.heard("burst")
        reader.order(rest=True)
        after = reader.heard("steady_mib")
    told = standing["bytes"]
    mib = sum(told.values()) / (1 << 20)
    rows = [
        ("initial list, asked ≤ 30", f"{listed['listed']:.1f} s"),
        ("… of it CPU", f"{listed['cpu']:.1f} s"),
        ("resident memory at rest, asked ≤ 500", f"{rest['steady_mib']:.0f} MiB"),
        ("… before anything was read", f"{imported['imported_mib']:.0f} MiB"),
        ("… at the most, during the list", f"{listed['peak_mib']:.0f} MiB"),
        ("… after the burst", f"{after['steady_mib']:.0f} MiB"),
        ("an annotation's PATCH → known, median", f"{1000 * median(waits):.0f} ms"),
        ("… the slowest", f"{1000 * max(waits):.0f} ms"),
        (f"a burst of {BURST:,} pod changes, CPU", f"{burst['cpu']:.2f} s"),
        ("… until all are known", f"{burst['burst'] - began:.2f} s"),
    ]
    counts = f"{WORKLOADS:,} ScaledObjects, HPAs and Deployments each, {listed['pods']:,} pods"
    return "\n".join(
        [
            "| what | |",
            "|---|---:|",
            *(f"| {said} | {took} |" for said, took in rows),
            "",
            f"- {counts}; {mib:,.0f} MiB of JSON, a pod {told['Pod'] / listed['pods']:,.0f} bytes",
        ]
    )


def _patch(reader: Process, port: int, at: int) -> float:
    """Seconds from sending a PATCH to the moment at which the reader has the new workload."""
    capacity = 1000 + at
    name, space = f"workload-{at * 97}", f"ns-{at * 97 % 100}"
    body = json.dumps({"metadata": {"annotations": {"preroll.io/capacity": str(capacity)}}})
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    began = time.monotonic()
    path = f"/apis/keda.sh/v1alpha1/namespaces/{space}/scaledobjects/{name}"
    connection.request("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the stand-in refused a patch: {answer.status}")
    known = reader.heard("known")
    if (known["name"], known["capacity"]) != (name, capacity):
        raise SystemExit(f"another change than the one made: {known}")
    return float(known["known"]) - began


if __name__ == "__main__":
    print(measure_cluster())
