"""A stand-in for a metrics server: a real HTTP server whose answers a test writes."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Answer", "Asked", "StandIn", "serving"]


@dataclass(frozen=True)
class Asked:
    """One request: header names in lower case, ``form`` from the body and the query string."""

    method: str
    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]


Answer = tuple[int, Mapping[str, str], str | bytes | Iterable[bytes]]


def _nothing(_asked: Asked) -> Answer:
    return (
        200,
        {},
        json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}),
    )


@dataclass
class StandIn:
    """``answer`` gets what was asked and gives status, headers and body; None hangs up."""

    url: str
    answer: Callable[[Asked], Answer | None] = _nothing
    asked: list[Asked] = field(default_factory=list)

    def answers(self, *script: Answer | None) -> None:
        """Give these answers in order, the last one for ever."""
        rest = list(script)
        self.answer = lambda _asked: rest.pop(0) if len(rest) > 1 else rest[0]


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    """A stand-in on a free port of 127.0.0.1, over TLS where a context is given."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            form = dict(parse_qsl(target.query) + parse_qsl(body))
            asked = Asked(
                self.command, target.path, {k.lower(): v for k, v in self.headers.items()}, form
            )
            stand_in.asked.append(asked)
            answer = stand_in.answer(asked)
            if answer is None:
                return
            status, headers, content = answer
            pieces = content.encode() if isinstance(content, str) else content
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if isinstance(pieces, bytes):
                pieces = [pieces]
                if "content-length" not in headers and status != 204:
                    self.send_header("content-length", str(len(pieces[0])))
            self.send_header("connection", "close")
            self.end_headers()
            try:
                for piece in pieces:
                    self.wfile.write(piece)
            except OSError:
                pass  # the client has had enough

        do_GET = do_POST = _handle  # noqa: N815 (names that http.server asks for)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        scheme = "https"
    stand_in = StandIn(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
