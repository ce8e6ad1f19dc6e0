"""The stand-in must show the dangers, or a green endpoint test would prove nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.api.keda_stand_in import (
    Scaler,
    ScalerError,
    Trigger,
    hpa_replicas,
    json_value,
    prometheus_value,
)

Respond = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(respond: Respond) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            respond(self)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/v"
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def whole(body: bytes, status: int = 200) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(body)

    return respond


def until_closed(body: bytes, promised: int | None = None) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if promised is not None:
            handler.send_header("Content-Length", str(promised))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return respond


@pytest.mark.parametrize(
    ("body", "pods"),
    [
        pytest.param(b'{"replicas": 7.4}', 8, id="a fraction asks for one more"),
        pytest.param(b'{"replicas": 0}', 1, id="0 is the minimum"),
        pytest.param(b'{"replicas": NaN}', 1, id="NaN scales in without a word"),
        pytest.param(b'{"replicas": Infinity}', 1, id="infinity too"),
        pytest.param(b'{"replicas": 1e400}', 1, id="a number too large too"),
        pytest.param(b'{"replicas": -3}', 50, id="a negative number asks for the maximum"),
        pytest.param(b'{"replicas":7', 7, id="JSON cut short is taken"),
        pytest.param(b'{"replicas": "1500m"}', 2, id="a string is a quantity"),
        pytest.param(b'{"replicas": "2k"}', 50, id="with its suffix"),
        pytest.param(b'{"replicas": "seven"}', 5, id="any other string is an error"),
        pytest.param(b'{"replicas": null}', 5, id="null is an error"),
        pytest.param(b'{"replicas": true}', 5, id="true is an error"),
        pytest.param(b'{"reasons": ["x"]}', 5, id="missing is an error"),
        pytest.param(b"<html>502 Bad Gateway</html>", 5, id="HTML is an error"),
        pytest.param(b'{"replicas": 5.49}', 5, id="within a tenth nothing happens"),
        pytest.param(b'{"replicas": 5.51}', 6, id="beyond it something does"),
    ],
)
def test_an_hpa_with_five_pods_does_with_a_body_what_was_observed(body: bytes, pods: int) -> None:
    with server(whole(body)) as url:
        scaler = Scaler(Trigger(url))
        assert hpa_replicas(scaler, current=5) == pods
        scaler.close()


@pytest.mark.parametrize("status", [201, 204, 401, 404, 500, 503])
def test_any_status_but_200_holds_whatever_the_body_says(status: int) -> None:
    with server(whole(b'{"replicas": 40}', status)) as url:
        scaler = Scaler(Trigger(url))
        assert hpa_replicas(scaler, current=5) == 5
        scaler.close()


def test_a_body_shorter_than_its_content_length_is_an_error() -> None:
    with server(until_closed(b'{"replicas":7', promised=20)) as url:
        assert hpa_replicas(Scaler(Trigger(url)), current=5) == 5
    with server(until_closed(b'{"replicas":7')) as url:
        assert hpa_replicas(Scaler(Trigger(url)), current=5) == 7


def test_polls_share_a_connection_and_a_failing_check_is_asked_again_on_a_new_one() -> None:
    answers = iter([*[(200, b'{"replicas": 4}')] * 5, (503, b""), (200, b'{"replicas": 9}')])

    def respond(handler: BaseHTTPRequestHandler) -> None:
        status, body = next(answers)
        whole(body, status)(handler)

    with server(respond) as url:
        scaler = Scaler(Trigger(url))
        assert [scaler.value() for _ in range(5)] == [4.0] * 5
        assert scaler.connections == 1
        assert scaler.value() == 9.0
        assert (scaler.connections, scaler.requests) == (2, 7)
        scaler.close()


def test_redirects_are_followed() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/v":
            handler.send_response(307)
            host = handler.headers["Host"]
            handler.send_header("Location", f"http://{host}/there")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            whole(b'{"replicas": 3}')(handler)

    with server(respond) as url:
        scaler = Scaler(Trigger(url))
        assert scaler.value() == 3.0
        scaler.close()


@pytest.mark.parametrize(
    ("auth_mode", "header", "sent"),
    [
        ("bearer", "Authorization", "Bearer s3cret"),
        ("apiKey", "X-API-KEY", "s3cret"),
        (None, "Authorization", None),
    ],
)
def test_a_secret_is_sent_only_where_the_mode_says_so(
    auth_mode: str | None, header: str, sent: str | None
) -> None:
    seen: list[str | None] = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers[header])
        whole(b'{"replicas": 1}')(handler)

    with server(respond) as url:
        scaler = Scaler(Trigger(url, auth_mode=auth_mode, secret="s3cret"))
        scaler.value()
        scaler.close()
    assert seen == [sent]


@pytest.mark.parametrize(
    ("text", "location", "value"),
    [
        ('{"a": {"replicas": 1}, "replicas": 2}', "replicas", 2.0),
        ('{"a": {"b": [1, {"x": "}"}]}, "c": {"replicas": 4}}', "c.replicas", 4.0),
        ('{"say \\"hi\\"": 1, "replicas": 2.5}', "replicas", 2.5),
        ('{"replicas": 1, "replicas": 2}', "replicas", 1.0),
        ('{"replicas": "2Ki"}', "replicas", 2048.0),
        ('{"replicas": "1e3"}', "replicas", 1000.0),
    ],
)
def test_a_value_is_found_by_its_path(text: str, location: str, value: float) -> None:
    assert json_value(text, location) == value


def test_a_selector_knows_only_equality() -> None:
    page = 'm{a="x",b="1"} 3\nm{a="y",b="1"} 4\n'
    assert prometheus_value(page, 'm{a="y"}') == 4.0
    assert prometheus_value(page, 'm{a!="y"}') == 4.0
    with pytest.raises(ScalerError):
        prometheus_value(page, 'm{a=~"x|y"}')
    with pytest.raises(ScalerError):
        prometheus_value(page, 'n{a="y"}')
