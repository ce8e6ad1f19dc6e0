"""The two processes of benchmarks/cluster.py: a stand-in API server, and the reader of a cluster.

    python -m benchmarks.cluster_processes stand-in --workloads 5000 --pods 10
    python -m benchmarks.cluster_processes read --kubeconfig FILE --workloads 5000

Both say what they have done as one JSON object a line; instants are those of the monotonic clock,
which all processes of a machine share. Lines on stdin are orders.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

MIB = 1 << 20


def say(**told: Any) -> None:
    print(json.dumps(told), flush=True)


def stand_in(workloads: int, pods: int) -> None:
    from tests.cluster import objects
    from tests.cluster.standin import StandIn

    def pod_of(number: int, at: int, ready_after: float | None = 42.0) -> objects.Object:
        workload = f"workload-{number}"
        return objects.pod(
            f"{workload}-6d9f7c5b8-{at:05}",
            namespace=f"ns-{number % 100}",
            workload=workload,
            ready_after=ready_after,
            node=f"node-{(number * pods + at) % 800}.example.internal",
        )

    def annotations(number: int) -> dict[str, str]:
        return {"preroll.io/enabled": "true", "preroll.io/capacity": str(100 + number % 50)}

    began = time.monotonic()
    with StandIn() as server:
        bytes_of: dict[str, int] = {}
        for number in range(workloads):
            name, space = f"workload-{number}", f"ns-{number % 100}"
            server.put_all(
                [
                    objects.scaled_object(name, namespace=space, annotations=annotations(number)),
                    objects.autoscaler(name, namespace=space, replicas=(pods, pods)),
                    objects.scaled(name, namespace=space, replicas=pods),
                    *(pod_of(number, at) for at in range(pods)),
                ]
            )
        for shelf in server.store.shelves.values():
            bytes_of[shelf.kind] = sum(len(one.text) for one in shelf.objects.values())
        say(port=server.port, bytes=bytes_of, seconds=time.monotonic() - began)
        for line in sys.stdin:
            order = json.loads(line)
            changed = [
                pod_of(at % workloads, at // workloads % pods, order["ready_after"])
                for at in range(order["pods"])
            ]
            say(prepared=len(changed))
            sys.stdin.readline()
            server.put_all(changed)


def read(kubeconfig: Path, workloads: int) -> None:
    before = resident_mib()
    from forecaster.cluster.changes import Listed, Told
    from forecaster.cluster.client import connect
    from forecaster.cluster.declared import DeclaredWorkloads
    from forecaster.cluster.inventory import Inventory
    from forecaster.cluster.memory import collect_rarely
    from forecaster.cluster.resources import resources_to_read
    from forecaster.cluster.seen import ScaledObjectSeen
    from forecaster.cluster.watching import ClusterWatch
    from forecaster.settings.workload_shape import DefaultsShape

    collect_rarely()
    told: SimpleQueue[Told] = SimpleQueue()
    inventory, declared = Inventory(), DeclaredWorkloads(DefaultsShape(), ())
    kinds = resources_to_read(nodes=False)
    watch = ClusterWatch(connect(kubeconfig), kinds, (), told.put)
    say(imported_mib=resident_mib(), bare_mib=before)
    orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(
        target=lambda: [orders.put(json.loads(line)) for line in sys.stdin], daemon=True
    ).start()
    began, used = time.monotonic(), time.process_time()
    watch.start()
    listed, pods_changed, waiting_for = 0, 0, 0
    while True:
        try:
            order = orders.get_nowait()
        except Empty:
            order = None
        if order == {"rest": True}:
            say(steady_mib=resident_mib(), peak_mib=peak_mib(), cpu=time.process_time() - used)
        elif order is not None:
            waiting_for, pods_changed, used = order["pods"], 0, time.process_time()
            say(waiting=True)
        try:
            one = told.get(timeout=0.2)
        except Empty:
            continue
        for difference in inventory.take(one):
            if difference.kind == "Pod":
                pods_changed += 1
            elif difference.kind == "ScaledObject":
                previous, current = difference.before, difference.after
                assert previous is None or isinstance(previous, ScaledObjectSeen)
                assert current is None or isinstance(current, ScaledObjectSeen)
                changed = declared.take(previous, current)
                if changed and previous is not None and current is not None:
                    known = {each.source.name: each.settings for each in declared.workloads()}
                    capacity = known[current.name].rule.capacity_rps
                    say(known=time.monotonic(), name=current.name, capacity=capacity)
        if isinstance(one, Listed):
            listed += 1
            if listed == len(kinds):
                assert len(declared.workloads()) == workloads
                say(
                    listed=time.monotonic() - began,
                    cpu=time.process_time() - used,
                    pods=len(inventory.pods),
                    objects=len(inventory.scaled_objects) + len(inventory.autoscalers),
                    peak_mib=peak_mib(),
                )
                pods_changed = 0
        if waiting_for and pods_changed >= waiting_for:
            say(burst=time.monotonic(), cpu=time.process_time() - used, pods=pods_changed)
            waiting_for = 0


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["stand-in", "read"])
    parser.add_argument("--workloads", type=int, default=5000)
    parser.add_argument("--pods", type=int, default=10)
    parser.add_argument("--kubeconfig", type=Path)
    options = parser.parse_args()
    if options.role == "stand-in":
        stand_in(options.workloads, options.pods)
    else:
        read(options.kubeconfig, options.workloads)


if __name__ == "__main__":
    main()
