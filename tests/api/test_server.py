from __future__ import annotations

import socket
import time
from collections.abc import Callable

from api.app import create_app
from api.server import KEEP_ALIVE_SECONDS, uvicorn_config
from forecaster.planning.snapshot import Snapshot
from tests.api.plans import NOW, snapshot, state
from tests.api.service import PATH, REQUEST, Service, read_answer, serving


def test_a_kept_connection_outlives_the_pause_between_two_polls() -> None:
    config = uvicorn_config(create_app(Snapshot, clock=lambda: NOW))
    assert config.timeout_keep_alive == KEEP_ALIVE_SECONDS > 2 * 30
    assert config.timeout_graceful_shutdown == 2
    assert not config.access_log


def test_the_server_does_not_say_what_it_is(steady: Service) -> None:
    assert "server" not in steady.client.get("/v1/targets/streaming/player-api").headers


def test_small_segments_are_sent_at_once(steady: Service, client: socket.socket) -> None:
    client.sendall(REQUEST)
    read_answer(client)
    ends = [one.transport for one in steady.server.server_state.connections]
    peer = client.getsockname()
    (ours,) = [end for end in ends if end.get_extra_info("peername") == peer]
    nodelay = ours.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert nodelay != 0


def test_an_upgrade_is_not_taken(client: socket.socket) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
    client.sendall(REQUEST[:-2] + upgrade)
    assert read_answer(client)[0] == 200


def test_beyond_the_limit_of_connections_the_answer_is_503_and_comes_back_after() -> None:
    with serving(snapshot(state("streaming/player-api")), max_connections=4) as service:
        seen = service.server.server_state.connections
        address = ("127.0.0.1", service.port)
        crowd = [socket.create_connection(address, timeout=5) for _ in range(6)]
        wait_until(lambda: len(seen) == 6)
        crowd[-1].sendall(REQUEST)
        assert b"503" in crowd[-1].recv(65536).split(b"\r\n")[0]
        for one in crowd:
            one.close()
        wait_until(lambda: not seen)
        assert service.client.get(PATH.decode()).status_code == 200


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_service_that_stops_does_not_wait_for_idle_connections() -> None:
    with serving(snapshot(state("streaming/player-api"))) as service:
        idle = socket.create_connection(("127.0.0.1", service.port), timeout=5)
        idle.sendall(REQUEST)
        read_answer(idle)
        began = time.monotonic()
    assert time.monotonic() - began < 1.9  # it would wait for two seconds
    idle.close()
