"""A service behind uvicorn until a signal comes."""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType

import uvicorn

from api.app import create_app
from api.server import uvicorn_config
from forecaster.errors import SettingsError, SettingsProblem
from forecaster.settings import ServerSettings
from forecaster.worker import Service, utc_now

__all__ = ["listen", "run_service", "stop_on_signals", "url_of", "warn_of_open_endpoint"]

_BACKLOG = 2048
# A thread that computes holds the interpreter for this long before another gets its turn. The
# default of 5 ms would be seen in the latency of targets.
_SWITCH_SECONDS = 0.0005

_log = logging.getLogger(__name__)


def listen(server: ServerSettings, source: str = "settings") -> socket.socket:
    """A socket that listens where the settings say.

    Raises SettingsError where the address cannot be taken: in use, not ours, not known.
    """
    place, example = "server.port", "8081"
    try:
        found = socket.getaddrinfo(
            server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, _, _, address = found[0]
        # The protocol is named, for asyncio sets TCP_NODELAY only where it is.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            place, example = "server.host", "0.0.0.0"  # noqa: S104  an example
        reason = error.strerror or error
        message = f"cannot listen on {server.host}:{server.port}: {reason}"
        raise SettingsError([SettingsProblem(place, message, example)], source) from error
    return listener


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """SIGTERM and Ctrl-C end the block, quietly and with exit code 0."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {one: signal.signal(one, stop) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def run_service(
    service: Service,
    listener: socket.socket,
    *,
    tokens: Sequence[str] = (),
    events_tokens: Sequence[str] = (),
    node_lead_time: timedelta = timedelta(minutes=5),
    old_metrics: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Start the service, answer on ``listener`` until a signal comes, stop the service.

    A stop takes less than 5 seconds: 2 for requests that are under way, meanwhile the other
    processes end; SQLite is closed last.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    with service:
        app = create_app(
            service.snapshot,
            clock=clock,
            tokens=tokens,
            events=service.events,
            events_tokens=events_tokens,
            cluster=service.cluster.view,
            node_lead_time=node_lead_time,
            old_metrics=old_metrics,
        )
        server = _Server(uvicorn_config(app), service)
        # What lives for ever need not be looked through, for tens of milliseconds, at each
        # collection of garbage.
        gc.collect()
        gc.freeze()
        _log.info("serving", extra={"url": url_of(listener), "served_pid": os.getpid()})
        try:
            server.run(sockets=[listener])
        finally:
            for one in (signal.SIGTERM, signal.SIGINT):
                signal.signal(one, signal.SIG_IGN)  # we are at it
            service.stop()
            _log.info("stopped")


def warn_of_open_endpoint(server: ServerSettings) -> None:
    """Say in the log that everybody who reaches the port may ask."""
    _log.warning(
        "the endpoint is open: no tokens",
        extra={"host": server.host, "hint": "set server.tokens_file, or host: 127.0.0.1"},
    )


def url_of(listener: socket.socket) -> str:
    """Where ``listener`` listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Tells the service of a signal at once, so that both stop at the same time."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        self._service.ask_to_stop()
        super().handle_exit(sig, frame)
