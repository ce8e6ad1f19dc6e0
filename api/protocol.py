"""Bounds on what a client may send before it is answered; uvicorn's parser has none of its own."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.transport import OneWriteTransport

__all__ = ["HEAD_SECONDS", "MAX_HEAD_BYTES", "BoundedHttpProtocol"]

# KEDA sends some 200 bytes at once. A head beyond this, or this late, is no client of ours.
MAX_HEAD_BYTES = 32_768
HEAD_SECONDS = 10.0


class BoundedHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 by httptools, where a request's head must be small and come soon.

    A connection that does not bring a whole head within HEAD_SECONDS is closed, one whose head
    grows past MAX_HEAD_BYTES as well. A request that comes in one piece, as KEDA's do, costs
    two flags more. Between requests uvicorn's own keep-alive time-out rules.
    """

    _head_seen = False
    _head_bytes = 0
    _head_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the clock: a client that connects is to ask something."""
        super().connection_made(cast(Transport, OneWriteTransport(transport, self.loop)))
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close)

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._head_seen = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_seen = True
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse, then look at what is still missing."""
        super().data_received(data)
        if self._head_seen:
            if self._head_timer is not None:
                self._stop_timer()
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._close()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave no timer behind."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close(self) -> None:
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.close()
