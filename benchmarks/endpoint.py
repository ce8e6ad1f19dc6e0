"""How fast KEDA is answered, and whether training is felt.

    python -m benchmarks.endpoint [--json] [--rounds 3] [--seconds 4]

1. Throughput: `wrk` on one core, one server process on the other, 10,000 workloads loaded; against
   a bare ASGI responder with a body of the same size under the same uvicorn settings, in turns.
2. Latency at 200 requests/s, open loop, with and without another process that trains.

Needs `wrk` and `taskset` and two cores that nobody else uses: a third busy process on the server's
core shows as a p99 of one tick of the kernel, 4 ms. Everything stays on 127.0.0.1 and ends within
three minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.endpoint_apps import resident_mib
from forecaster.threads import THREAD_LIMITS

SERVER_CORE, LOAD_CORE = "0", "1"
ROOT = Path(__file__).resolve().parent.parent

# The paths are drawn by a generator of wrk's own, the same for both servers.
SCRIPT = """
local n = %d
local at = 0
request = function()
  at = (at + 7919) %% n
  return wrk.format("GET", "/v1/targets/ns-" .. (at %% 100) .. "/workload-" .. at)
end
"""


@dataclass(frozen=True)
class Server:
    """A server process on its core."""

    process: subprocess.Popen[str]
    port: int


@contextmanager
def running(*words: str, core: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process of benchmarks/endpoint_apps.py until the block ends."""
    pinned = [] if core is None else ["taskset", "-c", core]
    command = [*pinned, sys.executable, "-m", "benchmarks.endpoint_apps", *words]
    # As `preroll serve` sets them: a library's own pool of threads would take both cores.
    environment = {**os.environ, **dict.fromkeys(THREAD_LIMITS, "1")}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout:
            process.stdout.close()


@contextmanager
def serving(kind: str, workloads: int, body_bytes: int = 0) -> Iterator[Server]:
    """One of the servers, ready."""
    size = ["--workloads", str(workloads), "--body-bytes", str(body_bytes)]
    with running("serve", kind, *size, core=SERVER_CORE) as process:
        assert process.stdout is not None
        port = int(json.loads(process.stdout.readline())["port"])
        get(port, "/healthz")
        yield Server(process, port)


def get(port: int, path: str) -> bytes:
    """A body; the first answer waits until the server has started."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(server: Server, script: Path, seconds: int) -> tuple[float, float]:
    """Requests per second, and the server's processor time for one in microseconds."""
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", "-c32", f"-d{seconds}s"]
    before = processor_seconds(server.process.pid)
    done = subprocess.run(
        [*command, "-s", str(script), f"http://127.0.0.1:{server.port}"],
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"wrk saw errors:\n{done.stdout}")
    used = processor_seconds(server.process.pid) - before
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    total = re.search(r"(\d+) requests in", done.stdout)
    assert rate is not None
    assert total is not None
    return float(rate[1]), used / int(total[1]) * 1e6


def throughput(workloads: int, rounds: int, seconds: int) -> dict[str, Any]:
    """The three servers in turns, each round in the same order."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        script = folder / "paths.lua"
        script.write_text(SCRIPT % workloads)
        servers = {"preroll": stack.enter_context(serving("preroll", workloads))}
        body_bytes = len(get(servers["preroll"].port, "/v1/targets/ns-7/workload-7"))
        servers["bare"] = stack.enter_context(serving("bare", workloads, body_bytes))
        servers["cold"] = stack.enter_context(serving("cold", workloads))
        rates: dict[str, list[float]] = {kind: [] for kind in servers}
        cost: dict[str, list[float]] = {kind: [] for kind in servers}
        for server in servers.values():
            wrk(server, script, 2)
        for _ in range(rounds):
            for kind, server in servers.items():
                rate, microseconds = wrk(server, script, seconds)
                rates[kind].append(rate)
                cost[kind].append(round(microseconds, 1))
        return {
            "body_bytes": body_bytes,
            "rps": {kind: [round(rate) for rate in seen] for kind, seen in rates.items()},
            "ratio": [
                round(ours / bare, 3)
                for ours, bare in zip(rates["preroll"], rates["bare"], strict=True)
            ],
            "cold_ratio": [
                round(ours / bare, 3)
                for ours, bare in zip(rates["cold"], rates["bare"], strict=True)
            ],
            "processor_microseconds": cost,
            "resident_mib": round(resident_mib(servers["preroll"].process.pid)),
        }


def paced(port: int, workloads: int, rate: float, seconds: float) -> dict[str, float]:
    """Percentiles of the open-loop client on its own core."""
    command = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "benchmarks.paced_client"]
    numbers = {"port": port, "workloads": workloads, "rate": rate, "seconds": seconds}
    words = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    seen: dict[str, float] = json.loads(done.stdout)
    if seen["wrong"]:
        raise SystemExit(f"{seen['wrong']} answers were not a target")
    return seen


def latency(
    workloads: int, rounds: int, rate: float, seconds: float, trainer_core: str | None
) -> dict[str, Any]:
    """With nobody and with a trainer beside, in turns; it may run anywhere, or on one core."""
    alone: list[dict[str, float]] = []
    beside: list[dict[str, float]] = []
    trained: list[float] = []
    with serving("preroll", workloads) as server:
        paced(server.port, workloads, rate, 2)
        for _ in range(rounds):
            alone.append(paced(server.port, workloads, rate, seconds))
            with running("train", core=trainer_core) as trainer:
                assert trainer.stdout is not None
                trained.append(json.loads(trainer.stdout.readline())["trained_in_seconds"])
                beside.append(paced(server.port, workloads, rate, seconds))
    return {
        "rate_rps": rate,
        "trainer_core": trainer_core,
        "alone": alone,
        "with_training": beside,
        "one_training_seconds": trained,
        "p99_ratio": [
            round(busy["p99_ms"] / quiet["p99_ms"], 2)
            for quiet, busy in zip(alone, beside, strict=True)
        ],
    }


def table(speed: dict[str, Any], delay: dict[str, Any], workloads: int) -> str:
    """The figures as Markdown: the median of the rounds, and all of them."""

    def both(values: Sequence[float], digits: int = 2) -> str:
        listed = ", ".join(f"{value:,.{digits}f}" for value in values)
        return f"**{median(values):,.{digits}f}** ({listed})"

    rps, alone, busy = speed["rps"], delay["alone"], delay["with_training"]
    rows = [
        (f"KEDA route, {workloads:,} workloads, requests/s", both(rps["preroll"], 0)),
        (f"bare ASGI responder, {speed['body_bytes']} bytes, requests/s", both(rps["bare"], 0)),
        ("ratio", both(speed["ratio"])),
        ("KEDA route, every answer made anew, requests/s", both(rps["cold"], 0)),
        *(
            (f"processor time of one answer, {kind}, µs", both(seen, 1))
            for kind, seen in speed["processor_microseconds"].items()
        ),
        ("resident memory, MiB", f"{speed['resident_mib']:,}"),
        (f"p50 at {delay['rate_rps']:g} requests/s, ms", both([one["p50_ms"] for one in alone], 3)),
        (f"p99 at {delay['rate_rps']:g} requests/s, ms", both([one["p99_ms"] for one in alone], 3)),
        ("p99 while another process trains, ms", both([one["p99_ms"] for one in busy], 3)),
        ("ratio of the two p99", both(delay["p99_ratio"])),
    ]
    head = ["| figure | median (all rounds) |", "|---|---|"]
    return "\n".join([*head, *(f"| {name} | {value} |" for name, value in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each wrk run")
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--paced-seconds", type=float, default=10.0)
    parser.add_argument(
        "--trainer-core", help="pin the trainer, 0 is the server's core (default: it may use both)"
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is needed: apt-get install wrk util-linux")
    began = time.monotonic()
    speed = throughput(given.workloads, given.rounds, given.seconds)
    delay = latency(
        given.workloads, given.rounds, given.rate, given.paced_seconds, given.trainer_core
    )
    if given.json:
        took = round(time.monotonic() - began, 1)
        print(json.dumps({"throughput": speed, "latency": delay, "took_seconds": took}))
    else:
        print(table(speed, delay, given.workloads))


if __name__ == "__main__":
    main()
