from __future__ import annotations

import socket
import time

import pytest

from api import protocol
from tests.api.plans import snapshot, state
from tests.api.service import PATH, REQUEST, Service, read_answer, serving


def test_requests_sent_ahead_are_answered_in_order(client: socket.socket) -> None:
    other = REQUEST.replace(PATH, b"/v1/targets/no/such")
    client.sendall(REQUEST + other + REQUEST)
    seen = b""
    while seen.count(b"HTTP/1.1") < 3 or not seen.endswith(b"}"):
        seen += client.recv(65536)
    assert [part[:3] for part in seen.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


def test_a_request_in_small_pieces_is_answered(client: socket.socket) -> None:
    for at in range(0, len(REQUEST), 7):
        client.sendall(REQUEST[at : at + 7])
        time.sleep(0.001)
    assert read_answer(client)[0] == 200
    client.sendall(REQUEST)
    assert read_answer(client)[0] == 200


def test_a_body_that_nobody_asked_for_is_passed_over(client: socket.socket) -> None:
    body = b"x" * 300_000
    length = str(len(body)).encode()
    client.sendall(REQUEST[:-2] + b"Content-Length: " + length + b"\r\n\r\n" + body + REQUEST)
    assert read_answer(client)[0] == 200
    assert read_answer(client)[0] == 200


def test_http_1_0_is_answered_and_closed(client: socket.socket) -> None:
    client.sendall(b"GET " + PATH + b" HTTP/1.0\r\n\r\n")
    assert read_answer(client)[0] == 200
    assert client.recv(1) == b""


def test_a_head_without_end_is_cut_off(steady: Service, client: socket.socket) -> None:
    client.sendall(b"GET " + PATH + b" HTTP/1.1\r\nHost: x\r\n")
    sent = 0
    with pytest.raises(OSError):
        while sent < 20 * protocol.MAX_HEAD_BYTES:
            client.sendall(b"X-Filler: " + b"a" * 4000 + b"\r\n")
            sent += 4012
            time.sleep(0.002)
    assert sent < 20 * protocol.MAX_HEAD_BYTES
    assert steady.client.get("/healthz").status_code == 200


def test_a_large_head_within_the_bound_is_answered(client: socket.socket) -> None:
    filler = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(28))
    client.sendall(REQUEST[:-2])
    time.sleep(0.01)
    client.sendall(filler + b"\r\n")
    assert read_answer(client)[0] == 200


@pytest.mark.parametrize(
    "sent",
    [(b"",), (REQUEST[:20],), (REQUEST + REQUEST[:20],), (REQUEST, REQUEST[:20])],
    ids=["nothing", "a half", "one and a half", "one, then a half"],
)
def test_a_client_that_does_not_finish_its_request_is_let_go(
    monkeypatch: pytest.MonkeyPatch, sent: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    with (
        serving(snapshot(state("streaming/player-api"))) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=5) as slow,
    ):
        for piece in sent:
            slow.sendall(piece)
            if piece.startswith(REQUEST):
                assert read_answer(slow)[0] == 200
        began = time.monotonic()
        assert slow.recv(100) == b""
        assert time.monotonic() - began < 3


def test_a_client_that_finishes_in_time_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.8)
    with (
        serving(snapshot(state("streaming/player-api"))) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=5) as client,
    ):
        for _ in range(3):
            client.sendall(REQUEST[:20])
            time.sleep(0.3)
            client.sendall(REQUEST[20:])
            assert read_answer(client)[0] == 200
        time.sleep(0.9)
        client.sendall(REQUEST)
        assert read_answer(client)[0] == 200


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
    ],
    ids=["zeros", "TLS", "words"],
)
def test_what_is_not_http_is_refused(steady: Service, client: socket.socket, noise: bytes) -> None:
    client.sendall(noise)
    assert client.recv(65536).startswith(b"HTTP/1.1 400")
    assert steady.client.get("/healthz").status_code == 200
