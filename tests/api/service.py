"""The application on a real uvicorn, as ``preroll serve`` runs it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.server import uvicorn_config
from forecaster.planning.snapshot import Snapshot
from forecaster.worker.programme import Programme
from tests.api.plans import NOW

PATH = b"/v1/targets/streaming/player-api"
REQUEST = b"GET " + PATH + b" HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Desk:
    """What the worker and the clock would change."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    now: datetime = NOW


@dataclass
class Service:
    """A running service: what it reads, where it listens, and a client."""

    desk: Desk
    server: uvicorn.Server
    client: httpx.Client

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """http://127.0.0.1:port."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(
    snapshot: Snapshot,
    *,
    tokens: Sequence[str] = (),
    max_connections: int = 1000,
    events: Programme | None = None,
    events_tokens: Sequence[str] = (),
    **more: Any,
) -> Iterator[Service]:
    """The service over ``snapshot`` until the block ends; ``more`` goes to create_app."""
    desk = Desk(snapshot)
    app = create_app(
        lambda: desk.snapshot,
        clock=lambda: desk.now,
        tokens=tokens,
        events=events,
        events_tokens=events_tokens,
        **more,
    )
    config = uvicorn_config(app, port=0, max_connections=max_connections)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.005)
    assert server.started
    service = Service(desk, server, httpx.Client(trust_env=False))
    service.client.base_url = service.url
    try:
        yield service
    finally:
        service.client.close()
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def read_answer(client: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer; (0, b"") where the server has hung up."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # a byte at a time: what follows is the next answer's
        byte = client.recv(1)
        if not byte:
            return 0, b""
        head += byte
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split(b" ")[1]), client.recv(length, socket.MSG_WAITALL)


def samples(page: str, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric in an exposition text, by the values of its labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    }
