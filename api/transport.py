"""An answer in one segment: what is written within a turn of the loop leaves in one write."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Transport
from typing import Any

__all__ = ["OneWriteTransport"]


class OneWriteTransport:
    """A transport whose writes wait for the end of the turn, then leave together.

    uvicorn writes the head and the body of an answer one after the other, and uvloop sends each at
    once: two system calls, two segments. Everything but ``write`` and ``close`` is the
    wrapped transport's.
    """

    __slots__ = ("_loop", "_pending", "_transport")

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pending: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep it until the turn ends."""
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(data)

    def close(self) -> None:
        """Send what waits, then close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._pending:
            self._transport.writelines(self._pending)
            self._pending.clear()
