"""What benchmarks/endpoint.py starts: a server with a fleet, a bare responder, a trainer.

    python -m benchmarks.endpoint_apps serve preroll --workloads 10000
    python -m benchmarks.endpoint_apps serve bare
    python -m benchmarks.endpoint_apps train

A server binds 127.0.0.1 at a free port, prints one line of JSON and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn

from api.app import create_app
from api.server import uvicorn_config
from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.models.selection import train_outlook
from forecaster.planning.capacity import ScalingRule
from forecaster.planning.plan import build_plan
from forecaster.planning.snapshot import ObservedTraffic, Snapshot, TrainingState, WorkloadState
from forecaster.traffic.sample import sample_history

STEP = timedelta(minutes=5)
HOURS = 48
NAMESPACES = 100

Body = dict[str, Any]


def fleet(workloads: int, now: datetime) -> Snapshot:
    """Plans of two days at five minutes, every one with arrays of its own, from the real trace."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    steps = HOURS * 12
    trace = sample_history().series[0].rate_rps
    days = np.nan_to_num(trace[-HOURS * 60 :]).reshape(steps, -1).mean(axis=1)
    spread = np.linspace(0.5, 1.5, len(DEFAULT_QUANTILES))[:, None]
    choose = np.random.default_rng(1998)
    rule = ScalingRule(capacity_rps=25, max_replicas=500)
    states = {}
    for number in range(workloads):
        name = f"ns-{number % NAMESPACES}/workload-{number}"
        rates = spread * np.roll(days, int(choose.integers(steps))) * choose.uniform(0.1, 3)
        outlook = Outlook(name, start, start, STEP, DEFAULT_QUANTILES, rates, "profile")
        namespace, _, short = name.partition("/")
        states[name] = WorkloadState(
            namespace,
            short,
            rule,
            build_plan(outlook, rule),
            observed=ObservedTraffic(start, float(rates[4, 0])),
            training=TrainingState(start, 1.5, runs=1),
        )
    return Snapshot(states)


def never_the_same_step(start: datetime) -> Callable[[], datetime]:
    """A clock on which no two requests fall into the same step: nothing can be kept."""
    turn = count()
    steps = (HOURS - 2) * 12
    return lambda: start + (next(turn) * 7 % steps) * STEP


def bare_responder(body: bytes) -> Callable[..., Any]:
    """The least that an ASGI application can do: the same bytes for every request."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def serve(kind: str, workloads: int, body_bytes: int) -> None:
    now = datetime.now(UTC)
    if kind == "bare":
        app = bare_responder(b"x" * body_bytes)
    else:
        seen = fleet(workloads, now)
        clock = never_the_same_step(now) if kind == "cold" else lambda: datetime.now(UTC)
        app = create_app(lambda: seen, clock=clock)
    config = uvicorn_config(app, port=0)  # type: ignore[arg-type]
    listener = socket.create_server(("127.0.0.1", 0), backlog=config.backlog)
    told = {"port": listener.getsockname()[1], "resident_mib": round(resident_mib(), 1)}
    print(json.dumps(told), flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def train(niceness: int) -> None:
    """Train on 28 days of the real trace, again and again, until stopped."""
    os.nice(niceness)
    series = sample_history().series[0]
    for turn in count():
        cutoff = series.end - timedelta(hours=turn % 24)
        recent = series.before(cutoff)
        assert recent is not None
        window = recent.since(cutoff - timedelta(days=28))
        assert window is not None
        began = time.perf_counter()
        train_outlook(window, cutoff)
        print(json.dumps({"trained_in_seconds": round(time.perf_counter() - began, 3)}), flush=True)


def resident_mib(pid: int | None = None) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve")
    serving.add_argument("kind", choices=["preroll", "cold", "bare"])
    serving.add_argument("--workloads", type=int, default=10_000)
    serving.add_argument("--body-bytes", type=int, default=300)
    training = commands.add_parser("train")
    training.add_argument("--niceness", type=int, default=10)
    given = parser.parse_args()
    if given.command == "serve":
        serve(given.kind, given.workloads, given.body_bytes)
    else:
        train(given.niceness)


if __name__ == "__main__":
    sys.exit(main())
