"""The open watches of a stand-in API server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from tests.cluster.standin_faults import Break
from tests.cluster.standin_http import chunk, send, status
from tests.cluster.standin_store import Happened, Store, fits


@dataclass(eq=False)
class _Stream:
    plural: str
    namespace: str | None
    writer: asyncio.StreamWriter
    queue: asyncio.Queue[Happened | Break]
    selecting: tuple[str, str] = ("", "")

    def wants(self, one: Happened) -> bool:
        inside = self.namespace in (None, one.kept.namespace)
        return inside and (not any(self.selecting) or fits(one.kept, *self.selecting))


class Streams:
    """All that are open; used within the server's loop."""

    def __init__(self, store: Store, bookmark_seconds: float, gone_as_line: bool) -> None:
        self._store = store
        self._bookmark_seconds, self._gone_as_line = bookmark_seconds, gone_as_line
        self._open: set[_Stream] = set()

    def break_all(self, plural: str, how: Break) -> int:
        hit = [one for one in self._open if one.plural == plural]
        for one in hit:
            one.queue.put_nowait(how)
        return len(hit)

    def publish(self, happened: Happened, kind: str) -> None:
        plural = self._store.plural_of(kind)
        for stream in self._open:
            if stream.plural == plural and stream.wants(happened):
                stream.queue.put_nowait(happened)

    async def serve(
        self,
        writer: asyncio.StreamWriter,
        plural: str,
        namespace: str | None,
        query: dict[str, str],
    ) -> bool:
        version = int(query.get("resourceVersion", "0"))
        missed = self._store.since(plural, version)
        gone = status(410, f"too old resource version: {version}", reason="Expired")
        if missed is None and not self._gone_as_line:
            await send(writer, 410, gone)
            return True
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        if missed is None:
            chunk(writer, b'{"type":"ERROR","object":' + gone + b"}\n")
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            return True
        selecting = query.get("labelSelector", ""), query.get("fieldSelector", "")
        stream = _Stream(plural, namespace, writer, asyncio.Queue(), selecting)
        for one in missed:
            if stream.wants(one):
                stream.queue.put_nowait(one)
        self._open.add(stream)
        try:
            await writer.drain()
            return await self._follow(stream, float(query.get("timeoutSeconds", "1800")))
        finally:
            self._open.discard(stream)

    async def _follow(self, stream: _Stream, seconds: float) -> bool:
        until, writer = asyncio.get_running_loop().time() + seconds, stream.writer
        while True:
            wait = min(self._bookmark_seconds, until - asyncio.get_running_loop().time())
            try:
                one = await asyncio.wait_for(stream.queue.get(), max(0.0, wait))
            except TimeoutError:
                chunk(writer, self._bookmark(stream.plural))
                if asyncio.get_running_loop().time() < until:
                    await writer.drain()
                    continue
                one = Break.END
            if isinstance(one, Happened):
                chunk(writer, b'{"type":"%s","object":%s}\n' % (one.how.encode(), one.kept.text))
                await writer.drain()
            elif one is Break.END:
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                return True
            elif one is Break.SILENCE:
                await asyncio.sleep(3600)
            else:
                return await self._break(stream, one)

    async def _break(self, stream: _Stream, how: Break) -> bool:
        writer = stream.writer
        if how is Break.HALF_A_LINE:
            chunk(writer, b'{"type":"MODIFIED","object":{"metadata":{"name":"ha')
        elif how is Break.GARBAGE:
            chunk(writer, b"<html>502 Bad Gateway</html>\n")
        elif how in (Break.GONE, Break.ERROR):
            code = 410 if how is Break.GONE else 500
            told = status(code, "too old resource version", reason="Expired")
            chunk(writer, b'{"type":"ERROR","object":' + told + b"}\n")
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        if how in (Break.CUT, Break.HALF_A_LINE):
            writer.transport.abort()
        return how in (Break.GONE, Break.ERROR)

    def _bookmark(self, plural: str) -> bytes:
        shelf = self._store.shelves[plural]
        about = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        item = {"kind": shelf.kind, "apiVersion": shelf.api_version, "metadata": about}
        return json.dumps({"type": "BOOKMARK", "object": item}).encode() + b"\n"
