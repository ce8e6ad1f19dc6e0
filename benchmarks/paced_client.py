"""An open-loop client: requests leave on time, whatever became of the ones before.

    python -m benchmarks.paced_client --port 8080 --workloads 10000 --rate 200 --seconds 10

Prints one line of JSON. Latency runs from the send to the last byte of the body. As root, the
client runs at real-time priority.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import selectors
import socket
import time
from collections import deque

CONNECTIONS = 256
NAMESPACES = 100


def measure_in_real_time() -> bool:
    """Ask to run before everything else: what is measured is the server, not this client's turn."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        return False
    return True


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def ask(port: int, workloads: int, rate: float, seconds: float) -> dict[str, float]:
    """Ask at ``rate`` requests per second over kept connections; milliseconds by percentile."""
    free = deque(socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS))
    chooser = selectors.DefaultSelector()
    for one in free:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        chooser.register(one, selectors.EVENT_READ)
    sent_at: dict[socket.socket, float] = {}
    latencies: list[float] = []
    late: list[float] = []
    wrong = 0
    gc.disable()
    begin = time.perf_counter() + 0.05
    total = int(rate * seconds)
    asked = 0
    while asked < total or sent_at:
        now = time.perf_counter()
        due = begin + asked / rate
        if asked < total and now >= due:
            if not free:
                raise SystemExit(f"all {CONNECTIONS} connections wait for an answer")
            one = free.popleft()
            number = asked * 7919 % workloads
            path = f"/v1/targets/ns-{number % NAMESPACES}/workload-{number}"
            late.append(now - due)
            sent_at[one] = time.perf_counter()
            one.send(f"GET {path} HTTP/1.1\r\nHost: preroll\r\n\r\n".encode())
            asked += 1
            continue
        if now > begin + seconds + 10:
            raise SystemExit(f"{len(sent_at)} requests were never answered")
        wait = max(0.0, due - now) if asked < total else 0.1
        for key, _ in chooser.select(wait):
            one = key.fileobj  # type: ignore[assignment]
            answer = one.recv(65536)
            latencies.append(time.perf_counter() - sent_at.pop(one))
            wrong += not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(b"}")
            free.append(one)
    for one in free:
        one.close()
    return {
        "requests": len(latencies),
        "wrong": wrong,
        **{
            f"p{share * 100:g}_ms": percentile(latencies, share) * 1e3
            for share in (0.5, 0.99, 0.999)
        },
        "max_ms": max(latencies) * 1e3,
        "client_late_p99_ms": percentile(late, 0.99) * 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    told = {"real_time": measure_in_real_time()}
    told |= ask(given.port, given.workloads, given.rate, given.seconds)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
