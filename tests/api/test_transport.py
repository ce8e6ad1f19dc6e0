from __future__ import annotations

import socket
import struct
import sys

import pytest

from tests.api.service import REQUEST, Service, read_answer


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")
def test_an_answer_leaves_in_one_segment(client: socket.socket) -> None:
    for asked in range(1, 6):
        client.sendall(REQUEST)
        assert read_answer(client)[0] == 200
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        if len(info) < 160:
            pytest.skip("this kernel does not count data segments")
        (segments,) = struct.unpack_from("I", info, 152)  # tcpi_data_segs_in
        assert segments == asked


def test_a_large_answer_arrives_whole(steady: Service) -> None:
    script = steady.client.get("/docs/swagger-ui-bundle.js")
    assert len(script.content) == int(script.headers["content-length"]) > 1_000_000
