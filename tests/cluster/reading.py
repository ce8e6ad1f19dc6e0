"""What tests of the client and the watches share: a kubeconfig, and a reader that keeps up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from forecaster.cluster.changes import Told, WatchState
from forecaster.cluster.client import ClusterClient, Timeouts, connect
from forecaster.cluster.inventory import Inventory
from forecaster.cluster.pace import Pace
from forecaster.cluster.resources import Resource, resources_to_read
from forecaster.cluster.watching import ClusterWatch
from tests.cluster.objects import Object, scaled_object
from tests.cluster.standin import StandIn

QUICK = Pace(first=0.05, longest=0.2, refused=0.2, settled_seconds=5.0)
IMPATIENT = Timeouts(connect=2.0, answer=2.0, whole_answer=3.0, silence=5.0, watch=300)


def write_kubeconfig(path: Path, url: str, token: str | None = "right", **cluster: str) -> Path:
    user = {} if token is None else {"token": token}
    contexts = [
        {"name": "test", "context": {"cluster": "here", "user": "preroll"}},
        {"name": "other", "context": {"cluster": "elsewhere", "user": "preroll"}},
    ]
    clusters = [
        {"name": "here", "cluster": {"server": url, **cluster}},
        {"name": "elsewhere", "cluster": {"server": "http://127.0.0.1:1"}},
    ]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": contexts,
        "clusters": clusters,
        "users": [{"name": "preroll", "user": user}],
    }
    path.write_text(json.dumps(config))
    return path


def client_of(server: StandIn, folder: Path, timeouts: Timeouts = IMPATIENT) -> ClusterClient:
    return connect(write_kubeconfig(folder / "kubeconfig", server.url), timeouts=timeouts)


def eventually(holds: Callable[[], object], seconds: float = 8.0) -> None:
    """Wait until it holds; for what the server sees and nobody tells."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def declared(name: str, capacity: str) -> Object:
    """A ScaledObject that can be told apart by its annotation."""
    return scaled_object(name, annotations={"preroll.io/capacity": capacity})


class Reader:
    """An inventory that takes what watches tell, and remembers all that was told."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Told] = SimpleQueue()
        self.inventory = Inventory()
        self.told: list[Told] = []

    def until(self, holds: Callable[[], object], seconds: float = 8.0) -> None:
        """Take what is told until ``holds``; fails where it never does."""
        end = time.monotonic() + seconds
        while not holds():
            try:
                told = self.queue.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                raise AssertionError(
                    f"not within {seconds} s; the last told: {self.told[-5:]}"
                ) from None
            self.told.append(told)
            self.inventory.take(told)

    def quietly(self, seconds: float) -> list[Told]:
        """What is told within some time."""
        before, end = len(self.told), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                told = self.queue.get(timeout=left)
            except Empty:
                break
            self.told.append(told)
            self.inventory.take(told)
        return self.told[before:]

    def of(self, kind: type[Told]) -> list[Told]:
        return [one for one in self.told if isinstance(one, kind)]

    def state(self, kind: str, namespace: str | None = None) -> WatchState | None:
        return self.inventory.states.get((kind, namespace))

    def connected(self, kind: str, namespace: str | None = None) -> bool:
        state = self.state(kind, namespace)
        return state is not None and state.connected

    def capacity_of(self, name: str) -> str | None:
        seen = self.inventory.scaled_objects.get("streaming", name)
        return None if seen is None else seen.annotations.get("preroll.io/capacity")

    def problem(self, kind: str, namespace: str | None = None) -> str:
        state = self.state(kind, namespace)
        return "" if state is None else state.problem or ""


@contextmanager
def reading(
    client: ClusterClient,
    resources: Sequence[Resource] | None = None,
    namespaces: Sequence[str] = (),
    pace: Pace = QUICK,
) -> Iterator[Reader]:
    reader = Reader()
    wanted = resources_to_read(nodes=True) if resources is None else resources
    watch = ClusterWatch(client, wanted, namespaces, reader.queue.put, pace=pace)
    watch.start()
    try:
        yield reader
    finally:
        assert watch.stop(), "a watch did not end"
        client.close()
